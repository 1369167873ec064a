// SPDX-License-Identifier: Apache-2.0
#include "storage/log/segment_retries.h"

#include <gtest/gtest.h>

namespace storage {
namespace {

TEST(SegmentRetries, waits_twice_as_long_after_each_failure_and_never_longer_than_an_hour) {
  SegmentRetries retries;
  EXPECT_TRUE(retries.is_due(7, 0));
  std::uint64_t now = 0;
  for (std::uint64_t wait = kRetryFirstNs; wait < 2 * kRetryNsMax; wait *= 2) {
    retries.put_off(7, now);
    const std::uint64_t due = now + std::min(wait, kRetryNsMax);
    EXPECT_FALSE(retries.is_due(7, due - 1));
    EXPECT_TRUE(retries.is_due(7, due));
    EXPECT_TRUE(retries.is_due(8, now)) << "another segment";
    now = due;
  }
}

TEST(SegmentRetries, never_comes_back_to_what_is_damaged) {
  SegmentRetries retries;
  retries.put_off(7, 0);
  retries.give_up(7);
  EXPECT_FALSE(retries.is_due(7, ~std::uint64_t{0} - 1));
}

TEST(SegmentRetries, begins_anew_after_a_success) {
  SegmentRetries retries;
  retries.put_off(7, 0);
  retries.put_off(7, 0);
  retries.forget(7);
  EXPECT_TRUE(retries.is_due(7, 0));
  retries.put_off(7, 0);
  EXPECT_TRUE(retries.is_due(7, kRetryFirstNs));
}

}  // namespace
}  // namespace storage
