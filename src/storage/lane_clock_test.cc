// SPDX-License-Identifier: Apache-2.0
#include "storage/lane_clock.h"

#include <gtest/gtest.h>

#include "storage/test_stage.h"

namespace storage {
namespace {

constexpr std::uint64_t kSecondNs = 1'000'000'000;
constexpr std::uint64_t kLived = 50 * kSecondNs;  // before this start

class LaneClockTest : public testing::Test {
 protected:
  void SetUp() override { stage_.clock().now_ns = 7'000 * kSecondNs; }
  // The last commit was so long ago, by the wall clock.
  LastCommitTime last(std::int64_t seconds_ago) { return {kLived, stage_.clock().wall_ms() - seconds_ago * 1'000}; }
  void pass(std::uint64_t seconds) {
    stage_.clock().now_ns += seconds * kSecondNs;
    stage_.turn(stage_.lane_loop());
  }
  io::Loop& loop() {
    stage_.turn(stage_.lane_loop());
    return stage_.lane_loop();
  }

  Stage stage_{0};
};

TEST_F(LaneClockTest, counts_what_passed_while_nothing_ran) {
  const LaneClock clock(loop(), last(600));
  EXPECT_EQ(clock.now_ns(), kLived + 600 * kSecondNs);
  EXPECT_TRUE(clock.settled());
  pass(5);
  EXPECT_EQ(clock.now_ns(), kLived + 605 * kSecondNs);
}

TEST_F(LaneClockTest, never_goes_back_with_the_wall_clock) {
  const LaneClock clock(loop(), last(-86'400));
  EXPECT_EQ(clock.now_ns(), kLived);
  EXPECT_TRUE(clock.settled());
}

TEST_F(LaneClockTest, does_not_believe_a_large_step_until_ten_minutes_have_passed) {
  LaneClock clock(loop(), last(86'400));
  EXPECT_FALSE(clock.settled());
  EXPECT_EQ(clock.now_ns(), kLived);
  pass(599);
  clock.settle();
  EXPECT_FALSE(clock.settled());
  pass(1);
  clock.settle();
  EXPECT_TRUE(clock.settled());
  EXPECT_EQ(clock.now_ns(), kLived + 600 * kSecondNs);
}

TEST_F(LaneClockTest, what_it_believes_late_makes_only_older_what_was_there_before) {
  LaneClock clock(loop(), last(86'400));
  EXPECT_EQ(clock.older_than_ns(0), 0u);
  pass(600);
  clock.settle();
  EXPECT_EQ(clock.older_than_ns(3'600 * kSecondNs), kLived + 1);  // all of that, and nothing of this start
  EXPECT_EQ(clock.older_than_ns(100 * kSecondNs), kLived + 500 * kSecondNs);
  EXPECT_EQ(clock.older_than_ns(2 * 86'400 * kSecondNs), 0u);
}

TEST_F(LaneClockTest, begins_at_zero_in_a_new_lane) {
  const LaneClock clock(loop());
  EXPECT_EQ(clock.now_ns(), 0u);
  EXPECT_TRUE(clock.settled());
}

}  // namespace
}  // namespace storage
