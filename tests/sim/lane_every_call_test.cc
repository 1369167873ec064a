// SPDX-License-Identifier: Apache-2.0
// One thing goes wrong at the n-th operation on files, for n = 1, 2, 3 ..., in a small life of a lane.
#include <errno.h>
#include <gtest/gtest.h>

#include "tests/sim/lane_script.h"

namespace lane_sim {
namespace {

constexpr std::uint64_t kCallsMax = 5'000;  // more than the script has

class AtEveryCall : public testing::TestWithParam<std::size_t> {};

TEST_P(AtEveryCall, a_loss_of_power_takes_nothing_that_somebody_knew) {
  const auto loss = static_cast<sim::Loss>(GetParam());
  for (std::uint64_t n = 1;; ++n) {
    LaneScript script(n);
    script.files().cut_power_at_call(n);
    const bool came_to_its_end = script.play();
    ASSERT_EQ(script.wrong(), "") << "power lost at call " << n;
    if (came_to_its_end) {
      ASSERT_GT(n, 100u);
      return;
    }
    script.crash(loss);
    script.audit();
    ASSERT_EQ(script.wrong(), "") << "after power was lost at call " << n;
    script.audit();
    ASSERT_EQ(script.wrong(), "") << "at the second start after power was lost at call " << n;
  }
}

INSTANTIATE_TEST_SUITE_P(Losses, AtEveryCall, testing::Range(std::size_t{0}, sim::kLosses));

// The second crash, at each step of the recovery from the first.
TEST(RecoveryAtEveryCall, may_itself_be_cut_off) {
  for (std::uint64_t n = 5; n < kCallsMax; n += 11) {
    for (std::uint64_t m = 1;; ++m) {
      LaneScript script(n);
      script.files().cut_power_at_call(n);
      if (script.play()) return;
      script.crash(static_cast<sim::Loss>(m % sim::kLosses));
      script.files().cut_power_at_call(m);
      const bool started = script.start();
      ASSERT_EQ(script.wrong(), "") << "power lost at call " << n << ", and at call " << m << " of the recovery";
      script.crash(static_cast<sim::Loss>(m / sim::kLosses % sim::kLosses));
      script.audit();
      ASSERT_EQ(script.wrong(), "") << "after power was lost at call " << n << ", and at call " << m
                                    << " of the recovery";
      if (started) break;
    }
  }
}

// A start that fails at each of its steps, and the next one.
TEST(RecoveryAtEveryCall, may_fail_and_be_tried_again) {
  for (const int error : {EIO, ENOSPC, EDQUOT}) {
    for (std::uint64_t n = 5; n < kCallsMax; n += 31) {
      for (std::uint64_t m = 1;; ++m) {
        LaneScript script(n);
        script.files().cut_power_at_call(n);
        if (script.play()) break;
        script.crash(static_cast<sim::Loss>(m % sim::kLosses));
        script.allow_any_trouble();
        const std::uint64_t before = script.files().calls();
        script.files().fail_call(m, {base::Errc::System, "a failure made by the test", error});
        (void)script.open();
        const bool was_reached = script.files().calls() - before >= m;
        script.kill();
        if (!was_reached) break;
        script.audit();
        ASSERT_EQ(script.wrong(), "") << "error " << error << " at call " << m << " of the recovery after call " << n;
      }
    }
  }
}

class FailingCall : public testing::TestWithParam<int> {};

TEST_P(FailingCall, takes_nothing_that_somebody_knew) {
  for (std::uint64_t n = 1; n < kCallsMax; ++n) {
    LaneScript script(n);
    script.allow_any_trouble();
    script.files().fail_call(n, {base::Errc::System, "a failure made by the test", GetParam()});
    (void)script.play();
    ASSERT_EQ(script.wrong(), "") << "call " << n << " failed";
    if (script.files().calls() < n) return;
    if (n % 2 == 0)
      script.kill();
    else
      script.crash(script.files().any_loss());
    script.audit();
    ASSERT_EQ(script.wrong(), "") << "after call " << n << " had failed";
  }
  FAIL() << "the script has no end";
}

INSTANTIATE_TEST_SUITE_P(Errors, FailingCall, testing::Values(EIO, ENOSPC, EDQUOT));

}  // namespace
}  // namespace lane_sim
