// SPDX-License-Identifier: Apache-2.0
#include "storage/log/space.h"

#include <gtest/gtest.h>

#include <vector>

namespace storage {
namespace {

using Budget = Log::Budget;
using Seal = SpaceVerdict::Seal;
using Life = SegmentSpace::Life;

constexpr SpaceLimits kLimits{.bytes_max = 1'600, .protect_age_ns = 60, .repeat_window_ns = 10};
constexpr std::uint64_t kOld = 61, kYoung = 60;  // for what is protected

TEST(Space, leaves_everything_that_fits) {
  const SpaceVerdict verdict = judge_space({{800, kOld, Life::Live}, {800, 0, Life::Live}}, kLimits, Budget::Within);
  EXPECT_FALSE(verdict.trim_through);
  EXPECT_EQ(verdict.budget, Budget::Within);
  EXPECT_EQ(verdict.seal, Seal::No);
}

TEST(Space, trims_whole_segments_oldest_first_until_the_rest_fits) {
  const std::vector<SegmentSpace> segments = {{500, kOld, Life::Live},
                                              {500, kOld, Life::Live},
                                              {500, kOld, Life::Live},
                                              {500, kOld, Life::Live},
                                              {400, 0, Life::Live}};
  const SpaceVerdict verdict = judge_space(segments, kLimits, Budget::Within);
  EXPECT_EQ(verdict.trim_through, 1u);
  EXPECT_EQ(verdict.budget, Budget::Within) << "what goes makes room";
}

TEST(Space, counts_dead_segments_as_gone_before_it_trims_another) {
  const std::vector<SegmentSpace> segments = {{500, kOld, Life::Dead}, {1'200, kOld, Life::Live}, {300, 0, Life::Live}};
  const SpaceVerdict verdict = judge_space(segments, kLimits, Budget::Within);
  EXPECT_FALSE(verdict.trim_through);
  EXPECT_EQ(verdict.budget, Budget::Within);
}

TEST(Space, refuses_publishing_rather_than_trim_what_is_young) {
  const std::vector<SegmentSpace> segments = {
      {900, kYoung, Life::Live}, {900, kYoung, Life::Live}, {10, 0, Life::Dead}};
  const SpaceVerdict verdict = judge_space(segments, kLimits, Budget::Within);
  EXPECT_FALSE(verdict.trim_through);
  EXPECT_EQ(verdict.budget, Budget::Exceeded);
}

TEST(Space, takes_publishers_again_only_with_some_room) {
  const auto after = [](std::uint64_t bytes, Budget before) {
    return judge_space({{bytes - 100, kYoung, Life::Live}, {100, 0, Life::Live}}, kLimits, before).budget;
  };
  EXPECT_EQ(after(1'600, Budget::Within), Budget::Within);
  EXPECT_EQ(after(1'601, Budget::Within), Budget::Exceeded);
  EXPECT_EQ(after(1'600, Budget::Exceeded), Budget::Exceeded);
  EXPECT_EQ(after(1'501, Budget::Exceeded), Budget::Exceeded);
  EXPECT_EQ(after(1'500, Budget::Exceeded), Budget::Within);
}

TEST(Space, trims_for_that_room_too_once_publishing_was_refused) {
  const std::vector<SegmentSpace> segments = {{700, kOld, Life::Live}, {880, kYoung, Life::Live}, {10, 0, Life::Dead}};
  EXPECT_FALSE(judge_space(segments, kLimits, Budget::Within).trim_through);
  EXPECT_EQ(judge_space(segments, kLimits, Budget::Exceeded).trim_through, 0u);
}

TEST(Space, does_not_count_what_the_window_of_repeats_protects) {
  const std::vector<SegmentSpace> segments = {{2'000, 10, Life::Dead}, {900, kOld, Life::Live}, {100, 0, Life::Live}};
  const SpaceVerdict verdict = judge_space(segments, kLimits, Budget::Within);
  EXPECT_FALSE(verdict.trim_through);
  EXPECT_EQ(verdict.budget, Budget::Within);
}

TEST(Space, seals_the_newest_segment_when_that_is_all_there_is_to_trim) {
  EXPECT_EQ(judge_space({{1'700, kOld, Life::Live}}, kLimits, Budget::Within).seal, Seal::Yes);
  EXPECT_EQ(judge_space({{600, kOld, Life::Dead}, {1'700, kOld, Life::Live}}, kLimits, Budget::Within).seal, Seal::Yes);
  EXPECT_EQ(judge_space({{600, kOld, Life::Live}, {1'700, kOld, Life::Live}}, kLimits, Budget::Within).seal, Seal::Yes);
  EXPECT_EQ(judge_space({{1'700, kYoung, Life::Live}}, kLimits, Budget::Within).seal, Seal::No);
  EXPECT_EQ(judge_space({{1'700, kYoung, Life::Live}}, kLimits, Budget::Within).budget, Budget::Exceeded);
  EXPECT_EQ(judge_space({{1'700, kOld, Life::Dead}}, kLimits, Budget::Within).seal, Seal::No) << "without an event";
}

TEST(Space, is_half_of_a_small_file_system_and_ten_gibibytes_of_a_large_one) {
  EXPECT_EQ(default_bytes_max(1'000), 500u);
  EXPECT_EQ(default_bytes_max(std::uint64_t{1} << 40), kLogBytesMax);
}

}  // namespace
}  // namespace storage
