// SPDX-License-Identifier: Apache-2.0
#include "io/waiting_bytes.h"

#include <gtest/gtest.h>

#include <array>
#include <thread>

namespace io {
namespace {

TEST(WaitingBytes, are_let_in_up_to_their_bound_exactly) {
  WaitingBytes waiting(10);
  EXPECT_TRUE(waiting.enter(4));
  EXPECT_FALSE(waiting.enter(7));
  EXPECT_FALSE(waiting.enter(~std::size_t{0})) << "no sum wraps around";
  EXPECT_TRUE(waiting.enter(6)) << "what was refused is not counted";
  EXPECT_FALSE(waiting.enter(1));
  EXPECT_TRUE(waiting.enter(0));
}

TEST(WaitingBytes, make_room_when_they_leave) {
  WaitingBytes waiting(10);
  EXPECT_TRUE(waiting.enter(4));
  EXPECT_TRUE(waiting.enter(6));
  waiting.leave(4);
  EXPECT_FALSE(waiting.enter(5));
  EXPECT_TRUE(waiting.enter(4));
}

TEST(WaitingBytes, are_counted_right_from_several_threads) {
  constexpr std::size_t kThreads = 4, kRounds = 20'000, kEach = 3;
  WaitingBytes waiting(kEach * kThreads);
  std::array<std::size_t, kThreads> refused{};
  std::array<std::thread, kThreads> threads;
  for (std::size_t i = 0; i < kThreads; ++i) {
    threads[i] = std::thread([&, i] {
      for (std::size_t round = 0; round < kRounds; ++round) {
        if (waiting.enter(kEach))
          waiting.leave(kEach);
        else
          ++refused[i];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::size_t count : refused) EXPECT_EQ(count, 0u) << "there was room for everybody";
  EXPECT_TRUE(waiting.enter(kEach * kThreads)) << "all have left";
}

}  // namespace
}  // namespace io
