// SPDX-License-Identifier: Apache-2.0
#include "storage/log/segment_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "storage/log/segment_testing.h"

namespace storage {
namespace {

constexpr std::size_t kMiB = 1u << 20;
using Topics = std::vector<TopicId>;

// What find() should answer, found by looking at everything.
std::optional<ExtentRange> find_slowly(const TestSegment& segment, const Topics& topics, Sequence after,
                                       std::size_t bytes_max) {
  std::map<std::size_t, std::pair<std::uint64_t, std::uint64_t>> places;  // of all extents
  std::map<std::size_t, Sequence> begins;
  std::set<std::size_t> wanted;
  for (const WrittenBatch& batch : segment.batches()) {
    places.try_emplace(batch.extent, batch.offset, 0).first->second.second = batch.end_offset;
    begins.try_emplace(batch.extent, batch.first_sequence);
    if (batch.last_sequence > after && std::ranges::count(topics, batch.topic) > 0) wanted.insert(batch.extent);
  }
  if (wanted.empty()) return std::nullopt;
  const std::size_t first = *wanted.begin();
  ExtentRange range{first, first + 1, places[first].first, places[first].second,
                    segment.batches().back().last_sequence};
  while (wanted.contains(range.end) && places[range.end].second - range.begin_offset <= bytes_max) {
    range.end_offset = places[range.end++].second;
  }
  const auto next = wanted.lower_bound(range.end);
  if (next != wanted.end()) range.covered = begins[*next] - 1;
  return range;
}

void expect_equal(const std::optional<ExtentRange>& range, const std::optional<ExtentRange>& expected) {
  ASSERT_EQ(range.has_value(), expected.has_value());
  if (!range) return;
  EXPECT_EQ(range->first, expected->first);
  EXPECT_EQ(range->end, expected->end);
  EXPECT_EQ(range->begin_offset, expected->begin_offset);
  EXPECT_EQ(range->end_offset, expected->end_offset);
  EXPECT_EQ(range->covered, expected->covered);
}

Topics all_topics(const TestSegment& segment) {
  std::set<TopicId> topics;
  for (const WrittenBatch& batch : segment.batches()) topics.insert(batch.topic);
  return {topics.begin(), topics.end()};
}

void expect_same_answers(const TestSegment& segment, const SegmentIndex& index, unsigned seed) {
  std::mt19937_64 random(seed);
  const Topics known = all_topics(segment);
  const Sequence last = segment.batches().back().last_sequence;
  for (int i = 0; i < 300; ++i) {
    Topics topics = {999};  // nowhere
    for (std::size_t count = random() % 4; count > 0; --count) topics.push_back(known[random() % known.size()]);
    if (i % 50 == 0) topics = known;
    std::ranges::sort(topics);
    const Sequence after = i % 7 == 0 ? last - random() % 20 : random() % (last + 2);
    const std::size_t bytes_max = i % 5 == 0 ? 1 : random() % kMiB;
    expect_equal(index.find(topics, after, bytes_max), find_slowly(segment, topics, after, bytes_max));
  }
}

TEST(SegmentIndex, an_empty_one_finds_nothing) {
  SegmentIndex index;
  EXPECT_TRUE(index.empty());
  EXPECT_EQ(index.first_sequence(), 0u);
  EXPECT_EQ(index.last_sequence(), 0u);
  EXPECT_FALSE(index.find(Topics{1}, 0, kMiB).has_value());
  EXPECT_FALSE(index.find_time(0).has_value());
  EXPECT_TRUE(index.topics().empty());
  EXPECT_TRUE(index.parts(1).empty());
  EXPECT_EQ(index.live_bytes(1, 0), 0u);
}

TEST(SegmentIndex, control_records_belong_to_no_extent) {
  TestSegment segment;
  segment.write_control(1'000);
  const std::uint64_t begin = segment.end_offset();
  segment.write({{.topic = 1}});
  segment.write_control(200'000);
  const SegmentIndex index = segment.index();
  ASSERT_EQ(index.extents().size(), 1u);
  EXPECT_EQ(index.extents()[0].offset, begin);
  EXPECT_EQ(index.extents()[0].end_offset, segment.batches()[0].end_offset);
  EXPECT_EQ(index.end_offset(), segment.end_offset());
  EXPECT_FALSE(index.empty());
}

TEST(SegmentIndex, an_extent_ends_with_the_batch_that_reaches_64_KiB) {
  TestSegment segment;
  for (int i = 0; i < 20; ++i) segment.write({{.topic = 1, .value_bytes = 30'000}});
  segment.write({{.topic = 1, .value_bytes = 8 * kMiB}});
  segment.write({{.topic = 1}});
  const SegmentIndex index = segment.index();
  EXPECT_EQ(index.extents().size(), 8u);  // three batches in each, the large one ends the seventh
  EXPECT_EQ(index.parts(1)[5].events, 3u);
  EXPECT_EQ(index.parts(1)[6].events, 3u);
  EXPECT_GT(index.parts(1)[6].bytes, 8 * kMiB);
  for (const Extent& extent : index.extents()) EXPECT_EQ(extent.offset % kRecordAlignment, 0u);
}

TEST(SegmentIndex, knows_what_was_written) {
  for (unsigned seed = 1; seed <= 4; ++seed) {
    const TestSegment segment = random_segment(seed, 1'000);
    const SegmentIndex index = segment.index();
    const WrittenBatch& last = segment.batches().back();
    EXPECT_EQ(index.first_sequence(), segment.batches().front().first_sequence);
    EXPECT_EQ(index.last_sequence(), last.last_sequence);
    EXPECT_EQ(index.last_lane_time_ns(), last.lane_time_ns);
    EXPECT_EQ(index.end_offset(), segment.end_offset());
    EXPECT_EQ(index.topics(), all_topics(segment));
    ASSERT_EQ(index.extents().size(), segment.extents());
    std::int64_t wall_ms_max = std::numeric_limits<std::int64_t>::min();
    std::size_t extents = 0;
    for (const WrittenBatch& batch : segment.batches()) {
      const Extent& extent = index.extents()[batch.extent];
      if (batch.extent == extents) {
        EXPECT_EQ(extent.offset, batch.offset);
        EXPECT_EQ(extent.first_sequence, batch.first_sequence);
        EXPECT_EQ(extent.lane_time_ns, batch.lane_time_ns);
        EXPECT_EQ(extent.wall_ms_max, wall_ms_max);
        ++extents;
      }
      EXPECT_LE(batch.end_offset, extent.end_offset);
      wall_ms_max = std::max(wall_ms_max, batch.wall_ms);
    }
    EXPECT_EQ(index.wall_ms_max(), wall_ms_max);
  }
}

TEST(SegmentIndex, lists_the_parts_of_each_topic) {
  const TestSegment segment = random_segment(5, 1'000);
  const SegmentIndex index = segment.index();
  std::uint64_t all_bytes = 0;
  for (const TopicId topic : all_topics(segment)) {
    std::vector<TopicPart> parts;
    std::uint64_t bytes = 0;
    for (const WrittenBatch& batch : segment.batches()) {
      if (batch.topic != topic) continue;
      if (parts.empty() || parts.back().extent != batch.extent) {
        parts.push_back({.extent = batch.extent, .first_offset = batch.first_offset});
      }
      parts.back().events += static_cast<std::uint32_t>(batch.addresses.size());
      parts.back().bytes += batch.bytes;
      parts.back().last_sequence = batch.last_sequence;
      bytes += batch.bytes;
    }
    EXPECT_EQ(index.parts(topic), parts);
    EXPECT_EQ(index.bytes_of(topic), bytes);
    EXPECT_EQ(index.last_sequence_of(topic), parts.back().last_sequence);
    all_bytes += bytes;
  }
  EXPECT_EQ(index.batch_bytes(), all_bytes);
  EXPECT_EQ(index.last_sequence_of(999), 0u);
}

TEST(SegmentIndex, live_bytes_are_those_of_parts_with_an_event_behind_the_trim) {
  const TestSegment segment = random_segment(6, 1'000);
  const SegmentIndex index = segment.index();
  for (const TopicId topic : {1u, 3u, 200u, 110u}) {
    const std::vector<TopicPart> parts = index.parts(topic);
    for (Sequence after = 0; after <= index.last_sequence() + 1; after += 37) {
      std::uint64_t live = 0;
      for (const TopicPart& part : parts) live += part.last_sequence > after ? part.bytes : 0;
      ASSERT_EQ(index.live_bytes(topic, after), live);
    }
  }
}

TEST(SegmentIndex, finds_what_a_look_at_everything_finds) {
  for (unsigned seed = 10; seed < 16; ++seed) {
    const TestSegment segment = random_segment(seed, 800);
    ASSERT_GT(segment.extents(), 40u);
    expect_same_answers(segment, segment.index(), seed);
  }
}

TEST(SegmentIndex, answers_while_the_segment_grows) {
  const TestSegment segment = random_segment(20, 200);
  SegmentIndex index;
  segment.each_group([&](std::uint64_t offset, const GroupView& group) {
    index.add(offset, group);
    if (group.commit.last_sequence == 0) return;
    EXPECT_EQ(index.last_sequence(), group.commit.last_sequence);
    const auto newest = index.find(index.topics(), group.commit.first_sequence - 1, 1);
    ASSERT_TRUE(newest.has_value());
    EXPECT_FALSE(index.find(index.topics(), group.commit.last_sequence, 1).has_value());
  });
}

// G1: a reader that goes on from `covered` sees every event of its topics, and comes to the end.
TEST(SegmentIndex, following_what_is_covered_passes_every_event) {
  const TestSegment segment = random_segment(21, 1'500);
  const SegmentIndex index = segment.index();
  for (const Topics& topics : {Topics{1}, Topics{2, 105}, Topics{100, 101, 102, 103}, Topics{200}, index.topics()}) {
    std::size_t seen = 0;
    Sequence after = 0;
    while (const auto range = index.find(topics, after, 200'000)) {
      ASSERT_GT(range->covered, after);
      EXPECT_TRUE(range->end == range->first + 1 || range->end_offset - range->begin_offset <= 200'000);
      for (const WrittenBatch& batch : segment.batches()) {
        if (batch.first_sequence <= after || batch.last_sequence > range->covered) continue;
        if (std::ranges::count(topics, batch.topic) == 0) continue;
        EXPECT_GE(batch.offset, range->begin_offset);
        EXPECT_LE(batch.end_offset, range->end_offset);
        ++seen;
      }
      after = range->covered;
    }
    EXPECT_EQ(after, index.last_sequence());
    EXPECT_EQ(seen, std::ranges::count_if(segment.batches(), [&](const WrittenBatch& batch) {
                return std::ranges::count(topics, batch.topic) > 0;
              }));
  }
}

// 2,000 extents of a busy topic, and a thousand topics at its end.
TEST(SegmentIndex, a_read_costs_what_it_returns_and_a_search_for_each_topic) {
  TestSegment segment;
  for (int i = 0; i < 2'000; ++i) segment.write({{.topic = 1, .value_bytes = 70'000}});
  Topics rare;
  for (TopicId topic = 2; topic < 1'002; ++topic) {
    segment.write({{.topic = topic}});
    rare.push_back(topic);
  }
  const SegmentIndex index = segment.index();
  const auto cost = [&](const Topics& topics, Sequence after) {
    const std::uint64_t before = index.parts_looked_at();
    EXPECT_TRUE(index.find(topics, after, 300'000).has_value());
    return index.parts_looked_at() - before;
  };
  for (const Sequence after : {0, 1'000, 1'990}) EXPECT_LE(cost({1}, after), 32u + 5);
  EXPECT_LE(cost(rare, 0), 1'000u);
  EXPECT_EQ(cost({500}, 0), 1u);
}

TEST(SegmentIndex, finds_the_first_event_at_or_behind_a_time_by_the_running_maximum) {
  for (unsigned seed = 30; seed < 33; ++seed) {
    const TestSegment segment = random_segment(seed, 800);
    const SegmentIndex index = segment.index();
    for (std::int64_t wall_ms = segment.batches().front().wall_ms - 100; wall_ms < index.wall_ms_max() + 100;
         wall_ms += 61) {
      const auto first = std::ranges::find_if(segment.batches(), [&](const auto& at) { return at.wall_ms >= wall_ms; });
      const bool is_there = first != segment.batches().end();
      ASSERT_EQ(index.find_time(wall_ms), is_there ? std::optional(first->extent) : std::nullopt);
    }
    EXPECT_EQ(index.find_time(std::numeric_limits<std::int64_t>::min()), 0u);
    EXPECT_FALSE(index.find_time(index.wall_ms_max() + 1).has_value());
    EXPECT_TRUE(index.find_time(index.wall_ms_max()).has_value());
  }
}

TEST(SegmentIndex, feeds_the_addresses_of_each_extent) {
  const TestSegment segment = random_segment(40, 800);
  SegmentIndex index;
  AddressIndex addresses;
  SegmentRepeats repeats;
  segment.feed(index, addresses, repeats);
  std::map<std::uint64_t, std::set<std::uint32_t>> model;
  for (const WrittenBatch& batch : segment.batches()) {
    for (const std::uint64_t hash : batch.addresses) model[hash].insert(static_cast<std::uint32_t>(batch.extent));
  }
  for (const auto& [hash, extents] : model) {
    EXPECT_EQ(addresses.extents_of(hash), std::vector<std::uint32_t>(extents.begin(), extents.end()));
    EXPECT_EQ(addresses.newest_extent_of(hash), *extents.rbegin());
  }
  EXPECT_EQ(index.encode(), segment.index().encode());
}

TEST(SegmentIndex, comes_back_from_its_code) {
  for (unsigned seed = 50; seed < 54; ++seed) {
    const TestSegment segment = random_segment(seed, 500);
    const SegmentIndex index = segment.index();
    const auto back = SegmentIndex::decode(index.encode());
    ASSERT_TRUE(back.has_value());
    expect_same_answers(segment, *back, seed);
    EXPECT_EQ(back->encode(), index.encode());
    EXPECT_EQ(back->batch_bytes(), index.batch_bytes());
    EXPECT_EQ(back->last_lane_time_ns(), index.last_lane_time_ns());
    EXPECT_EQ(back->wall_ms_max(), index.wall_ms_max());
  }
  EXPECT_TRUE(SegmentIndex::decode(SegmentIndex().encode()).value().empty());
}

TEST(SegmentIndex, a_decoded_one_goes_on_where_it_ended) {
  TestSegment segment = random_segment(60, 300);
  SegmentIndex index = SegmentIndex::decode(segment.index().encode()).value();
  const std::uint64_t end = segment.end_offset();
  for (int i = 0; i < 100; ++i) segment.write({{.topic = 1, .value_bytes = 5'000}, {.topic = 300}});
  segment.each_group([&](std::uint64_t offset, const GroupView& group) {
    if (offset >= end) index.add(offset, group);
  });
  EXPECT_EQ(index.encode(), segment.index().encode());
}

// Beneath the checksum of a footer: nothing that decode() takes may break what is asked of it.
TEST(SegmentIndex, code_that_is_cut_is_refused_and_damage_never_breaks_an_index) {
  const std::string bytes = random_segment(61, 60).index().encode();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_FALSE(SegmentIndex::decode(base::Bytes(bytes).substr(0, size)).has_value()) << size;
  }
  ASSERT_FALSE(SegmentIndex::decode(bytes + '\0').has_value());
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const int bit : {1, 8, 128, 255}) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ bit);
      const auto index = SegmentIndex::decode(damaged);
      if (!index) continue;
      const Topics topics = index->topics();
      Sequence after = 0;
      while (const auto range = index->find(topics, after, 100'000)) {
        ASSERT_LE(range->end, index->extents().size());
        ASSERT_LT(range->begin_offset, range->end_offset);
        ASSERT_LE(range->end_offset, index->end_offset());
        ASSERT_GT(range->covered, after);
        after = range->covered;
      }
    }
  }
}

TEST(SegmentIndex, takes_little_memory) {
  TestSegment segment;
  std::mt19937_64 random(1);
  // 16 MiB of single events of 100 topics.
  while (segment.end_offset() < 16 * kMiB) {
    segment.write({{.topic = static_cast<TopicId>(1 + random() % 100), .value_bytes = 300}});
  }
  const SegmentIndex open = segment.index();
  const SegmentIndex sealed = SegmentIndex::decode(open.encode()).value();
  std::size_t parts = 0;
  for (const TopicId topic : open.topics()) parts += open.parts(topic).size();
  ASSERT_GT(parts, 10'000u);
  EXPECT_LE(sealed.memory_bytes(), 40 * sealed.extents().size() + 7 * parts + 200 * 100 + 200);
  EXPECT_LE(open.memory_bytes(), 2 * sealed.memory_bytes());
  EXPECT_LE(open.encode().size(), 40 + 40 * open.extents().size() + 6 * parts + 30 * 100);
}

}  // namespace
}  // namespace storage
