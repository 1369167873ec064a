// SPDX-License-Identifier: Apache-2.0
#include "storage/log/segment_repeats.h"

#include <gtest/gtest.h>

#include <numeric>

#include "storage/log/segment_testing.h"

namespace storage {
namespace {

SegmentRepeats repeats_of(const TestSegment& segment) {
  SegmentRepeats repeats;
  segment.each_group([&](std::uint64_t, const GroupView& group) { repeats.add(group); });
  return repeats;
}

std::string section_of(const SegmentRepeats& repeats) {
  return std::accumulate(repeats.chunks().begin(), repeats.chunks().end(), std::string());
}

// One group for each lane time from 1 on, with `ids` ids each.
TestSegment segment_with_ids(std::uint64_t groups, std::uint32_t ids) {
  TestSegment segment;
  for (segment.lane_time_ns = 1; segment.lane_time_ns <= groups; ++segment.lane_time_ns) {
    TestBatch batch{.topic = 1, .addresses = std::vector<std::uint64_t>(ids + 1), .value_bytes = 1};
    for (std::uint32_t i = 0; i < ids; ++i) batch.repeats.push_back({i + 1, {segment.lane_time_ns, i}, i});
    segment.write({batch});
  }
  return segment;
}

TEST(SegmentRepeats, holds_every_id_with_the_sequence_of_its_event_and_the_time_of_its_group) {
  const TestSegment segment = random_segment(1, 1'500);
  const SegmentRepeats repeats = repeats_of(segment);
  ASSERT_GT(repeats.size(), 3'000u);
  EXPECT_EQ(repeats.size(), segment.repeats().size());
  EXPECT_EQ(decode_repeats(section_of(repeats), 0).value(), segment.repeats());
}

TEST(SegmentRepeats, gives_back_only_those_that_are_young_enough) {
  const TestSegment segment = segment_with_ids(100, 10);
  const auto young = decode_repeats(section_of(repeats_of(segment)), 91).value();
  EXPECT_EQ(young, std::vector<StoredRepeat>(segment.repeats().end() - 100, segment.repeats().end()));
}

TEST(SegmentRepeats, forgets_what_is_old_and_nothing_else) {
  const TestSegment segment = segment_with_ids(1'000, 10);
  SegmentRepeats repeats = repeats_of(segment);
  for (std::ptrdiff_t oldest = 1; oldest <= 1'000; ++oldest) {
    repeats.forget_before(static_cast<std::uint64_t>(oldest));
    const std::ptrdiff_t young = (1'001 - oldest) * 10;
    EXPECT_LE(repeats.size(), static_cast<std::size_t>(young) + 1'700);
    ASSERT_EQ(decode_repeats(section_of(repeats), static_cast<std::uint64_t>(oldest)).value(),
              std::vector<StoredRepeat>(segment.repeats().end() - young, segment.repeats().end()));
  }
  repeats.forget_before(1'001);
  EXPECT_EQ(repeats.size(), 0u);
  EXPECT_TRUE(repeats.chunks().empty());
}

TEST(SegmentRepeats, a_section_that_is_cut_or_out_of_order_is_refused) {
  const std::string section = section_of(repeats_of(segment_with_ids(3, 1)));
  EXPECT_TRUE(decode_repeats("", 0).has_value());
  EXPECT_FALSE(decode_repeats(base::Bytes(section).substr(1), 0).has_value());
  EXPECT_FALSE(decode_repeats(section.substr(40) + section.substr(0, 40), 0).has_value());
}

}  // namespace
}  // namespace storage
