// SPDX-License-Identifier: Apache-2.0
// Starts on a disk without a free block: somebody else takes every one that is freed between two starts.
#include <gtest/gtest.h>

#include <cerrno>

#include "storage/log/recovery_room.h"
#include "storage/log/reserve.h"
#include "tests/support/lane_directory.h"

namespace storage {
namespace {

using Kind = RecoveryFinding::Kind;
using sim::Loss;

constexpr std::size_t kReserveBytes = 256 << 10;

// What is left of the lane's own room when the disk is full.
using Prepare = void (*)(sim::SimWorld&, TestLane&);

void publish_some(TestLane& lane) {
  lane.limits.segment_bytes_first = kReserveBytes;
  lane.must_start();
  lane.declare("a");
  lane.publish(1, 2, {5});
  lane.rotate();
  lane.publish(1, 1);
  lane.publish(1, 3, {6, 7}, 3'000);
}
void put_reserve(sim::SimWorld& world, TestLane& lane, std::size_t bytes) {
  world.files().put(lane.path() + '/' + kReserveName, std::string(bytes, '\0'));
}
void add_zeros(sim::SimWorld& world, TestLane& lane, std::size_t bytes) {
  const std::string path = lane.newest_path();
  world.files().put(path, *world.files().get(path) + std::string(bytes, '\0'));
}

void with_the_reserve(sim::SimWorld& world, TestLane& lane) {
  publish_some(lane);
  put_reserve(world, lane, kReserveBytes);
}
void with_a_reserve_in_the_making(sim::SimWorld& world, TestLane& lane) {
  publish_some(lane);
  world.files().put(lane.path() + '/' + temporary_name(kReserveName), std::string(kReserveBytes, '\0'));
}
void with_a_reserve_that_is_too_small(sim::SimWorld& world, TestLane& lane) {
  publish_some(lane);
  put_reserve(world, lane, 4'096);
  add_zeros(world, lane, kReserveBytes);
}
void with_zeros_behind_the_newest_group(sim::SimWorld& world, TestLane& lane) {
  publish_some(lane);
  add_zeros(world, lane, kReserveBytes);
}
// Control groups have taken the reserve: the newest segment is large and has no event.
void with_the_reserve_spent_on_control_groups(sim::SimWorld& world, TestLane& lane) {
  publish_some(lane);
  lane.rotate();
  lane.declare("b");
  add_zeros(world, lane, kReserveBytes);
}

constexpr Prepare kPrepared[] = {with_the_reserve, with_a_reserve_in_the_making, with_a_reserve_that_is_too_small,
                                 with_zeros_behind_the_newest_group, with_the_reserve_spent_on_control_groups};

class RecoveryFullDiskTest : public testing::TestWithParam<Prepare> {
 protected:
  static constexpr std::uint64_t kStartsMax = 200;

  static void crash(sim::SimWorld& world, TestLane& lane, Loss loss) {
    lane.forget();
    world.files().crash(loss);
    world.files().set_free_bytes(0);
  }
  static void prepare(sim::SimWorld& world, TestLane& lane) {
    GetParam()(world, lane);
    lane.close();
    world.files().set_free_bytes(0);
  }
  static std::size_t bytes_on_disk(sim::SimWorld& world) {
    std::size_t bytes = 0;
    for (const std::string& path : world.files().paths()) bytes += round_up_to_block(world.files().get(path)->size());
    return bytes;
  }
  static std::size_t reserve_of(sim::SimWorld& world, const TestLane& lane) {
    return world.files().get(lane.path() + '/' + kReserveName).value_or("").size();
  }
  static std::string files_of(sim::SimWorld& world) {
    std::string all;
    for (const std::string& path : world.files().paths()) {
      all += path + ": " + std::to_string(world.files().get(path)->size()) + " bytes\n";
    }
    return all;
  }
  static void expect_whole(const TestLane& lane) {
    EXPECT_EQ(lane.events(), lane.written);
    EXPECT_EQ(lane.ids(), lane.published_ids);
    EXPECT_EQ(lane.findings(Kind::Damage) + lane.findings(Kind::EpochChanged), 0u) << lane.all_findings();
  }
};

TEST_P(RecoveryFullDiskTest, comes_up_however_often_it_crashes) {
  for (std::uint64_t loss = 0; loss < sim::kLosses; ++loss) {
    sim::SimWorld world({.seed = loss + 1});
    TestLane lane(world);
    prepare(world, lane);
    const std::uint64_t epoch = lane.epoch();
    const std::size_t bytes = bytes_on_disk(world);
    for (int start = 0; start < 60; ++start) {
      SCOPED_TRACE("start " + std::to_string(start) + ", loss " + std::to_string(loss));
      ASSERT_TRUE(lane.start()) << files_of(world);
      expect_whole(lane);
      EXPECT_EQ(lane.recovered().room == Recovered::Room::Short, reserve_of(world, lane) < kReserveBytes);
      EXPECT_EQ(lane.state().identity.epoch, epoch);
      EXPECT_LE(bytes_on_disk(world), bytes);
      if (start % 5 == 2) lane.declare("again");  // there is room for control groups, too
      if (start % 7 == 3) lane.stop();
      crash(world, lane, static_cast<Loss>(loss));
    }
    world.files().set_free_bytes(1 << 20);
    ASSERT_TRUE(lane.start()) << files_of(world);
    expect_whole(lane);
  }
}

TEST_P(RecoveryFullDiskTest, comes_up_wherever_the_start_before_was_cut_off) {
  for (std::uint64_t loss = 0; loss < sim::kLosses; ++loss) {
    std::uint64_t call = 1;
    for (bool goes_on = true; goes_on; ++call) {
      SCOPED_TRACE("call " + std::to_string(call) + ", loss " + std::to_string(loss));
      ASSERT_LT(call, kStartsMax);
      sim::SimWorld world({.seed = call * 31 + loss});
      TestLane lane(world);
      prepare(world, lane);
      world.files().cut_power_at_call(call);
      static_cast<void>(lane.start());
      goes_on = !world.files().has_power();
      crash(world, lane, static_cast<Loss>(loss));
      ASSERT_TRUE(lane.start()) << files_of(world);
      expect_whole(lane);
    }
  }
}

// Of these starts nobody else takes anything: each costs at most what it has written.
TEST_P(RecoveryFullDiskTest, comes_up_after_many_starts_that_were_cut_off) {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(seed);
    sim::SimWorld world({.seed = seed});
    sim::Choices choices(seed);
    TestLane lane(world);
    prepare(world, lane);
    for (int start = 0; start < 8; ++start) {
      world.files().cut_power_at_call(1 + choices.below(80));
      static_cast<void>(lane.start());
      lane.forget();
      if (choices.one_in(2)) {
        world.files().crash(world.files().any_loss());
      } else {
        world.files().kill();
      }
    }
    ASSERT_TRUE(lane.start()) << files_of(world);
    expect_whole(lane);
  }
}

INSTANTIATE_TEST_SUITE_P(Lanes, RecoveryFullDiskTest, testing::ValuesIn(kPrepared));

constexpr std::uint64_t kAll = ~std::uint64_t{0};

TEST(RecoveryRoomTest, cuts_nothing_that_is_not_zero_and_nothing_that_cannot_be_read) {
  sim::SimWorld world({.seed = 1});
  const Directory directory(world.world().file_system, "/d");
  const std::string content = std::string(5'000, '\0') + "x" + std::string(20'000, '\0');
  world.files().put("/d/file", content);
  world.files().put("/d/full", std::string(9'000, 'x'));
  world.files().fail_kind(sim::SimFiles::Kind::ReadAt, 1, {base::Errc::System, "rotten", EIO});
  EXPECT_TRUE(give_back_zeros(directory, {"file"}, kAll).empty());
  EXPECT_EQ(world.files().get("/d/file"), content);
  const auto shortened = give_back_zeros(directory, {"file", "full", "missing"}, kAll);
  ASSERT_EQ(shortened.size(), 1u);
  EXPECT_EQ(shortened[0].bytes, 8'192u);
  EXPECT_EQ(world.files().get("/d/file"), content.substr(0, 8'192));
  EXPECT_EQ(world.files().durable("/d/file"), content.substr(0, 8'192));
  EXPECT_EQ(world.files().get("/d/full")->size(), 9'000u);
}

TEST(RecoveryRoomTest, gives_back_no_more_zeros_than_are_wanted) {
  sim::SimWorld world({.seed = 1});
  const Directory directory(world.world().file_system, "/d");
  for (const char* path : {"/d/a", "/d/b", "/d/c"}) world.files().put(path, "x" + std::string(65'535, '\0'));
  const auto shortened = give_back_zeros(directory, {"a", "b", "c"}, 61'440 + 5'000);
  ASSERT_EQ(shortened.size(), 2u);
  EXPECT_EQ(shortened[0].bytes, 4'096u);
  EXPECT_EQ(shortened[1].bytes, 65'536u - 8'192u);
}

TEST(RecoveryRoomTest, makes_a_reserve_as_large_as_there_is_room_for) {
  sim::SimWorld world({.seed = 1});
  world.files().put("/d/other", "");
  const Directory directory(world.world().file_system, "/d");
  const auto reserve = [&] { return world.files().get("/d/reserve").value_or("").size(); };
  world.files().set_free_bytes(4 << 10);
  EXPECT_TRUE(grow_reserve(directory, 128 << 10, 8 << 10));
  EXPECT_FALSE(world.files().get("/d/reserve"));
  world.files().set_free_bytes(40 << 10);
  EXPECT_TRUE(grow_reserve(directory, 128 << 10, 8 << 10));
  const std::size_t small = reserve();
  EXPECT_GE(small, 32u << 10);
  EXPECT_TRUE(grow_reserve(directory, 128 << 10, 8 << 10));
  EXPECT_EQ(reserve(), small) << "it never gets smaller";
  world.files().set_free_bytes(1 << 20);
  EXPECT_TRUE(grow_reserve(directory, 128 << 10, 8 << 10));
  EXPECT_EQ(reserve(), 128u << 10);
}

TEST(RecoveryRoomTest, a_reserve_made_of_a_file_is_zero_and_takes_no_room) {
  sim::SimWorld world({.seed = 1});
  const Directory directory(world.world().file_system, "/d");
  world.files().put("/d/file", std::string(9'000, 'x') + std::string(9'000, '\0'));
  world.files().set_free_bytes(0);
  EXPECT_TRUE(make_reserve_of(directory, "file"));
  EXPECT_EQ(world.files().paths(), std::vector<std::string>{"/d/reserve"});
  EXPECT_EQ(world.files().durable("/d/reserve"), std::string(18'000, '\0'));
}

TEST(ReserveTest, only_what_the_lane_makes_is_unfinished) {
  for (const char* name : {"reserve.tmp", "00000000000000ab.segment.tmp"}) EXPECT_TRUE(is_unfinished(name)) << name;
  for (const char* name : {"lock.tmp", "thesis.tmp", ".tmp", "reserve", "00000000000000ab.segment", "ab.segment.tmp"}) {
    EXPECT_FALSE(is_unfinished(name)) << name;
  }
}

}  // namespace
}  // namespace storage
