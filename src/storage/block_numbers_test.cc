// SPDX-License-Identifier: Apache-2.0
#include "storage/block_numbers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>

namespace storage {
namespace {

TEST(BlockNumbers, behave_like_a_deque_within_four_times_its_room) {
  for (unsigned seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    BlockNumbers numbers;
    std::deque<BlockNumber> model;
    BlockNumber next = 0;
    for (int turn = 0; turn < 2'000; ++turn) {
      const bool grows = random() % 100 < (turn / 400 % 2 == 0 ? 70u : 35u);
      if (grows || model.empty()) {
        next += 1 + random() % 3;
        numbers.push_back(next);
        model.push_back(next);
      } else {
        numbers.pop_front();
        model.pop_front();
      }
      ASSERT_EQ(numbers.size(), model.size());
      ASSERT_LE(numbers.room() * sizeof(BlockNumber), model.size() * BlockNumbers::kBytesMax);
      if (model.empty()) continue;
      ASSERT_EQ(numbers.front(), model.front());
      ASSERT_EQ(numbers.back(), model.back());
      const BlockNumber asked = model.front() + random() % (next - model.front() + 3);
      ASSERT_EQ(numbers.lower_bound(asked),
                static_cast<std::size_t>(std::ranges::lower_bound(model, asked) - model.begin()));
      const std::size_t index = random() % model.size();
      ASSERT_EQ(numbers.at(index), model[index]);
    }
  }
}

TEST(BlockNumbers, take_nothing_once_all_are_gone) {
  BlockNumbers numbers;
  for (BlockNumber number = 0; number < 1'000; ++number) numbers.push_back(number);
  for (BlockNumber number = 0; number < 1'000; ++number) {
    EXPECT_EQ(numbers.front(), number);
    numbers.pop_front();
  }
  EXPECT_TRUE(numbers.empty());
  EXPECT_EQ(numbers.room(), 0u);
  EXPECT_EQ(numbers.lower_bound(0), 0u);
}

TEST(BlockNumbersDeathTest, numbers_ascend) {
  BlockNumbers numbers;
  numbers.push_back(7);
  EXPECT_DEATH(numbers.push_back(7), "older");
}

}  // namespace
}  // namespace storage
