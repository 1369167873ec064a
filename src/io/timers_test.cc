// SPDX-License-Identifier: Apache-2.0
#include "io/timers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <vector>

namespace io {
namespace {

constexpr std::uint64_t kTick = TimerWheel::kTickNs;
constexpr std::uint64_t kRound = kTick * TimerWheel::kSlots;

// A timer with a number, that writes down when it fired and then does `then`.
struct Probe {
  explicit Probe(int number, std::vector<int>& fired)
      : fired_numbers(fired), number_(number), timer(&Probe::on_timer, this) {}
  static void on_timer(void* context) {
    Probe& self = *static_cast<Probe*>(context);
    self.fired_numbers.push_back(self.number_);
    if (self.then) self.then();
  }
  std::vector<int>& fired_numbers;
  int number_;
  std::function<void()> then;
  Timer timer;
};

TEST(Timers, fires_in_the_first_tick_at_or_after_the_deadline) {
  TimerWheel wheel(0);
  std::vector<int> fired;
  Probe probe(1, fired);
  wheel.set(probe.timer, 10 * kTick + 1);
  wheel.advance(11 * kTick - 1);
  EXPECT_TRUE(fired.empty());
  EXPECT_TRUE(probe.timer.is_set());
  wheel.advance(11 * kTick);
  EXPECT_EQ(fired, std::vector{1});
  EXPECT_FALSE(probe.timer.is_set());
  wheel.advance(3 * kRound);
  EXPECT_EQ(fired, std::vector{1});
}

TEST(Timers, a_deadline_in_the_past_fires_in_the_next_tick) {
  TimerWheel wheel(5 * kTick);
  std::vector<int> fired;
  Probe probe(1, fired);
  wheel.set(probe.timer, 0);
  wheel.advance(5 * kTick);
  EXPECT_TRUE(fired.empty());
  wheel.advance(6 * kTick);
  EXPECT_EQ(fired, std::vector{1});
}

TEST(Timers, a_timer_longer_than_the_wheel_goes_round) {
  TimerWheel wheel(0);
  std::vector<int> fired;
  Probe probe(1, fired);
  wheel.set(probe.timer, 3 * kRound + 7 * kTick);
  for (std::uint64_t now = 0; now < 3 * kRound + 7 * kTick; now += 100 * kTick) wheel.advance(now);
  wheel.advance(3 * kRound + 7 * kTick - 1);
  EXPECT_TRUE(fired.empty());
  wheel.advance(3 * kRound + 7 * kTick);
  EXPECT_EQ(fired, std::vector{1});
}

TEST(Timers, a_long_pause_still_fires_in_order_of_ticks) {
  TimerWheel wheel(0);
  std::vector<int> fired;
  Probe late(2, fired);
  Probe early(1, fired);
  wheel.set(late.timer, kRound + 10 * kTick);
  wheel.set(early.timer, 500 * kTick);
  wheel.advance(4 * kRound);
  EXPECT_EQ(fired, (std::vector{1, 2}));
}

TEST(Timers, set_moves_and_cancel_removes) {
  TimerWheel wheel(0);
  std::vector<int> fired;
  Probe moved(1, fired);
  Probe cancelled(2, fired);
  wheel.set(moved.timer, 5 * kTick);
  wheel.set(moved.timer, 9 * kTick);
  wheel.set(cancelled.timer, 5 * kTick);
  cancelled.timer.cancel();
  wheel.advance(8 * kTick);
  EXPECT_TRUE(fired.empty());
  wheel.advance(9 * kTick);
  EXPECT_EQ(fired, std::vector{1});
}

TEST(Timers, a_callback_may_destroy_cancel_and_set_any_timer) {
  TimerWheel wheel(0);
  std::vector<int> fired;
  Probe first(1, fired);
  auto destroyed = std::make_unique<Probe>(2, fired);
  Probe cancelled(3, fired);
  auto suicidal = std::make_unique<Probe>(4, fired);
  for (Timer* timer : {&first.timer, &destroyed->timer, &cancelled.timer, &suicidal->timer})
    wheel.set(*timer, 3 * kTick);
  first.then = [&] {
    destroyed.reset();
    cancelled.timer.cancel();
    wheel.set(first.timer, 3 * kTick);  // in the past: the next tick, not this one again
  };
  suicidal->then = [&] { suicidal.reset(); };
  wheel.advance(3 * kTick);
  EXPECT_EQ(fired, (std::vector{1, 4}));
  first.then = nullptr;
  wheel.advance(4 * kTick);
  EXPECT_EQ(fired, (std::vector{1, 4, 1}));
}

TEST(Timers, a_wheel_may_end_before_its_timers) {
  std::vector<int> fired;
  Probe probe(1, fired);
  {
    TimerWheel wheel(0);
    wheel.set(probe.timer, kTick);
  }
  EXPECT_FALSE(probe.timer.is_set());
}

TEST(Timers, an_empty_wheel_never_asks_to_be_advanced) {
  TimerWheel wheel(123 * kTick);
  EXPECT_EQ(wheel.next_ns(), TimerWheel::kNever);
  std::vector<int> fired;
  Probe probe(1, fired);
  wheel.set(probe.timer, 200 * kTick);
  EXPECT_EQ(wheel.next_ns(), 200 * kTick);
}

// The wheel against a sorted list: the same timers fire, in the same order of ticks, none early and none forgotten.
class Model {
 public:
  explicit Model(std::uint64_t seed) : random_(seed), now_(random_() % kRound), wheel_(now_) {
    for (int i = 0; i < 64; ++i) probes_.push_back(std::make_unique<Probe>(i, fired_));
  }

  void step() {
    switch (random_() % 4) {
      case 0:
      case 1: return set();
      case 2: return cancel();
      default: return advance();
    }
  }

 private:
  std::uint64_t tick_of(std::uint64_t deadline) const {
    return std::max((deadline + kTick - 1) / kTick, now_ / kTick + 1);
  }
  int pick() { return static_cast<int>(random_() % probes_.size()); }
  void forget(int number) {
    std::erase_if(due_, [&](const auto& entry) { return entry.second == number; });
  }

  void set() {
    const int number = pick();
    const std::uint64_t spans[] = {kTick, 20 * kTick, kRound, 3 * kRound};
    const std::uint64_t deadline = now_ + random_() % spans[random_() % 4];
    wheel_.set(probes_[number]->timer, deadline);
    forget(number);
    due_.emplace(tick_of(deadline), number);
  }

  void cancel() {
    const int number = pick();
    probes_[number]->timer.cancel();
    forget(number);
  }

  void advance() {
    const std::uint64_t spans[] = {kTick / 2, 5 * kTick, kRound / 3, 3 * kRound};
    const std::uint64_t next = wheel_.next_ns();
    if (!due_.empty()) {
      ASSERT_LE(next, due_.begin()->first * kTick) << "would sleep past a deadline";
    }
    ASSERT_GT(next, now_) << "would not sleep at all";
    now_ = random_() % 3 == 0 && next != TimerWheel::kNever ? next : now_ + random_() % spans[random_() % 4];
    std::vector<std::pair<std::uint64_t, int>> expected;
    while (!due_.empty() && due_.begin()->first <= now_ / kTick) {
      expected.emplace_back(*due_.begin());
      due_.erase(due_.begin());
    }
    fired_.clear();
    wheel_.advance(now_);
    ASSERT_EQ(fired_.size(), expected.size());
    std::vector<std::pair<std::uint64_t, int>> actual;
    for (const auto& fired : fired_) {
      const auto found = std::ranges::find(expected, fired, &std::pair<std::uint64_t, int>::second);
      ASSERT_NE(found, expected.end());
      actual.push_back(*found);
    }
    EXPECT_TRUE(std::ranges::is_sorted(actual, {}, &std::pair<std::uint64_t, int>::first));
  }

  std::mt19937_64 random_;
  std::uint64_t now_;
  TimerWheel wheel_;
  std::vector<int> fired_;
  std::vector<std::unique_ptr<Probe>> probes_;
  std::multimap<std::uint64_t, int> due_;
};

TEST(Timers, behaves_like_a_sorted_list_in_any_order_of_calls) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    Model model(seed);
    for (int i = 0; i < 500 && !testing::Test::HasFailure(); ++i) model.step();
  }
}

}  // namespace
}  // namespace io
