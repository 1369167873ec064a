// SPDX-License-Identifier: Apache-2.0
#include "storage/log/recovery.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "base/crc32c.h"
#include "storage/log/little_endian.h"
#include "tests/support/lane_directory.h"

namespace storage {
namespace {

using Kind = RecoveryFinding::Kind;

class RecoveryTest : public testing::Test {
 protected:
  std::string name_of(const std::string& path) const { return path.substr(path.rfind('/') + 1); }

  sim::SimWorld world{{.seed = 1}};
  sim::SimFiles& files = world.files();
  TestLane lane{world};
};

// --- a lane begins

TEST_F(RecoveryTest, makes_a_lane_of_a_directory_that_is_not_there) {
  lane.must_start();
  EXPECT_EQ(lane.state().next_sequence, 1u);
  EXPECT_EQ(lane.state().end(), 0u);
  EXPECT_NE(lane.state().identity.epoch, 0u);
  EXPECT_NE(lane.state().identity.deduplication_key, Identity{}.deduplication_key);
  EXPECT_EQ(lane.recovered().segments.size(), 1u);
  EXPECT_EQ(lane.recovered().previous_wall_ms, 0);
  EXPECT_TRUE(lane.findings().empty()) << lane.all_findings();
  EXPECT_EQ(files.get(lane.path() + "/lock"), encode_lock());
}

TEST_F(RecoveryTest, refuses_a_directory_whose_parent_is_missing) {
  TestLane elsewhere(world, "/nowhere/lane");
  const auto started = elsewhere.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().sys_errno, ENOENT);
}

TEST_F(RecoveryTest, refuses_a_directory_that_another_process_uses) {
  lane.must_start();
  TestLane second(world);
  const auto started = second.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().sys_errno, EWOULDBLOCK);
  lane.close();
  second.must_start();
}

TEST_F(RecoveryTest, finishes_a_lock_that_the_first_start_left_unfinished) {
  for (const std::size_t length : {0, 1, 15, 16}) {
    const std::string directory = "/data/lane" + std::to_string(length);
    files.put(directory + "/lock", encode_lock().substr(0, length));
    TestLane other(world, directory);
    other.must_start();
    EXPECT_EQ(files.durable(directory + "/lock"), encode_lock());
  }
}

TEST_F(RecoveryTest, leaves_a_lock_that_is_somebody_elses) {
  files.put(lane.path() + "/lock", "pid 4711");
  const auto started = lane.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, base::Errc::BadInput);
  EXPECT_EQ(files.get(lane.path() + "/lock"), "pid 4711");
}

TEST_F(RecoveryTest, refuses_segments_whose_lock_is_missing_or_damaged) {
  lane.must_start();
  lane.stop();
  files.flip_bit(lane.path() + "/lock", 3, 1);
  EXPECT_EQ(lane.start().error().code, base::Errc::BadInput);
  files.remove_file(lane.path() + "/lock");
  EXPECT_EQ(lane.start().error().code, base::Errc::BadInput);
  EXPECT_FALSE(files.get(lane.path() + "/lock"));
}

TEST_F(RecoveryTest, refuses_a_lane_of_a_newer_version) {
  lane.must_start();
  lane.stop();
  std::string lock("TIDELANE\2\0\0\0", 12);
  append_le(lock, base::crc32c(lock));
  files.put(lane.path() + "/lock", lock);
  EXPECT_EQ(lane.start().error().code, base::Errc::Unsupported);
}

// --- a lane goes on

TEST_F(RecoveryTest, finds_everything_after_a_clean_stop) {
  lane.must_start();
  const Identity before = lane.state().identity;
  lane.declare("likes/*");
  lane.publish(1, 3);
  lane.publish(1, 2);
  const Sequence end = lane.state().end();
  lane.stop();
  lane.must_start();
  EXPECT_EQ(lane.events(), lane.written);
  EXPECT_EQ(lane.state().identity.epoch, before.epoch);
  EXPECT_EQ(lane.state().identity.deduplication_key, before.deduplication_key);
  EXPECT_EQ(lane.state().end(), end);
  EXPECT_GE(lane.state().next_sequence, end + lane.limits.run_gap);
  EXPECT_EQ(lane.state().topics.at(0).identity, "likes/*");
  EXPECT_EQ(lane.state().topics.at(0).next_offset, 5);
  EXPECT_EQ(lane.findings(Kind::TornTail) + lane.findings(Kind::Damage) + lane.findings(Kind::EpochChanged), 0u)
      << lane.all_findings();
}

TEST_F(RecoveryTest, goes_on_in_the_same_way_after_many_starts) {
  lane.must_start();
  lane.declare("likes/*");
  const std::uint64_t epoch = lane.state().identity.epoch;
  for (int i = 0; i < 20; ++i) {
    lane.publish(1, 2);
    if (i % 3 == 0) lane.rotate(i % 2 == 0 ? TestLane::Footer::Yes : TestLane::Footer::No);
    if (i % 2 == 0) lane.stop();
    lane.must_start();
    ASSERT_EQ(lane.events(), lane.written) << i;
  }
  EXPECT_EQ(lane.state().identity.epoch, epoch);
  EXPECT_EQ(lane.state().topics.at(0).next_offset, 40);
  EXPECT_EQ(lane.state().runs.size(), 20u + 1u);
}

TEST_F(RecoveryTest, keeps_no_file_of_a_start_without_events) {
  lane.must_start();
  for (int i = 0; i < 5; ++i) {
    lane.stop();
    lane.must_start();
    EXPECT_EQ(lane.names(), std::vector<std::string>{name_of(lane.newest_path())});
  }
  EXPECT_EQ(lane.state().runs.size(), 1u);
}

// A number that a crashed start may have given out before it could say so is not given out again.
TEST_F(RecoveryTest, begins_every_run_above_the_one_before_even_if_that_was_empty) {
  lane.must_start();
  Sequence before = lane.state().next_sequence;
  for (int i = 0; i < 3; ++i) {
    lane.must_start();
    EXPECT_GE(lane.state().next_sequence, before + lane.limits.run_gap - 1);
    EXPECT_EQ(lane.state().end(), 0u);
    before = lane.state().next_sequence;
  }
}

// The disk has lied: what was written behind the lane state is not there, and somebody may have seen it.
TEST_F(RecoveryTest, begins_a_run_above_one_of_which_only_a_file_is_left) {
  lane.must_start();
  lane.declare("a");
  lane.publish(1, 1);
  lane.stop();
  Sequence seen = 1;
  for (int i = 0; i < 4; ++i) {
    lane.must_start();
    EXPECT_GT(lane.state().next_sequence, seen);
    lane.publish(1, 5);
    seen = lane.written.rbegin()->first;
    const OpenSegment& newest = lane.recovered().segments.back();
    const std::string path = newest.path;
    const SegmentHeader header = newest.header;
    lane.close();
    const auto state = parse_group(base::Bytes(*files.get(path)).substr(kFirstGroupAt), header.seed());
    files.truncate_file(path, kFirstGroupAt + (i % 2 == 0 ? state->bytes() : 0));
  }
  lane.must_start();
  EXPECT_GT(lane.state().next_sequence, seen);
}

TEST_F(RecoveryTest, copies_the_group_that_no_later_one_proves) {
  lane.must_start();
  lane.declare("a");
  lane.publish(1, 1);
  const std::string first_path = lane.newest_path();
  lane.publish(1, 2);  // not proven
  lane.must_start();
  EXPECT_EQ(lane.events(), lane.written);
  ASSERT_EQ(lane.recovered().segments.size(), 2u);
  const OpenSegment& copy = lane.recovered().segments[1];
  EXPECT_EQ(copy.header.kind, SegmentKind::Recovery);
  EXPECT_EQ(copy.header.copies, 1u);
  EXPECT_EQ(copy.index.first_sequence(), 2u);
  EXPECT_EQ(copy.index.last_sequence(), 3u);
  EXPECT_EQ(lane.recovered().segments[0].end.last_sequence, 1u);
  EXPECT_EQ(lane.recovered().segments[0].path, first_path);
  EXPECT_EQ(lane.state().topics.at(0).next_offset, 3);
}

TEST_F(RecoveryTest, removes_what_does_not_count_any_more) {
  lane.must_start();
  lane.declare("a");
  lane.stop();
  files.put(lane.path() + "/000000000000000b.segment.tmp", "half");
  files.put(lane.path() + "/reserve.tmp", "half");
  lane.must_start();
  EXPECT_EQ(lane.names(), std::vector<std::string>{"000000000000000c.segment"});
  EXPECT_EQ(lane.findings(Kind::Removed), 2u) << lane.all_findings();
}

TEST_F(RecoveryTest, counts_a_file_that_cannot_be_removed_as_no_failure) {
  lane.must_start();
  lane.stop();
  files.fail_kind(sim::SimFiles::Kind::Remove, 1, {base::Errc::System, "no", EPERM});
  lane.must_start();
  EXPECT_EQ(lane.findings(Kind::Info), 1u) << lane.all_findings();
  EXPECT_EQ(lane.names().size(), 2u);
  lane.must_start();
  EXPECT_EQ(lane.names().size(), 1u);
}

TEST_F(RecoveryTest, numbers_new_segments_above_every_file_that_is_there) {
  files.put(lane.path() + "/00000000000000ff.segment.damaged", "");
  lane.must_start();
  EXPECT_EQ(name_of(lane.newest_path()), "0000000000000100.segment");
}

// --- what one commit says is gone

// The manifest in a copied group was written before its own segment had a successor.
TEST_F(RecoveryTest, keeps_the_segment_in_which_an_unproven_manifest_was_written) {
  lane.must_start();
  lane.declare("a");
  lane.publish(1, 1);
  lane.rotate();
  lane.publish(1, 1);
  lane.publish(1, 1);
  lane.control(RecordKind::Segments, encode_manifest({}));  // not proven
  for (int i = 0; i < 3; ++i) {
    lane.must_start();
    EXPECT_EQ(lane.events(), TestLane::without(lane.written, 1, 1));
    EXPECT_EQ(lane.findings(Kind::Damage), 0u) << lane.all_findings();
  }
}

TEST_F(RecoveryTest, does_not_miss_a_file_that_the_newest_group_says_is_gone) {
  lane.must_start();
  lane.declare("a");
  lane.publish(1, 1);
  const std::string gone = lane.newest_path();
  lane.rotate();
  lane.publish(1, 1);
  lane.control(RecordKind::Segments, encode_manifest({}));
  files.remove_file(gone);
  lane.must_start();
  EXPECT_EQ(lane.events(), TestLane::without(lane.written, 1, 1));
  EXPECT_TRUE(lane.state().damage.empty()) << lane.all_findings();
}

TEST_F(RecoveryTest, believes_a_manifest_more_than_a_file) {
  lane.must_start();
  lane.declare("a");
  lane.publish(1, 1);
  const std::string gone = lane.newest_path();
  lane.rotate();
  lane.publish(1, 1);
  lane.control(RecordKind::Segments, encode_manifest({}));
  lane.must_start();  // the crash came before the removal
  EXPECT_EQ(lane.events(), TestLane::without(lane.written, 1, 1));
  EXPECT_FALSE(files.get(gone));
}

// --- identity

TEST_F(RecoveryTest, changes_the_epoch_in_a_copied_directory_and_only_once) {
  lane.must_start();
  lane.declare("a");
  lane.publish(1, 2);
  const std::uint64_t original = lane.state().identity.epoch;
  lane.close();
  files.copy_directory(kTestDirectory, "/data/copy");
  TestLane copy(world, "/data/copy");
  copy.must_start();
  const std::uint64_t epoch = copy.state().identity.epoch;
  EXPECT_NE(epoch, original);
  EXPECT_EQ(copy.findings(Kind::EpochChanged), 1u) << copy.all_findings();
  EXPECT_EQ(copy.events(), lane.written);
  copy.must_start();
  EXPECT_EQ(copy.state().identity.epoch, epoch);
  EXPECT_EQ(copy.findings(Kind::EpochChanged), 0u) << copy.all_findings();
  lane.must_start();
  EXPECT_EQ(lane.state().identity.epoch, original);
}

// --- repeats and time

TEST_F(RecoveryTest, restores_the_ids_of_the_window_in_log_order) {
  lane.limits.repeat_window_ns = 100'000;
  lane.must_start();
  lane.declare("a");
  lane.lane_time_ns = 1'000;
  lane.publish(1, 1, {11});  // too old
  lane.lane_time_ns = 50'000;
  lane.publish(1, 2, {12, 13});
  lane.rotate(TestLane::Footer::Yes);
  lane.lane_time_ns = 60'000;
  lane.publish(1, 1, {14});
  lane.rotate(TestLane::Footer::No);
  lane.lane_time_ns = 140'000;
  lane.publish(1, 2, {15});
  lane.publish(1, 1, {16});  // not proven
  lane.must_start();
  const auto ids = [&] {
    std::vector<std::pair<std::uint64_t, Sequence>> found;
    for (const RestoredRepeat& each : lane.recovered().repeats) found.emplace_back(each.content, each.sequence);
    return found;
  };
  using Ids = std::vector<std::pair<std::uint64_t, Sequence>>;
  EXPECT_EQ(ids(), (Ids{{12, 2}, {13, 3}, {14, 4}, {15, 5}, {16, 7}}));
  EXPECT_EQ(lane.recovered().repeats.at(0).lane_time_ns, 50'000u);
  lane.limits.repeat_entries_max = 3;
  lane.must_start();
  EXPECT_EQ(ids(), (Ids{{14, 4}, {15, 5}, {16, 7}}));
  lane.limits.repeat_entries_max = 0;
  lane.must_start();
  EXPECT_TRUE(lane.recovered().repeats.empty());
}

TEST_F(RecoveryTest, forgets_ids_that_grew_old_while_nothing_ran) {
  lane.must_start();
  lane.declare("a");
  lane.publish(1, 1, {11});
  lane.close();
  world.step_wall_clock(static_cast<std::int64_t>(lane.limits.repeat_window_ns / 1'000'000) + 1'000);
  lane.must_start();
  EXPECT_TRUE(lane.recovered().repeats.empty());
}

TEST_F(RecoveryTest, says_when_the_lane_lived_last) {
  lane.must_start();
  lane.declare("a");
  lane.lane_time_ns = 77'000;
  lane.publish(1, 1);
  const std::int64_t lived_ms = world.world().clock.wall_ms();
  world.step_wall_clock(1'800'000);
  lane.must_start();
  EXPECT_EQ(lane.recovered().previous_wall_ms, lived_ms);
  EXPECT_EQ(lane.recovered().last_commit.lane_time_ns, 77'000u);
  EXPECT_EQ(lane.state().lane_time_ns, 77'000u);
}

// --- no room

TEST_F(RecoveryTest, starts_on_a_full_disk_in_the_reserve) {
  lane.must_start();
  lane.declare("a");
  lane.publish(1, 2);
  lane.close();
  files.put(lane.path() + "/reserve", std::string(1 << 16, '\0'));
  files.set_free_bytes(0);
  lane.must_start();
  EXPECT_EQ(lane.events(), lane.written);
  EXPECT_EQ(lane.recovered().segments.back().file_bytes, 1u << 16) << "the reserve has become the new segment";
  EXPECT_EQ(lane.recovered().room, Recovered::Room::Short);
  EXPECT_EQ(lane.findings(Kind::Info), 1u) << lane.all_findings();
}

TEST_F(RecoveryTest, says_that_the_disk_is_full_and_changes_nothing) {
  lane.must_start();
  lane.declare("a");
  lane.publish(1, 2);
  lane.close();
  const std::vector<std::string> before = files.paths();
  files.set_free_bytes(0, EDQUOT);
  const auto started = lane.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().sys_errno, EDQUOT);
  EXPECT_EQ(files.paths(), before);
  files.set_free_bytes(1 << 20);
  lane.must_start();
  EXPECT_EQ(lane.events(), lane.written);
}

// Room runs out at each of the calls: with the reserve every start succeeds.
TEST_F(RecoveryTest, gives_up_the_reserve_wherever_the_disk_is_full) {
  lane.must_start();
  lane.declare("a");
  lane.publish(1, 2);
  lane.close();
  for (const auto kind : {sim::SimFiles::Kind::WriteAt, sim::SimFiles::Kind::Sync}) {
    for (std::uint64_t call = 1; call <= 2; ++call) {
      files.put(lane.path() + "/reserve", std::string(1 << 16, '\0'));
      files.fail_kind(kind, call, {base::Errc::System, "full", ENOSPC});
      lane.must_start();
      EXPECT_EQ(lane.events(), lane.written);
      EXPECT_EQ(lane.findings(Kind::Info), 1u) << lane.all_findings();
    }
  }
}

}  // namespace
}  // namespace storage
