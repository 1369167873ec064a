// SPDX-License-Identifier: Apache-2.0
#include "storage/log/recovery_segment.h"

#include <gtest/gtest.h>

#include "tests/support/lane_directory.h"

namespace storage {
namespace {

class RecoverySegmentTest : public testing::Test {
 protected:
  RecoverySegment build() {
    Survey found = survey(world.world().file_system, lane.path(), {}).value();
    LaneState begins = found.state;
    begins.identity.epoch = 99;
    begins.lock = {1, 2};
    return build_recovery_segment(found, begins, 42, 7, 1'000).value();
  }
  // The groups behind the lane state.
  static std::vector<GroupView> copies_of(const RecoverySegment& segment) {
    std::vector<GroupView> groups;
    for (std::size_t at = kFirstGroupAt; at < segment.bytes.size();) {
      const auto group = parse_group(base::Bytes(segment.bytes).substr(at), segment.header.seed());
      EXPECT_TRUE(group);
      if (!group) break;
      if (at > kFirstGroupAt) groups.push_back(*group);
      at += group->bytes();
    }
    return groups;
  }

  sim::SimWorld world{{.seed = 1}};
  TestLane lane{world};
};

TEST_F(RecoverySegmentTest, continues_the_last_proven_commit) {
  lane.must_start();
  lane.declare("a");
  lane.publish(1, 2);
  const CommitRecord proven = lane.groups.back().commit;
  lane.lane_time_ns = 5'000;
  lane.publish(1, 3);
  const CommitRecord original = lane.groups.back().commit;
  const RecoverySegment segment = build();
  EXPECT_EQ(segment.header.number, 42u);
  EXPECT_EQ(segment.header.kind, SegmentKind::Recovery);
  EXPECT_EQ(segment.header.copies, 1u);
  EXPECT_EQ(segment.header.continues, proven.number);
  EXPECT_EQ(segment.header.continues_crc, proven.crc);
  const std::vector<GroupView> copies = copies_of(segment);
  ASSERT_EQ(copies.size(), 1u);
  EXPECT_EQ(copies[0].commit.number, proven.number + 2);  // behind the lane state
  EXPECT_EQ(copies[0].commit.synced_through, proven.number);
  EXPECT_EQ(copies[0].commit.first_sequence, 3u);
  EXPECT_EQ(copies[0].commit.lane_time_ns, 5'000u);
  EXPECT_EQ(copies[0].commit.wall_ms, original.wall_ms);
  EXPECT_EQ(segment.last.crc, copies[0].commit.crc);
  EXPECT_EQ(segment.state.next_sequence, 6u);
  EXPECT_EQ(segment.index.first_sequence(), 3u);
}

TEST_F(RecoverySegmentTest, says_what_holds_from_now_on_in_copied_runs_and_manifests) {
  lane.must_start();
  lane.declare("a");
  lane.publish(1, 1);
  lane.control(RecordKind::Segments, encode_manifest({}));
  RecoverySegment segment = build();
  EXPECT_EQ(segment.state.identity.epoch, 99u);
  ASSERT_EQ(segment.state.manifest.size(), 1u);
  lane.must_start();  // only its run is not proven
  segment = build();
  ASSERT_EQ(segment.header.copies, 1u);
  EXPECT_EQ(segment.state.identity.epoch, 99u);
  EXPECT_EQ(segment.state.lock, (LockIdentity{1, 2}));
  EXPECT_EQ(segment.state.next_sequence, lane.state().next_sequence);
}

TEST_F(RecoverySegmentTest, is_proven_by_the_group_that_opens_its_run) {
  lane.must_start();
  lane.declare("a");
  lane.publish(1, 1);
  const RecoverySegment segment = build();
  const RunGroup run = build_run_group(segment, {1'000, 1}, {.lane_time_ns = 3, .wall_ms = 4});
  const auto group = parse_group(run.bytes, segment.header.seed());
  ASSERT_TRUE(group);
  EXPECT_EQ(group->commit.number, segment.last.number + 1);
  EXPECT_EQ(group->commit.synced_through, segment.last.number);
  EXPECT_EQ(group->commit.previous_crc, segment.last.crc);
  EXPECT_EQ(group->commit.lane_time_ns, 3u);
  EXPECT_EQ(group->commit.wall_ms, 4);
  EXPECT_EQ(run.commit.crc, group->commit.crc);
}

}  // namespace
}  // namespace storage
