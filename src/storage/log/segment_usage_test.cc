// SPDX-License-Identifier: Apache-2.0
#include "storage/log/segment_usage.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "storage/log/segment_testing.h"

namespace storage {
namespace {

Segment segment_of(const TestSegment& written, std::uint64_t id) {
  OpenSegment open;
  open.header.number = id;
  open.header.id = id;
  open.index = written.index();
  return Segment(std::move(open));
}

TopicTable table_of(TopicId topics) {
  TopicTable table;
  for (TopicId topic = 1; topic <= topics; ++topic) table.declare(std::to_string(topic));
  return table;
}

TEST(SegmentUsage, knows_when_the_last_event_of_the_last_topic_is_trimmed) {
  TestSegment written;
  written.write({{.topic = 1}, {.topic = 2}});
  written.write({{.topic = 1}});
  const Segment segment = segment_of(written, 9);
  SegmentUsage usage;
  EXPECT_FALSE(usage.is_dead(segment)) << "not counted yet";
  usage.count(segment, table_of(2));
  EXPECT_EQ(usage.dead_bytes(), 0u);
  usage.trimmed(segment, 1, 0, 3);
  EXPECT_FALSE(usage.is_dead(segment));
  usage.trimmed(segment, 2, 0, 2);
  EXPECT_TRUE(usage.is_dead(segment));
  EXPECT_EQ(usage.dead_bytes(segment), segment.index.batch_bytes());
}

TEST(SegmentUsage, begins_with_what_was_trimmed_before) {
  TestSegment written;
  written.write({{.topic = 1}, {.topic = 2}});
  const Segment segment = segment_of(written, 9);
  TopicTable table = table_of(2);
  table.at(1).complete_after = 1;
  SegmentUsage usage;
  usage.count(segment, table);
  EXPECT_EQ(usage.dead_bytes(), segment.index.bytes_of(1));
  table.at(2).complete_after = 1'000;
  usage.count(segment, table);
  EXPECT_TRUE(usage.is_dead(segment));
}

TEST(SegmentUsage, forgets_segments_that_are_gone_and_takes_a_rewritten_one_for_another) {
  TestSegment written;
  written.write({{.topic = 1}});
  Segments segments;
  segments.push_back(std::make_unique<Segment>(segment_of(written, 9)));
  SegmentUsage usage;
  TopicTable table = table_of(1);
  table.at(1).complete_after = 1;
  usage.count(*segments.front(), table);
  usage.keep_only(segments);
  EXPECT_TRUE(usage.is_dead(*segments.front()));
  segments.front()->header.id = 10;
  EXPECT_FALSE(usage.is_counted(*segments.front()));
  usage.keep_only(segments);
  EXPECT_EQ(usage.dead_bytes(), 0u);
}

TEST(SegmentUsage, counts_in_steps_what_a_count_at_the_end_finds) {
  const TestSegment written = random_segment(3, 400);
  const Segment segment = segment_of(written, 9);
  TopicTable table = table_of(200);
  SegmentUsage usage;
  usage.count(segment, table);
  std::mt19937_64 random(5);
  const std::vector<TopicId> topics = segment.index.topics();
  for (int step = 0; step < 600; ++step) {
    const TopicId topic = topics[random() % topics.size()];
    Sequence& complete_after = table.at(topic).complete_after;
    const Sequence to = complete_after + 1 + random() % (segment.index.last_sequence() / 2);
    usage.trimmed(segment, topic, complete_after, to);
    complete_after = to;
    SegmentUsage anew;
    anew.count(segment, table);
    ASSERT_EQ(usage.dead_bytes(), anew.dead_bytes());
    ASSERT_EQ(usage.is_dead(segment), anew.is_dead(segment));
  }
  EXPECT_TRUE(usage.is_dead(segment));
}

}  // namespace
}  // namespace storage
