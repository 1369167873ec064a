// SPDX-License-Identifier: Apache-2.0
#include "storage/log/boundary_extent.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "codec/record_batch.h"

namespace storage {
namespace {

constexpr std::uint64_t kYoungestNs = 1'000;

// An extent, group by group.
class Extent {
 public:
  // A batch of one topic; its events have values of these sizes.
  Extent& batch(TopicId topic, const std::vector<std::size_t>& sizes) {
    codec::BatchBuilder builder;
    builder.start(0, 0);
    for (const std::size_t size : sizes) {
      std::string tail;
      codec::append_record_tail(tail, std::nullopt, std::string(size, 'v'), {});
      builder.add(0, tail);
    }
    const std::vector<std::uint64_t> hashes(sizes.size(), 1);
    const base::Bytes bytes = builder.finish();
    batch_bytes.push_back(bytes.size());
    append_batch_record(group_, {topic, next_, hashes, {}, bytes});
    next_ += sizes.size();
    return *this;
  }
  Extent& control(std::size_t bytes) {
    append_control_record(group_, RecordKind::Trim, 0, std::string(bytes, 'c'));
    return *this;
  }
  Extent& commit(std::uint64_t lane_time_ns) {
    append_commit_room(group_);
    seal_group(group_, header_.seed(), {.number = 1, .lane_time_ns = lane_time_ns});
    bytes_ += group_;
    group_.clear();
    return *this;
  }
  std::string& bytes() { return bytes_; }
  BoundaryExtent read() const { return BoundaryExtent(bytes_, header_.seed(), kYoungestNs); }

  std::vector<std::uint64_t> batch_bytes;

 private:
  const SegmentHeader header_{.number = 1, .id = 77};
  std::string bytes_;
  std::string group_;
  Sequence next_ = 1;
};

Sequence trimmed_by_age(const Extent& extent, TopicId topic, std::uint64_t older_than_ns, Sequence after = 0) {
  return extent.read().cut(topic, after, {.older_than_ns = older_than_ns}, {.part_bytes = 10'000}).complete_after;
}

TEST(BoundaryExtent, trims_the_groups_that_were_committed_before_and_no_other) {
  Extent extent;
  extent.batch(1, {10, 10}).commit(100).batch(1, {10}).batch(2, {10}).commit(200).batch(1, {10}).commit(300);
  EXPECT_EQ(trimmed_by_age(extent, 1, 100), 0u);
  EXPECT_EQ(trimmed_by_age(extent, 1, 101), 2u);
  EXPECT_EQ(trimmed_by_age(extent, 1, 201), 3u);
  EXPECT_EQ(trimmed_by_age(extent, 2, 201), 4u);
  EXPECT_EQ(trimmed_by_age(extent, 1, 301), 5u);
  EXPECT_EQ(trimmed_by_age(extent, 1, 101, 2), 2u) << "what was trimmed before counts";
}

TEST(BoundaryExtent, knows_the_first_event_that_stays) {
  Extent extent;
  extent.batch(1, {10, 10}).commit(100).batch(1, {10}).commit(200);
  const std::uint64_t bytes = extent.batch_bytes[0] + extent.batch_bytes[1];
  const BoundaryCut cut = extent.read().cut(1, 0, {.older_than_ns = 150}, {.part_bytes = bytes});
  EXPECT_EQ(cut.end.next, 3u);
  EXPECT_EQ(cut.end.lane_time_ns, 200u);
  EXPECT_EQ(cut.end.dead_events, 2u);
  EXPECT_EQ(cut.end.dead_bytes, extent.batch_bytes[0]);
  EXPECT_EQ(cut.trimmed.of(TrimReason::Age).events, 2u);
  EXPECT_EQ(cut.trimmed.of(TrimReason::Age).bytes, extent.batch_bytes[0]);
  const BoundaryCut all = extent.read().cut(1, 0, {.older_than_ns = 201}, {.part_bytes = bytes});
  EXPECT_EQ(all.end.next, 0u);
  EXPECT_EQ(all.end.dead_bytes, bytes);
}

TEST(BoundaryExtent, holds_a_group_whose_commit_lies_behind_it_for_as_young_as_it_can_be) {
  Extent extent;
  extent.batch(1, {10}).commit(100).batch(1, {10});
  const std::size_t whole = extent.bytes().size();
  extent.control(200).commit(150);
  extent.bytes().resize(whole + extent.batch_bytes[1] + 150);  // cut off within the control record
  EXPECT_EQ(trimmed_by_age(extent, 1, kYoungestNs), 1u);
  EXPECT_EQ(trimmed_by_age(extent, 1, kYoungestNs + 1), 2u);
}

TEST(BoundaryExtent, spreads_the_bytes_of_a_batch_over_its_events_by_their_length) {
  Extent extent;
  extent.batch(1, {1'000, 10, 3'000, 10}).commit(100);
  const std::uint64_t bytes = extent.batch_bytes[0];
  const auto keeps = [&](std::uint64_t bytes_max, std::uint64_t bytes_behind = 0) {
    const TrimLimits limits{.bytes_max = bytes_max};
    return 4 - extent.read().cut(1, 0, limits, {.part_bytes = bytes, .bytes_behind = bytes_behind}).complete_after;
  };
  EXPECT_EQ(keeps(bytes), 4u);
  EXPECT_EQ(keeps(bytes, 1), 3u) << "behind it stands one more byte";
  EXPECT_EQ(keeps(bytes - 1), 3u);
  EXPECT_EQ(keeps(3'080), 2u);
  EXPECT_EQ(keeps(3'000), 1u);
  EXPECT_EQ(keeps(20), 1u);
  EXPECT_EQ(keeps(5), 0u);
  EXPECT_EQ(keeps(0), 0u);
}

TEST(BoundaryExtent, counts_each_byte_of_a_batch_once) {
  Extent extent;
  extent.batch(1, {7, 100, 1, 33}).commit(100).batch(1, {5, 5, 5}).commit(200);
  TrimSum all;
  for (Sequence after = 0; after < 7;) {
    // Event by event: a byte less each time.
    for (std::uint64_t bytes_max = 2'000;; --bytes_max) {
      const BoundaryCut cut = extent.read().cut(1, after, {.bytes_max = bytes_max}, {.part_bytes = 5'000});
      if (cut.complete_after == after) continue;
      EXPECT_EQ(cut.complete_after, after + 1);
      all.events += cut.trimmed.of(TrimReason::Bytes).events;
      all.bytes += cut.trimmed.of(TrimReason::Bytes).bytes;
      after = cut.complete_after;
      break;
    }
  }
  EXPECT_EQ(all.events, 7u);
  EXPECT_EQ(all.bytes, extent.batch_bytes[0] + extent.batch_bytes[1]);
}

TEST(BoundaryExtent, passes_over_what_cannot_be_read_and_trims_nothing_too_early) {
  Extent extent;
  extent.batch(1, {10}).commit(100);
  const std::size_t damaged = extent.bytes().size();
  extent.batch(1, {10}).commit(200).batch(1, {10}).commit(300);
  extent.bytes()[damaged + 50] = static_cast<char>(extent.bytes()[damaged + 50] ^ 1);
  EXPECT_EQ(trimmed_by_age(extent, 1, 101), 1u);
  EXPECT_EQ(trimmed_by_age(extent, 1, 300), 1u);
  EXPECT_EQ(trimmed_by_age(extent, 1, 301), 3u);
  const BoundaryCut nothing = BoundaryExtent("", Seed(1), 0).cut(1, 5, {.older_than_ns = 10}, {});
  EXPECT_EQ(nothing.complete_after, 5u);
  EXPECT_EQ(nothing.end.next, 0u);
}

TEST(BoundaryExtent, takes_a_damaged_commit_for_the_next_one) {
  Extent extent;
  extent.batch(1, {10}).commit(100);
  const std::size_t commit = extent.bytes().size() - 20;
  extent.batch(1, {10}).commit(200);
  extent.bytes()[commit] = static_cast<char>(extent.bytes()[commit] ^ 1);
  EXPECT_EQ(trimmed_by_age(extent, 1, 150), 0u);
  EXPECT_EQ(trimmed_by_age(extent, 1, 201), 2u);
}

}  // namespace
}  // namespace storage
