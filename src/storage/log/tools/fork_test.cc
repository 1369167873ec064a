// SPDX-License-Identifier: Apache-2.0
#include "storage/log/tools/fork.h"

#include <gtest/gtest.h>

#include "tests/support/lane_directory.h"

namespace storage {
namespace {

class ForkTest : public testing::Test {
 protected:
  ForkTest() {
    lane.must_start();
    lane.declare("orders");
    lane.publish(1, 3);
    epoch = lane.state().identity.epoch;
  }

  base::Result<void> fork() { return fork_lane(world.world().file_system, lane.path()); }

  sim::SimWorld world{{.seed = 3}};
  sim::SimFiles& files = world.files();
  TestLane lane{world};
  std::uint64_t epoch = 0;
};

TEST_F(ForkTest, the_next_start_has_another_epoch_and_every_event) {
  lane.stop();
  ASSERT_TRUE(fork());
  lane.must_start();
  EXPECT_NE(lane.state().identity.epoch, epoch);
  EXPECT_EQ(lane.events(), lane.written);
  EXPECT_EQ(lane.findings(RecoveryFinding::Kind::EpochChanged), 1u);
}

TEST_F(ForkTest, happens_once) {
  lane.stop();
  ASSERT_TRUE(fork());
  lane.must_start();
  const std::uint64_t forked = lane.state().identity.epoch;
  lane.stop();
  lane.must_start();
  EXPECT_EQ(lane.state().identity.epoch, forked);
}

TEST_F(ForkTest, refuses_a_lane_that_is_in_use) {
  const io::FileStatus before = lane.stage().status(lane.path() + "/lock");
  const auto forked = fork();
  ASSERT_FALSE(forked);
  EXPECT_EQ(forked.error().code, base::Errc::Conflict);
  EXPECT_EQ(lane.stage().status(lane.path() + "/lock").inode, before.inode);
}

TEST_F(ForkTest, gives_a_lane_without_its_lock_a_new_one) {
  lane.stop();
  files.remove_file(lane.path() + "/lock");
  ASSERT_TRUE(fork());
  lane.must_start();
  EXPECT_NE(lane.state().identity.epoch, epoch);
  EXPECT_EQ(lane.events(), lane.written);
}

TEST_F(ForkTest, leaves_what_is_no_lane_alone) {
  files.put("/data/foreign/lock", "pid 4711");
  EXPECT_EQ(fork_lane(world.world().file_system, "/data/foreign").error().code, base::Errc::BadInput);
  EXPECT_EQ(files.get("/data/foreign/lock"), "pid 4711");
  files.put("/data/photos/cat.jpeg", "meow");
  EXPECT_EQ(fork_lane(world.world().file_system, "/data/photos").error().code, base::Errc::Invalid);
  EXPECT_FALSE(files.get("/data/photos/lock"));
  EXPECT_EQ(fork_lane(world.world().file_system, "/data/nowhere").error().code, base::Errc::NotFound);
}

TEST_F(ForkTest, cut_off_anywhere_leaves_the_old_lock_or_the_new_one) {
  lane.stop();
  for (std::uint64_t call = 1;; ++call) {
    files.cut_power_at_call(call);
    const auto forked = fork();
    if (files.has_power()) {
      ASSERT_TRUE(forked);
      break;
    }
    files.crash(files.any_loss());
    lane.forget();
    lane.must_start();
    EXPECT_EQ(lane.events(), lane.written) << "cut at call " << call;
    EXPECT_TRUE(!forked || lane.state().identity.epoch != epoch) << "what was reported is there";
    epoch = lane.state().identity.epoch;
    lane.stop();
  }
}

TEST_F(ForkTest, is_on_the_disk_when_it_is_reported) {
  lane.stop();
  ASSERT_TRUE(fork());
  files.crash(sim::Loss::KeepsNothing);
  lane.forget();
  lane.must_start();
  EXPECT_NE(lane.state().identity.epoch, epoch);
}

}  // namespace
}  // namespace storage
