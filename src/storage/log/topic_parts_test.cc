// SPDX-License-Identifier: Apache-2.0
#include "storage/log/topic_parts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace storage {
namespace {

std::vector<TopicPart> random_parts(unsigned seed, std::size_t count) {
  std::mt19937_64 random(seed);
  std::vector<TopicPart> parts;
  TopicPart next{.extent = random() % 5, .last_sequence = random() % (std::uint64_t{1} << 42)};
  for (std::size_t i = 0; i < count; ++i) {
    next.events = random() % 4 == 0 ? 1 + static_cast<std::uint32_t>(random() % 100'000) : 1;
    next.bytes = random() % 4 == 0 ? random() % 9'000'000 : random() % 300;
    next.last_sequence += next.events + random() % 500;
    parts.push_back(next);
    next.extent += random() % 8 == 0 ? 1 + random() % 1'000 : 1;
    next.first_offset += next.events + (random() % 16 == 0 ? random() % 1'000 : 0);
  }
  return parts;
}

TopicParts list_of(const std::vector<TopicPart>& parts) {
  TopicParts list;
  for (const TopicPart& part : parts) list.add(part);
  return list;
}

std::vector<TopicPart> behind(const TopicParts& list, Sequence after) {
  std::vector<TopicPart> parts;
  for (TopicParts::Walk walk(list, after); !walk.done(); walk.advance()) parts.push_back(walk.part());
  return parts;
}

std::string encoded(const TopicParts& list) {
  std::string bytes;
  list.encode(bytes);
  return bytes;
}

base::Result<TopicParts> decoded(base::Bytes bytes) {
  LittleEndianReader in(bytes);
  return TopicParts::decode(in);
}

// Around skip points, and many.
constexpr std::size_t kCounts[] = {0, 1, 2, 31, 32, 33, 34, 63, 64, 65, 66, 300};

TEST(TopicParts, gives_back_what_was_added) {
  for (const std::size_t count : kCounts) {
    const std::vector<TopicPart> parts = random_parts(1, count);
    const TopicParts list = list_of(parts);
    EXPECT_EQ(behind(list, 0), parts);
    EXPECT_EQ(list.size(), count);
    EXPECT_EQ(list.newest(), count > 0 ? parts.back() : TopicPart{});
  }
}

TEST(TopicParts, more_events_of_an_extent_grow_its_part) {
  TopicParts list;
  list.add({.extent = 3, .events = 2, .bytes = 100, .last_sequence = 9, .first_offset = 40});
  list.add({.extent = 3, .events = 1, .bytes = 50, .last_sequence = 20, .first_offset = 42});
  EXPECT_EQ(
      behind(list, 0),
      (std::vector<TopicPart>{{.extent = 3, .events = 3, .bytes = 150, .last_sequence = 20, .first_offset = 40}}));
}

TEST(TopicParts, a_walk_from_any_position_finds_exactly_what_lies_behind_it) {
  for (const std::size_t count : kCounts) {
    const std::vector<TopicPart> parts = random_parts(2, count);
    const TopicParts list = list_of(parts);
    for (const TopicPart& at : parts) {
      for (const Sequence after : {at.last_sequence - 1, at.last_sequence, at.last_sequence + 1}) {
        const auto first = std::ranges::upper_bound(parts, after, {}, &TopicPart::last_sequence);
        ASSERT_EQ(behind(list, after), std::vector<TopicPart>(first, parts.end()));
        std::uint64_t bytes = 0;
        for (auto part = first; part != parts.end(); ++part) bytes += part->bytes;
        ASSERT_EQ(list.bytes_behind(after), bytes);
      }
    }
  }
}

TEST(TopicParts, a_search_decodes_no_more_than_one_skip) {
  const std::vector<TopicPart> parts = random_parts(3, 4'096);
  const TopicParts list = list_of(parts);
  for (const TopicPart& at : parts) {
    EXPECT_LE(TopicParts::Walk(list, at.last_sequence - 1).looked_at(), TopicParts::kPartsPerSkip);
    EXPECT_LE(TopicParts::Walk(list, at.last_sequence).looked_at(), TopicParts::kPartsPerSkip);
  }
  EXPECT_EQ(TopicParts::Walk(list, parts.back().last_sequence).looked_at(), 0u);
}

TEST(TopicParts, a_part_takes_about_seven_bytes) {
  TopicParts busy;
  TopicParts rare;
  for (std::size_t i = 0; i < 4'096; ++i) {
    const auto offset = static_cast<std::int64_t>(i);
    busy.add({i, 90, 20'000, 1'000 * i + 1'000, offset * 90});
    rare.add({i, 1, 300, 1'000 * i + 1'000, offset});
  }
  EXPECT_LE(encoded(busy).size(), 4'096 * 7 + 10);
  EXPECT_LE(encoded(rare).size(), 4'096 * 5 + 10);
  const TopicParts sealed = decoded(encoded(rare)).value();
  EXPECT_LE(sealed.memory_bytes(), sizeof(TopicParts) + 4'096 * 6);
}

TEST(TopicParts, comes_back_from_its_code_and_goes_on) {
  const std::vector<TopicPart> parts = random_parts(4, 200);
  for (std::size_t count = 0; count < parts.size(); ++count) {
    const std::vector<TopicPart> first(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(count));
    auto list = decoded(encoded(list_of(first)));
    ASSERT_TRUE(list.has_value());
    ASSERT_EQ(behind(*list, 0), first);
    ASSERT_EQ(list->bytes(), list_of(first).bytes());
    for (std::size_t i = count; i < parts.size(); ++i) list->add(parts[i]);
    ASSERT_EQ(encoded(*list), encoded(list_of(parts)));
    for (std::size_t at = 0; at < parts.size(); at += 9) {
      const std::vector<TopicPart> rest(parts.begin() + static_cast<std::ptrdiff_t>(at) + 1, parts.end());
      ASSERT_EQ(behind(*list, parts[at].last_sequence), rest) << count;
    }
  }
}

TEST(TopicParts, grows_its_newest_part_after_it_came_back) {
  const std::vector<TopicPart> parts = random_parts(4, 33);
  TopicParts list = decoded(encoded(list_of(parts))).value();
  list.add({parts.back().extent, 2, 50, parts.back().last_sequence + 2, 0});
  TopicPart grown = parts.back();
  grown.events += 2;
  grown.bytes += 50;
  grown.last_sequence += 2;
  EXPECT_EQ(list.newest(), grown);
  EXPECT_EQ(list.size(), 33u);
}

TEST(TopicParts, code_that_is_cut_is_refused_and_damage_never_breaks_the_list) {
  const std::string bytes = encoded(list_of(random_parts(5, 100)));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decoded(base::Bytes(bytes).substr(0, size)).has_value()) << size;
  }
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const int bits : {1, 2, 16, 128, 255, int{bytes[at]}}) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ bits);
      const auto list = decoded(damaged);
      if (!list) continue;
      const std::vector<TopicPart> parts = behind(*list, 0);
      EXPECT_EQ(parts.size(), list->size());
      EXPECT_TRUE(std::ranges::is_sorted(parts, std::ranges::less_equal(), &TopicPart::last_sequence));  // none twice
      EXPECT_TRUE(std::ranges::all_of(parts, [](const TopicPart& part) { return part.events > 0; }));
    }
  }
}

}  // namespace
}  // namespace storage
