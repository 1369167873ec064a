// SPDX-License-Identifier: Apache-2.0
// Recovery of what was damaged: bits that rot, sectors that cannot be read, files that are gone.
#include <gtest/gtest.h>

#include <cerrno>

#include "base/crc32c.h"
#include "storage/log/little_endian.h"
#include "tests/support/lane_directory.h"

namespace storage {
namespace {

using Kind = RecoveryFinding::Kind;

// A lane of three segments, the middle one with a footer; the newest group is an empty one, so every event is proven.
struct SmallLane {
  SmallLane() {
    lane.must_start();
    lane.declare("a");
    lane.publish(1, 2);
    lane.publish(1, 1);
    lane.rotate();
    paths.push_back(lane.recovered().segments.front().path);
    lane.declare("b");
    lane.publish(2, 3);
    lane.publish(1, 1);
    lane.rotate(TestLane::Footer::Yes);
    paths.push_back(lane.recovered().segments.at(1).path);
    lane.publish(1, 2);
    lane.publish(2, 1);
    lane.declare("c");
    lane.publish(3, 2);
    lane.commit({});
    paths.push_back(lane.newest_path());
    epoch = lane.state().identity.epoch;
    lane.close();
  }

  // The group that holds this byte of the file; none: the header or the lane state.
  const WrittenGroup* group_at(const std::string& path, std::uint64_t byte) const {
    for (const WrittenGroup& group : lane.groups) {
      if (group.path == path && byte >= group.offset && byte < group.offset + group.bytes) return &group;
    }
    return nullptr;
  }
  // Zeros behind a record that fill it up: no checksum covers them, and nobody reads them.
  bool is_padding(const WrittenGroup& group, std::uint64_t byte) const {
    const std::string file = *files.get(group.path);
    std::uint64_t end = group.offset;
    while (end <= byte) {
      const char* record = file.data() + end;
      end += load_le<std::uint32_t>(record + 4);
      if (byte < end) return byte >= end - static_cast<unsigned char>(record[9]);
    }
    return false;
  }
  static DamagedRange range_of(const WrittenGroup& group) {
    return {group.commit.first_sequence, group.commit.last_sequence};
  }
  const WrittenGroup* group_with(Sequence sequence) const {
    for (const WrittenGroup& group : lane.groups) {
      if (group.commit.first_sequence <= sequence && sequence <= group.commit.last_sequence) return &group;
    }
    return nullptr;
  }
  const WrittenGroup* group_before(const WrittenGroup& group) const { return &group - 1; }
  // What is missing is exactly what recovery says is damaged.
  void expect_the_rest() {
    Events expected = lane.written;
    for (const DamagedRange& range : lane.state().damage) {
      EXPECT_TRUE(expected.contains(range.first));
      expected = TestLane::without(std::move(expected), range.first, range.last);
    }
    EXPECT_EQ(lane.events(), expected) << lane.all_findings();
  }

  sim::SimWorld world{{.seed = 1}};
  sim::SimFiles& files = world.files();
  TestLane lane{world};
  std::vector<std::string> paths;
  std::uint64_t epoch = 0;
};

using Ranges = std::vector<DamagedRange>;

// One bit, somewhere in the groups of the newest segment, in its lane state, or in one of its headers.
void rot_in_newest(std::uint64_t byte) {
  SCOPED_TRACE(byte);
  SmallLane small;
  TestLane& lane = small.lane;
  const WrittenGroup* group = small.group_at(small.paths[2], byte);
  if (group && small.is_padding(*group, byte)) return;
  small.files.flip_bit(small.paths[2], byte, byte % 8);
  lane.must_start();
  const bool in_state = !group && byte >= kFirstGroupAt;
  const bool in_last = group && group->commit.number == lane.groups.back().commit.number;
  const bool has_events = group && group->commit.first_sequence > 0;
  // Only if the last commit of an event itself is damaged, nothing says how many there were.
  const bool is_bounded = !has_events || group->commit.last_sequence != lane.written.rbegin()->first ||
                          byte < group->offset + group->bytes - kCommitBytes;
  const Ranges damage = lane.state().damage;
  if (is_bounded) {
    EXPECT_EQ(damage, has_events ? Ranges{small.range_of(*group)} : Ranges{}) << lane.all_findings();
  }
  EXPECT_EQ(lane.findings(Kind::Damage), in_state || (group && !in_last) ? 1u : 0u) << lane.all_findings();
  EXPECT_EQ(lane.findings(Kind::TornTail), in_last ? 1u : 0u);
  EXPECT_EQ(lane.state().identity.epoch != small.epoch, in_state);
  small.expect_the_rest();
  const std::uint64_t epoch = lane.state().identity.epoch;
  lane.must_start();
  EXPECT_EQ(lane.state().damage, damage);
  EXPECT_EQ(lane.findings(Kind::Damage), 0u) << lane.all_findings();
  EXPECT_EQ(lane.state().identity.epoch, epoch);
  small.expect_the_rest();
}

TEST(RecoveryDamageTest, loses_no_more_than_the_group_of_a_bit_that_rots_in_the_newest_segment) {
  const std::uint64_t end = SmallLane().lane.groups.back().offset + kCommitBytes;
  for (std::uint64_t byte = kFirstGroupAt; byte < end; byte += 5) rot_in_newest(byte);
}

TEST(RecoveryDamageTest, needs_one_of_the_two_headers_of_the_newest_segment) {
  for (std::uint64_t byte = 0; byte < kSegmentHeaderBytes; byte += 5) {
    rot_in_newest(byte);
    rot_in_newest(kSegmentHeaderCopyAt + byte);
  }
}

TEST(RecoveryDamageTest, loses_no_more_than_the_group_of_a_bit_that_rots_in_a_segment_without_footer) {
  SmallLane measured;
  const std::uint64_t end = measured.files.get(measured.paths[0])->size();
  for (std::uint64_t byte = kFirstGroupAt; byte < end; byte += 3) {
    SCOPED_TRACE(byte);
    SmallLane small;
    TestLane& lane = small.lane;
    const WrittenGroup* group = small.group_at(small.paths[0], byte);
    if (group && small.is_padding(*group, byte)) continue;
    small.files.flip_bit(small.paths[0], byte, byte % 8);
    lane.must_start();
    const bool has_events = group && group->commit.first_sequence > 0;
    EXPECT_EQ(lane.state().damage, has_events ? Ranges{small.range_of(*group)} : Ranges{});
    small.expect_the_rest();
    EXPECT_EQ(lane.state().identity.epoch, small.epoch);
    lane.must_start();
    EXPECT_TRUE(lane.recovered().segments.front().footer == OpenSegment::Footer::Missing);
    small.expect_the_rest();
  }
}

TEST(RecoveryDamageTest, scans_a_segment_whose_footer_is_damaged) {
  SmallLane measured;
  const std::uint64_t size = measured.files.get(measured.paths[1])->size();
  for (std::uint64_t byte = size - 1; byte > size - 900; byte -= 7) {
    SmallLane small;
    small.files.flip_bit(small.paths[1], byte, byte % 8);
    small.lane.must_start();
    EXPECT_TRUE(small.lane.state().damage.empty());
    small.expect_the_rest();
  }
}

TEST(RecoveryDamageTest, trusts_a_whole_footer_without_a_scan) {
  SmallLane small;
  small.files.flip_bit(small.paths[1], small.lane.groups[4].offset + 60, 1);
  small.lane.must_start();
  EXPECT_TRUE(small.lane.state().damage.empty());
  EXPECT_EQ(small.lane.recovered().segments.at(1).footer, OpenSegment::Footer::Whole);
}

TEST(RecoveryDamageTest, reports_all_events_of_a_sealed_segment_that_is_gone) {
  SmallLane small;
  small.files.remove_file(small.paths[1]);
  small.lane.must_start();
  EXPECT_EQ(small.lane.state().damage, (Ranges{{4, 7}}));
  EXPECT_EQ(small.lane.findings(Kind::Damage), 1u) << small.lane.all_findings();
  EXPECT_EQ(small.lane.state().identity.epoch, small.epoch);
  small.expect_the_rest();
  small.lane.must_start();
  EXPECT_EQ(small.lane.findings(Kind::Damage), 0u) << small.lane.all_findings();
  small.expect_the_rest();
}

TEST(RecoveryDamageTest, reads_a_sealed_segment_without_any_header_by_what_the_manifest_knows) {
  for (const std::size_t segment : {0u, 1u}) {
    SmallLane small;
    small.files.zero_range(small.paths[segment], 0, kFirstGroupAt);
    small.lane.must_start();
    EXPECT_TRUE(small.lane.state().damage.empty()) << small.lane.all_findings();
    EXPECT_EQ(small.lane.findings(Kind::Damage), 1u) << small.lane.all_findings();
    small.expect_the_rest();
    small.lane.must_start();
    small.expect_the_rest();
  }
}

TEST(RecoveryDamageTest, puts_aside_what_cannot_be_read_at_all) {
  SmallLane small;
  small.files.zero_range(small.paths[0], 0, 1 << 20);
  small.lane.must_start();
  EXPECT_EQ(small.lane.state().damage, (Ranges{{1, 3}}));
  EXPECT_TRUE(small.files.get(small.paths[0] + ".damaged"));
  small.expect_the_rest();
  small.lane.must_start();
  EXPECT_TRUE(small.files.get(small.paths[0] + ".damaged"));
  small.expect_the_rest();
}

TEST(RecoveryDamageTest, finds_nothing_in_two_segments_that_changed_places) {
  SmallLane small;
  small.files.swap_contents(small.paths[0], small.paths[1]);
  small.lane.must_start();
  EXPECT_EQ(small.lane.state().damage, (Ranges{{1, 7}}));
  small.expect_the_rest();
}

TEST(RecoveryDamageTest, reads_what_is_left_of_a_sealed_segment_that_ends_early) {
  SmallLane small;
  const std::uint64_t end = small.lane.groups[2].offset;
  for (const std::uint64_t size : {end + 50, end}) {
    SmallLane each;
    each.files.truncate_file(each.paths[0], size);
    each.lane.must_start();
    EXPECT_EQ(each.lane.state().damage, (Ranges{{3, 3}}));
    each.expect_the_rest();
  }
}

// --- the newest segment

TEST(RecoveryDamageTest, changes_the_epoch_if_the_newest_header_cannot_be_read) {
  SmallLane small;
  TestLane& lane = small.lane;
  small.files.zero_range(small.paths[2], 0, kFirstGroupAt);
  lane.must_start();
  EXPECT_NE(lane.state().identity.epoch, small.epoch);
  EXPECT_EQ(lane.findings(Kind::EpochChanged), 1u) << lane.all_findings();
  EXPECT_EQ(lane.findings(Kind::TornTail), 0u) << lane.all_findings();
  EXPECT_EQ(lane.events(), TestLane::without(lane.written, 8, ~Sequence{0}));
  EXPECT_TRUE(small.files.get(small.paths[2] + ".damaged"));
  EXPECT_GT(lane.recovered().segments.back().header.number, 3u);
  const std::uint64_t epoch = lane.state().identity.epoch;
  lane.must_start();
  EXPECT_EQ(lane.state().identity.epoch, epoch);
  EXPECT_EQ(lane.events(), TestLane::without(lane.written, 8, ~Sequence{0}));
}

// If the start that sees the damage is cut off, the next one must not go on under the old epoch.
TEST(RecoveryDamageTest, changes_the_epoch_wherever_the_start_that_sees_the_damage_is_cut_off) {
  for (std::uint64_t call = 1;; ++call) {
    SmallLane small;
    small.files.zero_range(small.paths[2], 0, kFirstGroupAt);
    small.files.cut_power_at_call(call);
    const bool started = small.lane.start().has_value();
    if (small.files.has_power()) break;
    if (started) small.lane.forget();
    small.files.crash(sim::Loss::KeepsEverything);
    small.lane.must_start();
    EXPECT_NE(small.lane.state().identity.epoch, small.epoch);
    EXPECT_TRUE(small.files.get(small.paths[2] + ".damaged"));
    EXPECT_EQ(small.lane.events(), TestLane::without(small.lane.written, 8, ~Sequence{0}));
  }
}

TEST(RecoveryDamageTest, rebuilds_the_newest_lane_state_from_the_segments_before_it) {
  SmallLane small;
  TestLane& lane = small.lane;
  small.files.zero_range(small.paths[2], kFirstGroupAt, 100);
  lane.must_start();
  EXPECT_NE(lane.state().identity.epoch, small.epoch);
  EXPECT_EQ(lane.events(), lane.written);
  ASSERT_EQ(lane.state().topics.size(), 3u);
  EXPECT_EQ(lane.state().topics[1].identity, "b");
  EXPECT_EQ(lane.state().topics[1].next_offset, 4);
  EXPECT_EQ(lane.state().topics[2].next_offset, 2);
  EXPECT_TRUE(lane.state().damage.empty()) << lane.all_findings();
}

TEST(RecoveryDamageTest, bounds_damage_at_the_end_of_a_segment_by_what_the_next_one_begins_with) {
  SmallLane small;
  TestLane& lane = small.lane;
  const WrittenGroup& last = *small.group_with(7);
  small.files.zero_range(small.paths[1], last.offset, last.bytes);
  small.files.zero_range(small.paths[2], kFirstGroupAt, 100);
  lane.must_start();
  EXPECT_EQ(lane.state().damage, (Ranges{{7, 7}})) << lane.all_findings();
  EXPECT_EQ(lane.events(), TestLane::without(lane.written, 7, 7));
}

TEST(RecoveryDamageTest, rebuilds_the_lane_state_over_segments_that_lack_theirs) {
  SmallLane small;
  TestLane& lane = small.lane;
  for (const std::string& path : small.paths) small.files.zero_range(path, kFirstGroupAt, 100);
  lane.must_start();
  EXPECT_EQ(lane.events(), lane.written);
  EXPECT_EQ(lane.state().topics.at(0).identity, "a");
  EXPECT_EQ(lane.state().topics.at(2).identity, "c");
}

TEST(RecoveryDamageTest, refuses_a_directory_of_which_nothing_can_be_read) {
  SmallLane small;
  for (const std::string& path : small.paths) small.files.zero_range(path, 0, kFirstGroupAt);
  const auto started = small.lane.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, base::Errc::BadInput);
  for (const std::string& path : small.paths) EXPECT_TRUE(small.files.get(path));
}

TEST(RecoveryDamageTest, refuses_segments_of_a_newer_version) {
  SmallLane small;
  SegmentHeader header;
  header.number = 4;
  std::string start = encode_segment_start(header);
  for (const std::size_t at : {std::size_t{0}, kSegmentHeaderCopyAt}) {
    start[at + 8] = 2;
    store_le<std::uint32_t>(start.data() + at + 12, 0);
    store_le<std::uint32_t>(start.data() + at + 12, base::crc32c(start.substr(at, kSegmentHeaderBytes)));
  }
  small.files.put(small.lane.path() + '/' + segment_name(4), start);
  EXPECT_EQ(small.lane.start().error().code, base::Errc::Unsupported);
}

// --- several groups at once

TEST(RecoveryDamageTest, bounds_damage_by_the_events_around_it) {
  SmallLane small;
  TestLane& lane = small.lane;
  // Both groups with events up to "declare c", commits and all.
  const WrittenGroup& first = *small.group_with(8);
  const WrittenGroup& second = *small.group_with(10);
  small.files.zero_range(small.paths[2], first.offset, second.offset + second.bytes - first.offset);
  lane.must_start();
  EXPECT_EQ(lane.state().damage, (Ranges{{8, 10}}));
  small.expect_the_rest();
}

TEST(RecoveryDamageTest, takes_nothing_between_two_runs_for_damage) {
  sim::SimWorld world{{.seed = 1}};
  TestLane lane(world);
  lane.must_start();
  lane.declare("a");
  lane.publish(1, 3);
  lane.publish(1, 2);  // 4 and 5, which the next start copies
  lane.must_start();
  const Sequence run = lane.state().next_sequence;
  const std::string path = lane.newest_path();
  const std::uint64_t copy_at = lane.recovered().segments.back().index.extents().front().offset;
  lane.publish(1, 2);
  const WrittenGroup lost = lane.groups.back();
  lane.publish(1, 1);
  lane.rotate();
  lane.publish(1, 1);
  lane.commit({});
  lane.close();
  world.files().zero_range(path, copy_at, lost.offset + lost.bytes - copy_at);
  lane.must_start();
  EXPECT_EQ(lane.state().damage, (Ranges{{4, 5}, {run, run + 1}})) << lane.all_findings();
  EXPECT_EQ(lane.findings(Kind::Damage), 2u) << lane.all_findings();
  EXPECT_EQ(lane.events(), TestLane::without(TestLane::without(lane.written, 4, 5), run, run + 1));
}

// Nobody knows where the run began, and somebody may have seen its events: all that may have been one is damage, and a
// position in there is not ahead.
TEST(RecoveryDamageTest, says_of_every_position_of_a_run_that_is_lost_that_it_is_damaged) {
  sim::SimWorld world{{.seed = 1}};
  TestLane lane(world);
  lane.must_start();
  lane.declare("a");
  lane.publish(1, 3);
  lane.publish(1, 2);  // 4 and 5, which the next start copies
  lane.must_start();
  const Sequence run = lane.state().next_sequence;
  const std::string path = lane.newest_path();
  const std::uint64_t copy_at = lane.recovered().segments.back().index.extents().front().offset;
  lane.publish(1, 2);
  const WrittenGroup lost = lane.groups.back();
  lane.commit({});
  lane.close();
  world.files().zero_range(path, copy_at, lost.offset + lost.bytes - copy_at);
  for (int i = 0; i < 2; ++i) {
    lane.must_start();
    ASSERT_EQ(lane.state().damage.size(), 1u) << lane.all_findings();
    EXPECT_EQ(lane.state().damage[0].first, 4u);
    EXPECT_GE(lane.state().damage[0].last, run + 1);
    EXPECT_GT(lane.state().next_sequence, lane.state().damage[0].last);
    EXPECT_FALSE(lane.state().is_between_runs(run + 1));
    EXPECT_EQ(lane.events(), TestLane::without(lane.written, 4, run + 1));
  }
}

// Nothing tells how many there were: then it is as many as there was room for, and no other event gets their numbers.
TEST(RecoveryDamageTest, gives_no_number_out_again_that_damage_may_have_had) {
  SmallLane small;
  TestLane& lane = small.lane;
  const WrittenGroup& last = *small.group_with(12);
  small.files.zero_range(small.paths[2], last.offset, last.bytes);
  lane.must_start();
  ASSERT_EQ(lane.state().damage.size(), 1u);
  EXPECT_EQ(lane.state().damage[0].first, 11u);
  EXPECT_GE(lane.state().damage[0].last, 12u);
  EXPECT_LE(lane.state().damage[0].last, 11 + last.bytes / 15);
  EXPECT_EQ(lane.state().end(), lane.state().damage[0].last);
  EXPECT_GT(lane.state().next_sequence, lane.state().damage[0].last);
  EXPECT_GE(lane.state().topics.at(0).next_offset, 8);
  EXPECT_EQ(lane.events(), TestLane::without(lane.written, 11, 12));
}

// The segment's last events are lost, so its entry in the manifest ends before them.
TEST(RecoveryDamageTest, finds_damage_again_if_the_lane_state_that_knew_it_is_lost) {
  SmallLane small;
  TestLane& lane = small.lane;
  const WrittenGroup& last = *small.group_with(12);
  small.files.flip_bit(small.paths[2], last.offset + 40, 1);
  lane.must_start();
  ASSERT_EQ(lane.state().damage, (Ranges{{11, 12}}));
  const std::string newest = lane.newest_path();
  lane.close();
  small.files.flip_bit(newest, kFirstGroupAt + 40, 1);
  for (int i = 0; i < 2; ++i) {
    lane.must_start();
    EXPECT_NE(lane.state().identity.epoch, small.epoch);
    EXPECT_EQ(lane.state().damage, (Ranges{{11, 12}}));
    EXPECT_EQ(lane.findings(Kind::Damage), i == 0 ? 2u : 0u) << lane.all_findings();
    EXPECT_EQ(lane.events(), TestLane::without(lane.written, 11, 12));
  }
}

TEST(RecoveryDamageTest, keeps_the_ids_of_topics_whose_names_are_lost) {
  SmallLane small;
  TestLane& lane = small.lane;
  const WrittenGroup* declared = small.group_before(*small.group_with(11));
  small.files.zero_range(small.paths[2], declared->offset, declared->bytes);
  lane.must_start();
  EXPECT_EQ(lane.events(), lane.written);
  ASSERT_EQ(lane.state().topics.size(), 3u);
  EXPECT_EQ(lane.state().topics[2].next_offset, 2);
  EXPECT_NE(lane.state().topics[2].identity, "c");
  EXPECT_NE(lane.state().topics[2].identity, "");
}

// --- sectors that cannot be read at all

TEST(RecoveryDamageTest, reads_around_a_sector_that_cannot_be_read) {
  SmallLane measured;
  measured.lane.must_start();
  const std::uint64_t reads = measured.files.calls(sim::SimFiles::Kind::ReadAt);
  const std::uint64_t before = SmallLane().files.calls(sim::SimFiles::Kind::ReadAt);
  for (std::uint64_t read = 2; read <= reads - before; ++read) {
    SmallLane small;
    small.files.fail_kind(sim::SimFiles::Kind::ReadAt, read, {base::Errc::System, "rotten", EIO});
    small.lane.must_start();
    EXPECT_EQ(small.lane.events(), small.lane.written) << read;
  }
}

// --- what recovery left behind

TEST(RecoveryDamageTest, ignores_a_recovery_that_lacks_a_copy_and_was_not_finished) {
  for (std::uint64_t call = 1;; ++call) {
    ASSERT_LT(call, 100u);
    sim::SimWorld world({.seed = 1});
    TestLane lane(world);
    lane.must_start();
    lane.declare("a");
    lane.publish(1, 1);
    lane.publish(1, 1);
    lane.close();
    world.files().cut_power_at_call(call);
    ASSERT_FALSE(lane.start());
    world.files().crash(sim::Loss::KeepsEverything);
    const std::string unfinished = lane.path() + '/' + segment_name(2);
    const auto content = world.files().get(unfinished);
    if (!content) continue;
    world.files().flip_bit(unfinished, content->size() - kCommitBytes - 20, 1);
    lane.must_start();
    EXPECT_EQ(lane.events(), lane.written);
    EXPECT_TRUE(lane.state().damage.empty());
    EXPECT_EQ(lane.findings(Kind::EpochChanged), 0u) << lane.all_findings();
    EXPECT_FALSE(world.files().get(unfinished));
    return;
  }
}

// The originals are gone, so it was finished: a disk that lied must not end in a lane that does not start any more.
TEST(RecoveryDamageTest, starts_with_a_recovery_that_lacks_a_copy_if_there_is_nothing_else) {
  sim::SimWorld world{{.seed = 1}};
  TestLane lane(world);
  lane.must_start();
  lane.declare("a");
  lane.publish(1, 2);
  const std::string original = lane.newest_path();
  lane.must_start();
  ASSERT_FALSE(world.files().get(original));
  const std::uint64_t epoch = lane.state().identity.epoch;
  const Sequence seen = lane.state().next_sequence;
  const std::string path = lane.newest_path();
  const std::uint64_t copy_at = lane.recovered().segments.back().index.extents().front().offset;
  lane.close();
  world.files().truncate_file(path, copy_at);
  for (int i = 0; i < 2; ++i) {
    lane.must_start();
    EXPECT_EQ(lane.state().identity.epoch, epoch);
    EXPECT_TRUE(lane.events().empty());
    EXPECT_GT(lane.state().next_sequence, seen);
  }
}

TEST(RecoveryDamageTest, keeps_a_recovery_that_was_finished_and_lost_a_copy_later) {
  sim::SimWorld world{{.seed = 1}};
  TestLane lane(world);
  lane.must_start();
  lane.declare("a");
  lane.publish(1, 1);
  lane.publish(1, 1);
  lane.must_start();
  const std::uint64_t epoch = lane.state().identity.epoch;
  lane.publish(1, 3);
  lane.commit({});
  const std::string path = lane.newest_path();
  const std::uint64_t copy_at = lane.recovered().segments.back().index.extents().front().offset;
  lane.close();
  world.files().flip_bit(path, copy_at + 30, 1);
  lane.must_start();
  EXPECT_EQ(lane.state().damage, (Ranges{{2, 2}}));
  EXPECT_EQ(lane.state().identity.epoch, epoch);
  EXPECT_EQ(lane.events(), TestLane::without(lane.written, 2, 2));
}

}  // namespace
}  // namespace storage
