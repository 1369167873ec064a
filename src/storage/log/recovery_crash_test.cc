// SPDX-License-Identifier: Apache-2.0
// Recovery that is cut off anywhere, any number of times, and what a torn write leaves behind.
#include <gtest/gtest.h>

#include <cerrno>

#include "tests/support/lane_directory.h"

namespace storage {
namespace {

using Kind = RecoveryFinding::Kind;
using sim::Loss;

// What a lane looks like when it is opened.
using Prepare = void (*)(TestLane&);

void never_opened(TestLane&) {}
void opened_once(TestLane& lane) { lane.must_start(); }
void stopped_cleanly(TestLane& lane) {
  lane.must_start();
  lane.declare("a");
  lane.publish(1, 2, {5});
  lane.stop();
}
void killed(TestLane& lane) {
  lane.must_start();
  lane.declare("a");
  lane.publish(1, 2, {5});
  lane.rotate();
  lane.publish(1, 1);
  lane.publish(1, 3, {6, 7});
}
void killed_behind_a_new_segment(TestLane& lane) {
  killed(lane);
  lane.rotate(TestLane::Footer::Yes);
}
void killed_behind_a_manifest(TestLane& lane) {
  killed(lane);
  lane.control(RecordKind::Segments, encode_manifest({}));
  lane.written.erase(1);
  lane.written.erase(2);
  lane.published_ids = {6, 7};
}

constexpr Prepare kPrepared[] = {
    never_opened, opened_once, stopped_cleanly, killed, killed_behind_a_new_segment, killed_behind_a_manifest};

class RecoveryCrashTest : public testing::TestWithParam<Prepare> {
 protected:
  static constexpr std::uint64_t kStartsMax = 200;

  // A start that loses power at the call, if it comes that far.
  static bool loses_power(sim::SimWorld& world, TestLane& lane, std::uint64_t call) {
    world.files().cut_power_at_call(call);
    static_cast<void>(lane.start());
    return !world.files().has_power();
  }
  static void crash(sim::SimWorld& world, TestLane& lane, Loss loss) {
    lane.forget();
    world.files().crash(loss);
  }
};

TEST_P(RecoveryCrashTest, finds_the_same_wherever_the_start_before_was_cut_off) {
  for (std::uint64_t loss = 0; loss < sim::kLosses; ++loss) {
    std::uint64_t call = 1;
    for (bool goes_on = true; goes_on; ++call) {
      SCOPED_TRACE("call " + std::to_string(call) + ", loss " + std::to_string(loss));
      ASSERT_LT(call, kStartsMax);
      sim::SimWorld world({.seed = call * 31 + loss});
      TestLane lane(world);
      GetParam()(lane);
      const std::uint64_t epoch = lane.epoch();
      lane.close();
      goes_on = loses_power(world, lane, call);
      crash(world, lane, static_cast<Loss>(loss));
      lane.must_start();
      EXPECT_EQ(lane.events(), lane.written);
      EXPECT_EQ(lane.findings(Kind::Damage), 0u) << lane.all_findings();
      EXPECT_EQ(lane.findings(Kind::EpochChanged), 0u) << lane.all_findings();
      if (epoch != 0) {
        EXPECT_EQ(lane.state().identity.epoch, epoch);
      }
      EXPECT_EQ(lane.ids(), lane.published_ids);
    }
  }
}

TEST_P(RecoveryCrashTest, finds_the_same_after_many_starts_that_were_cut_off) {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(seed);
    sim::SimWorld world({.seed = seed});
    sim::Choices choices(seed);
    TestLane lane(world);
    GetParam()(lane);
    const std::uint64_t epoch = lane.epoch();
    lane.close();
    for (int starts = 0; starts < 6; ++starts) {
      loses_power(world, lane, 1 + choices.below(60));
      crash(world, lane, world.files().any_loss());
    }
    lane.must_start();
    EXPECT_EQ(lane.events(), lane.written);
    EXPECT_EQ(lane.findings(Kind::Damage) + lane.findings(Kind::EpochChanged), 0u) << lane.all_findings();
    if (epoch != 0) {
      EXPECT_EQ(lane.state().identity.epoch, epoch);
    }
    if (!lane.written.empty()) {
      EXPECT_GT(lane.state().next_sequence, lane.written.rbegin()->first);
    }
    lane.must_start();
    EXPECT_EQ(lane.events(), lane.written);
    EXPECT_LE(lane.names().size(), 4u);
  }
}

// Any operation fails once, for whatever reason: the start fails or succeeds, and the next one finds the same.
TEST_P(RecoveryCrashTest, finds_the_same_after_a_start_that_failed) {
  for (const int error : {EIO, ENOSPC, EACCES, EMFILE}) {
    for (std::uint64_t call = 1; call < kStartsMax; ++call) {
      SCOPED_TRACE("call " + std::to_string(call) + ", errno " + std::to_string(error));
      sim::SimWorld world({.seed = call});
      TestLane lane(world);
      GetParam()(lane);
      lane.close();
      const std::uint64_t before = world.files().calls();
      world.files().fail_call(call, {base::Errc::System, "a failure made by the test", error});
      const bool started = lane.start().has_value();
      if (world.files().calls() < before + call) break;  // it never came to that call
      EXPECT_EQ(lane.open_handles(), started ? lane.recovered().segments.size() + 1 : 0u);
      if (started) {
        EXPECT_EQ(lane.events(), lane.written) << lane.all_findings();
      }
      crash(world, lane, Loss::KeepsNothing);
      lane.must_start();
      EXPECT_EQ(lane.events(), lane.written) << lane.all_findings();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Lanes, RecoveryCrashTest, testing::ValuesIn(kPrepared));

// --- torn writes

// The newest group is cut at every length, with nothing or with zeros behind it.
TEST(RecoveryTornTest, leaves_out_a_group_that_was_not_written_whole) {
  const auto prepare = [](TestLane& lane) {
    lane.must_start();
    lane.declare("a");
    lane.publish(1, 2);
    lane.publish(1, 2);
    lane.close();
  };
  sim::SimWorld measured({.seed = 1});
  TestLane whole(measured);
  prepare(whole);
  const WrittenGroup last = whole.groups.back();
  for (std::uint64_t length = 0; length <= last.bytes; ++length) {
    for (const bool has_zeros : {false, true}) {
      SCOPED_TRACE(std::to_string(length) + (has_zeros ? " and zeros" : ""));
      sim::SimWorld world({.seed = 1});
      TestLane lane(world);
      prepare(lane);
      std::string file = *world.files().get(last.path);
      file.resize(last.offset + length);
      const bool is_torn = file.find_first_not_of('\0', last.offset) != std::string::npos;
      if (has_zeros) file.resize(last.offset + 100'000);
      world.files().put(last.path, file);
      lane.must_start();
      const bool is_whole = length == last.bytes;
      EXPECT_EQ(lane.events(), is_whole ? lane.written : TestLane::without(lane.written, 3, 4));
      EXPECT_EQ(lane.findings(Kind::TornTail), is_torn && !is_whole ? 1u : 0u) << lane.all_findings();
      EXPECT_EQ(lane.findings(Kind::Damage) + lane.findings(Kind::EpochChanged), 0u) << lane.all_findings();
      EXPECT_TRUE(lane.state().damage.empty());
      EXPECT_GT(lane.state().next_sequence, 4u);
    }
  }
}

// Pages of one write reach the disk in any order: the beginning may be missing and the commit there.
TEST(RecoveryTornTest, leaves_out_a_group_of_which_any_page_is_missing) {
  for (std::uint64_t page = 0; page < 6; ++page) {
    sim::SimWorld world({.seed = 1});
    TestLane lane(world);
    lane.must_start();
    lane.declare("a");
    lane.publish(1, 1);
    lane.publish(1, 2, {}, 10'000);
    const WrittenGroup last = lane.groups.back();
    lane.close();
    const std::uint64_t begin = std::max(last.offset, (last.offset / 4096 + page) * 4096);
    const std::uint64_t end = std::min(last.offset + last.bytes, (last.offset / 4096 + page + 1) * 4096);
    if (begin >= end) continue;
    world.files().zero_range(last.path, begin, end - begin);
    lane.must_start();
    EXPECT_EQ(lane.events(), TestLane::without(lane.written, 2, 3)) << page;
    EXPECT_EQ(lane.findings(Kind::TornTail), 1u) << lane.all_findings();
    EXPECT_TRUE(lane.state().damage.empty());
  }
}

// What stands behind a torn group was never written by this log, whatever it looks like.
TEST(RecoveryTornTest, takes_no_group_of_another_segment_for_its_own) {
  sim::SimWorld world({.seed = 1});
  TestLane lane(world);
  lane.must_start();
  lane.declare("a");
  lane.publish(1, 1);
  const std::string older = *world.files().get(lane.newest_path());
  lane.rotate();
  lane.publish(1, 1);
  const std::string path = lane.newest_path();
  lane.close();
  world.files().put(path, *world.files().get(path) + older.substr(kFirstGroupAt));
  lane.must_start();
  EXPECT_EQ(lane.events(), lane.written);
  EXPECT_EQ(lane.findings(Kind::TornTail), 1u) << lane.all_findings();
}

}  // namespace
}  // namespace storage
