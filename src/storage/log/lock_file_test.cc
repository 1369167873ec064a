// SPDX-License-Identifier: Apache-2.0
#include "storage/log/lock_file.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "tests/support/sim_world.h"

namespace storage {
namespace {

class LockFileTest : public testing::Test {
 protected:
  LockFileTest() { world.files().put("/lane/other", ""); }

  sim::SimWorld world{{.seed = 1}};
  Directory directory{world.world().file_system, "/lane"};
};

TEST_F(LockFileTest, is_held_by_one_at_a_time) {
  auto first = take_lock(directory);
  ASSERT_TRUE(first);
  const auto second = take_lock(directory);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().sys_errno, EWOULDBLOCK);
  first->file.close();
  EXPECT_TRUE(take_lock(directory));
}

TEST_F(LockFileTest, has_the_identity_that_it_had_before_a_crash) {
  const LockIdentity identity = take_lock(directory)->identity;
  world.files().crash(sim::Loss::KeepsNothing);
  EXPECT_EQ(world.files().get("/lane/lock"), encode_lock());
  EXPECT_EQ(take_lock(directory)->identity, identity);
  EXPECT_EQ(read_lock_identity(directory).value(), identity);
}

// The content was there, but only in memory: with segments beside it, it would be missed after the next crash.
TEST_F(LockFileTest, is_made_durable_by_the_start_that_makes_the_first_segment) {
  world.files().fail_kind(sim::SimFiles::Kind::Sync, 1, {base::Errc::System, "no", EINTR});
  EXPECT_FALSE(take_lock(directory));
  EXPECT_TRUE(take_lock(directory));
  world.files().crash(sim::Loss::KeepsNothing);
  EXPECT_EQ(world.files().get("/lane/lock"), encode_lock());
}

TEST_F(LockFileTest, is_another_one_in_a_copy) {
  const LockIdentity identity = take_lock(directory)->identity;
  world.files().kill();
  world.files().copy_directory("/lane", "/copy");
  EXPECT_FALSE(take_lock(Directory(world.world().file_system, "/copy"))->identity == identity);
}

}  // namespace
}  // namespace storage
