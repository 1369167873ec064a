// SPDX-License-Identifier: Apache-2.0
#include "engine/tail.h"

#include <gtest/gtest.h>

namespace engine {
namespace {

storage::BlockPtr block(storage::Sequence first, std::uint32_t records, std::size_t bytes = 100) {
  auto block = std::make_shared<storage::Block>();
  block->bytes.assign(bytes, 'x');
  block->entries.push_back({1, records, first, block->bytes});
  return block;
}

TEST(Tail, begins_where_it_was_started) {
  const Tail tail(7);
  EXPECT_EQ(tail.begin(), 7u);
  EXPECT_EQ(tail.end(), 7u);
  EXPECT_TRUE(tail.covers(7));
  EXPECT_FALSE(tail.covers(6));
  EXPECT_EQ(tail.next(7), nullptr);
}

TEST(Tail, finds_the_first_block_behind_a_position) {
  Tail tail(0);
  const auto one = block(1, 3), two = block(4, 1), three = block(5, 10);
  for (const auto& each : {one, two, three}) tail.push(each);
  EXPECT_EQ(tail.end(), 14u);
  EXPECT_EQ(tail.next(0), one);
  EXPECT_EQ(tail.next(2), one) << "a part of the block is behind the position";
  EXPECT_EQ(tail.next(3), two);
  EXPECT_EQ(tail.next(4), three);
  EXPECT_EQ(tail.next(13), three);
  EXPECT_EQ(tail.next(14), nullptr);
  EXPECT_EQ(tail.next(99), nullptr) << "a position may be ahead of the loop";
}

TEST(Tail, forgets_the_oldest_and_no_longer_covers_it) {
  Tail tail(0);
  constexpr std::size_t kThird = kTailBytesMax / 3 - 1'000;
  for (storage::Sequence sequence = 1; sequence <= 4; ++sequence) tail.push(block(sequence, 1, kThird));
  EXPECT_EQ(tail.begin(), 1u);
  EXPECT_FALSE(tail.covers(0));
  EXPECT_TRUE(tail.covers(1));
  EXPECT_EQ(tail.next(1)->first(), 2u);
}

TEST(Tail, keeps_one_block_whatever_its_size) {
  Tail tail(0);
  tail.push(block(1, 1));
  tail.push(block(2, 1, kTailBytesMax + 1));
  EXPECT_EQ(tail.begin(), 1u);
  EXPECT_EQ(tail.next(1)->first(), 2u);
}

TEST(Tail, counts_what_tiny_blocks_take_and_not_only_their_bytes) {
  Tail tail(0);
  const storage::Sequence many = kTailBytesMax / sizeof(storage::Block);
  for (storage::Sequence sequence = 1; sequence <= many; ++sequence) tail.push(block(sequence, 1, 1));
  EXPECT_GT(tail.begin(), 0u);
}

TEST(Tail, has_nothing_at_or_before_a_restart) {
  Tail tail(0);
  tail.push(block(1, 3));
  tail.restart(10);
  EXPECT_FALSE(tail.covers(3));
  EXPECT_TRUE(tail.covers(10));
  EXPECT_EQ(tail.end(), 10u);
  EXPECT_EQ(tail.next(10), nullptr);
  tail.push(block(11, 1));
  EXPECT_EQ(tail.next(10)->first(), 11u);
}

TEST(TailDeathTest, does_not_take_a_commit_twice) {
  Tail tail(0);
  tail.push(block(1, 3));
  EXPECT_DEATH(tail.push(block(3, 1)), "twice or out of order");
}

}  // namespace
}  // namespace engine
