// SPDX-License-Identifier: Apache-2.0
// Recovery of segments that retention has rewritten: sparse, of another time than their groups, named before a manifest
// says so.
#include <gtest/gtest.h>

#include "tests/support/lane_directory.h"
#include "tests/support/rewritten_segment.h"

namespace storage {
namespace {

using Kind = RecoveryFinding::Kind;

class RecoveryRewrittenTest : public testing::Test {
 protected:
  // Two sealed segments, the first of which is half trimmed, and a newest one.
  RecoveryRewrittenTest() {
    lane.must_start();
    lane.declare("a");
    lane.declare("b");
    lane.publish(1, 2);  // 1, 2
    lane.publish(2, 1);  // 3
    lane.publish(1, 2);  // 4, 5
    lane.publish(2, 1);  // 6
    first = lane.newest_path();
    lane.rotate(TestLane::Footer::Yes);
    lane.publish(1, 1);  // 7
    second = lane.newest_path();
    lane.rotate(TestLane::Footer::Yes);
    lane.publish(2, 1);  // 8
    lane.trim(1, 5);
    epoch = lane.state().identity.epoch;
    live = TestLane::without(TestLane::without(lane.written, 1, 2), 4, 5);
  }
  // As if the program had ended before the newest group was written.
  void take_back_the_newest_group() {
    const WrittenGroup last = lane.groups.back();
    lane.close();
    files.truncate_file(last.path, last.offset);
  }
  void expect_what_lives() {
    EXPECT_EQ(lane.events(), live) << lane.all_findings();
    EXPECT_TRUE(lane.state().damage.empty());
    EXPECT_EQ(lane.findings(Kind::Damage), 0u) << lane.all_findings();
    EXPECT_EQ(lane.state().identity.epoch, epoch);
    EXPECT_EQ(lane.state().topics.at(0).complete_after, 5u);
  }

  sim::SimWorld world{{.seed = 1}};
  sim::SimFiles& files = world.files();
  TestLane lane{world};
  std::string first;
  std::string second;
  std::uint64_t epoch = 0;
  Events live;
};

TEST_F(RecoveryRewrittenTest, reads_what_the_manifest_names) {
  rewrite_segment(world, lane, 1);
  lane.must_start();
  expect_what_lives();
  EXPECT_EQ(lane.recovered().segments.front().header.kind, SegmentKind::Rewritten);
  EXPECT_EQ(lane.recovered().segments.front().footer, OpenSegment::Footer::Whole);
  lane.must_start();
  expect_what_lives();
}

TEST_F(RecoveryRewrittenTest, reads_what_has_its_name_before_the_manifest_says_so) {
  rewrite_segment(world, lane, 1);
  take_back_the_newest_group();
  for (int i = 0; i < 3; ++i) {
    lane.must_start();
    expect_what_lives();
    EXPECT_EQ(lane.state().manifest.front().id, lane.recovered().segments.front().header.id);
  }
}

// One new segment in the place of two: the older one's file still has its name.
TEST_F(RecoveryRewrittenTest, reads_nothing_twice_if_it_stands_for_several) {
  SegmentHeader header;
  header.number = 2;
  header.id = 4'711;
  RewrittenSegment both(header, lane.state());
  for (const std::string& path : {first, second}) {
    const auto file = OpenFile::open(world.world().file_system, path, io::OpenMode::ExistingRead).value();
    const SegmentHeader from = parse_segment_start(*file.read(0, kFirstGroupAt)).value();
    SegmentScan scan(file, files.get(path)->size(), from.seed());
    for (auto step = scan.next(); const auto* scanned = std::get_if<ScannedGroup>(&*step); step = scan.next()) {
      both.add(scanned->group);
    }
  }
  std::string bytes = both.finish();
  header = parse_segment_start(bytes).value();
  header.first_replaced = 1;
  files.put(second, bytes.replace(0, kFirstGroupAt, encode_segment_start(header)));
  for (int i = 0; i < 2; ++i) {
    lane.must_start();
    expect_what_lives();
    EXPECT_FALSE(files.get(first));
  }
}

TEST_F(RecoveryRewrittenTest, scans_without_looking_at_links_if_the_footer_is_damaged) {
  rewrite_segment(world, lane, 1);
  files.flip_bit(first, files.get(first)->size() - 10, 1);
  lane.must_start();
  expect_what_lives();
  EXPECT_EQ(lane.recovered().segments.front().footer, OpenSegment::Footer::Missing);
}

TEST_F(RecoveryRewrittenTest, still_knows_what_was_trimmed_if_all_else_forgets_it) {
  rewrite_segment(world, lane, 1);
  take_back_the_newest_group();
  const WrittenGroup& trim = lane.groups.at(lane.groups.size() - 2);
  files.truncate_file(trim.path, trim.offset);  // the disk has lied
  lane.must_start();
  expect_what_lives();
}

TEST_F(RecoveryRewrittenTest, is_a_base_for_the_lane_state_that_the_newest_lacks) {
  rewrite_segment(world, lane, 1);
  rewrite_segment(world, lane, 2);
  const std::string newest = lane.newest_path();
  lane.close();
  files.zero_range(newest, kFirstGroupAt, 64);
  lane.must_start();
  EXPECT_EQ(lane.events(), live) << lane.all_findings();
  EXPECT_NE(lane.state().identity.epoch, epoch);
  EXPECT_EQ(lane.state().topics.at(0).complete_after, 5u);
  EXPECT_EQ(lane.state().topics.at(1).next_offset, 3);
  EXPECT_TRUE(lane.state().damage.empty()) << lane.all_findings();
}

TEST_F(RecoveryRewrittenTest, is_the_newest_if_nothing_behind_it_can_be_read) {
  rewrite_segment(world, lane, 1);
  rewrite_segment(world, lane, 2);
  const std::string newest = lane.newest_path();
  lane.close();
  files.zero_range(newest, 0, kFirstGroupAt);
  lane.must_start();
  EXPECT_EQ(lane.events(), TestLane::without(live, 8, 8)) << lane.all_findings();
  EXPECT_NE(lane.state().identity.epoch, epoch);
  EXPECT_GT(lane.state().next_sequence, 8u);
  EXPECT_TRUE(lane.state().damage.empty()) << lane.all_findings();
}

// What retention has left out is not missing, and the damaged group says itself what was in it.
TEST_F(RecoveryRewrittenTest, loses_no_more_than_the_events_of_a_damaged_group) {
  rewrite_segment(world, lane, 1);
  lane.must_start();
  const std::uint64_t batch_at = lane.recovered().segments.front().index.extents().front().offset;
  lane.close();
  files.flip_bit(first, batch_at + 20, 1);
  files.flip_bit(first, files.get(first)->size() - 10, 1);  // the footer
  lane.must_start();
  EXPECT_EQ(lane.state().damage, (std::vector<DamagedRange>{{3, 3}})) << lane.all_findings();
  EXPECT_EQ(lane.events(), TestLane::without(live, 3, 3));
}

TEST_F(RecoveryRewrittenTest, still_knows_what_was_trimmed_if_the_group_that_said_so_is_damaged) {
  rewrite_segment(world, lane, 1);
  const WrittenGroup& trim = lane.groups.at(lane.groups.size() - 2);
  files.flip_bit(trim.path, trim.offset + 20, 1);
  lane.commit({});
  for (int i = 0; i < 2; ++i) {
    lane.must_start();
    EXPECT_EQ(lane.state().topics.at(0).complete_after, 5u);
    EXPECT_EQ(lane.events(), live) << lane.all_findings();
    EXPECT_TRUE(lane.state().damage.empty());
  }
}

// Else a reader without a position would begin beyond the end.
TEST_F(RecoveryRewrittenTest, knows_of_no_trimming_beyond_the_end) {
  const WrittenGroup ninth = lane.publish(1, 1);  // 9
  lane.trim(1, 9);
  rewrite_segment(world, lane, 1);
  lane.close();
  files.truncate_file(ninth.path, ninth.offset);  // the disk has lied
  lane.must_start();
  EXPECT_EQ(lane.state().topics.at(0).complete_after, 8u);
  EXPECT_EQ(lane.events(), TestLane::without(live, 9, 9)) << lane.all_findings();
}

TEST_F(RecoveryRewrittenTest, is_no_base_for_trimming_beyond_the_end) {
  const WrittenGroup ninth = lane.publish(1, 1);  // 9
  lane.trim(1, 9);
  rewrite_segment(world, lane, 2);
  lane.close();
  files.truncate_file(ninth.path, ninth.offset);  // the disk has lied
  files.zero_range(ninth.path, kFirstGroupAt, 64);
  lane.must_start();
  EXPECT_EQ(lane.state().topics.at(0).complete_after, 8u);
  EXPECT_NE(lane.state().identity.epoch, epoch);
}

// It begins before the segment whose name it has, and no manifest says so yet.
TEST_F(RecoveryRewrittenTest, reads_all_of_several_segments_that_became_one_without_a_footer) {
  const SegmentHeader from{.number = 2, .id = 99, .first_replaced = 1};
  RewrittenSegment merged(from, lane.state());
  for (const std::size_t i : {0u, 1u}) {
    each_group(world.world().file_system, lane.recovered().segments.at(i),
               [&](const ScannedGroup& scanned) { merged.add(scanned.group); });
  }
  std::string bytes = merged.finish();
  bytes[bytes.size() - 10] ^= 1;
  lane.close();
  files.put(second, bytes);
  for (int i = 0; i < 2; ++i) {
    lane.must_start();
    expect_what_lives();
    EXPECT_EQ(lane.recovered().segments.front().index.first_sequence(), 3u);
    EXPECT_FALSE(files.get(first));
  }
}

}  // namespace
}  // namespace storage
