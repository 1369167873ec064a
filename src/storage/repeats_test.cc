// SPDX-License-Identifier: Apache-2.0
#include "storage/repeats.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace storage {
namespace {

constexpr std::uint64_t kSecondNs = 1'000'000'000;

Repeat repeat(std::uint64_t key, std::uint64_t content = 0) {
  // Neighbours in the index on purpose: keys differ in the low bits alone.
  return {{key, 7}, {content, 0}};
}

Limits small(std::size_t entries) {
  Limits limits;
  limits.repeat_entries_max = entries;
  return limits;
}

TEST(Repeats, knows_an_id_for_the_whole_window_and_not_much_longer) {
  Repeats repeats{Limits{}};
  EXPECT_EQ(repeats.judge(repeat(1), 10, 0).verdict, Repeats::Verdict::New);
  const auto late = repeats.judge(repeat(1), 11, kRepeatWindowNs);
  EXPECT_EQ(late.verdict, Repeats::Verdict::Repeated);
  EXPECT_EQ(late.sequence, 10u);
  EXPECT_EQ(repeats.judge(repeat(1), 12, kRepeatWindowNs + Repeats::kMarkNs + 1).verdict, Repeats::Verdict::New);
  EXPECT_EQ(repeats.judge(repeat(1), 13, kRepeatWindowNs + Repeats::kMarkNs + 2).sequence, 12u);
}

TEST(Repeats, the_same_id_with_another_content_is_a_conflict) {
  Repeats repeats{Limits{}};
  repeats.judge(repeat(1, 5), 10, 0);
  EXPECT_EQ(repeats.judge(repeat(1, 6), 11, 0).verdict, Repeats::Verdict::Conflict);
  EXPECT_EQ(repeats.judge(repeat(1, 5), 11, 0).verdict, Repeats::Verdict::Repeated);
  EXPECT_EQ(repeats.find(repeat(1, 6), 0).verdict, Repeats::Verdict::Conflict);
  EXPECT_EQ(repeats.find(repeat(2, 6), 0).verdict, Repeats::Verdict::New);
  EXPECT_EQ(repeats.size(), 1u);
}

TEST(Repeats, a_full_table_refuses_rather_than_forget_what_is_guaranteed) {
  Repeats repeats{small(2)};
  repeats.judge(repeat(1), 1, 0);
  repeats.judge(repeat(2), 2, 0);
  EXPECT_EQ(repeats.judge(repeat(3), 3, kRepeatGuaranteedNs).verdict, Repeats::Verdict::Full);
  EXPECT_EQ(repeats.judge(repeat(1), 3, kRepeatGuaranteedNs).verdict, Repeats::Verdict::Repeated);
  EXPECT_EQ(repeats.forgotten_early(), 0u);
}

TEST(Repeats, a_full_table_forgets_the_oldest_that_is_not_guaranteed_and_counts_it) {
  Repeats repeats{small(2)};
  repeats.judge(repeat(1), 1, 0);
  repeats.judge(repeat(2), 2, 5 * kSecondNs);
  const std::uint64_t now_ns = kRepeatGuaranteedNs + kSecondNs + 1;
  EXPECT_EQ(repeats.judge(repeat(3), 3, now_ns).verdict, Repeats::Verdict::New);
  EXPECT_EQ(repeats.forgotten_early(), 1u);
  EXPECT_EQ(repeats.find(repeat(1), now_ns).verdict, Repeats::Verdict::New);
  EXPECT_EQ(repeats.find(repeat(2), now_ns).verdict, Repeats::Verdict::Repeated);
  EXPECT_EQ(repeats.judge(repeat(4), 4, now_ns).verdict, Repeats::Verdict::Full);
}

TEST(Repeats, ids_outside_of_the_window_make_room_and_are_not_counted) {
  Repeats repeats{small(2)};
  repeats.judge(repeat(1), 1, 0);
  repeats.judge(repeat(2), 2, 0);
  EXPECT_EQ(repeats.judge(repeat(3), 3, kRepeatWindowNs + 1).verdict, Repeats::Verdict::New);
  EXPECT_EQ(repeats.forgotten_early(), 0u);
  EXPECT_EQ(repeats.size(), 1u);
}

TEST(Repeats, what_was_taken_back_is_new_again) {
  Repeats repeats{Limits{}};
  repeats.judge(repeat(1), 1, 0);
  repeats.judge(repeat(2), 2, 3 * kSecondNs);
  repeats.judge(repeat(3), 3, 6 * kSecondNs);
  repeats.take_back(2);
  EXPECT_EQ(repeats.size(), 1u);
  EXPECT_EQ(repeats.find(repeat(2), 6 * kSecondNs).verdict, Repeats::Verdict::New);
  EXPECT_EQ(repeats.judge(repeat(3), 4, 6 * kSecondNs).verdict, Repeats::Verdict::New);
  EXPECT_EQ(repeats.find(repeat(1), 6 * kSecondNs).sequence, 1u);
}

TEST(Repeats, an_age_counts_from_the_commit) {
  Repeats repeats{Limits{}};
  repeats.judge(repeat(1), 1, 0);
  repeats.restamp_newest(100 * kSecondNs);
  EXPECT_EQ(repeats.find(repeat(1), kRepeatWindowNs + 100 * kSecondNs).verdict, Repeats::Verdict::Repeated);
  EXPECT_EQ(repeats.find(repeat(1), kRepeatWindowNs + 101 * kSecondNs).verdict, Repeats::Verdict::New);
}

TEST(Repeats, an_id_that_came_again_after_the_window_survives_the_end_of_the_old_one) {
  Repeats repeats{Limits{}};
  for (std::uint64_t id = 0; id < 10; ++id) repeats.judge(repeat(id), id + 1, 0);
  const std::uint64_t later_ns = kRepeatWindowNs + 1;
  EXPECT_EQ(repeats.judge(repeat(9), 11, later_ns).verdict, Repeats::Verdict::New);
  EXPECT_GT(repeats.size(), 5u) << "the old one should still wait to be dropped";
  for (std::uint64_t id = 20; id < 23; ++id) repeats.judge(repeat(id), id, later_ns);
  EXPECT_EQ(repeats.size(), 4u);
  EXPECT_EQ(repeats.find(repeat(9), later_ns).sequence, 11u);
}

// The table against a map, over times at which ids age out, with keys from so small a set that chains are long.
class AgainstAMap {
 public:
  explicit AgainstAMap(unsigned seed) : random_(seed), repeats_(small(kEntries)) {}

  void step() {
    now_ns_ += random_() % (8 * kSecondNs);
    if (random_() % 16 == 0) return take_back();
    const Repeat id = repeat(random_() % 96 * 512, random_() % 8 == 0);
    const auto known = known_.find(id.key.lo);
    const bool surely_known = known != known_.end() && now_ns_ - known->second.at_ns <= kRepeatGuaranteedNs;
    const bool surely_forgotten =
        known == known_.end() || now_ns_ - known->second.at_ns > kRepeatWindowNs + Repeats::kMarkNs;
    const auto judged = repeats_.judge(id, ++sequence_, now_ns_);
    if (surely_known) {
      const bool equal = known->second.content == id.content.lo;
      ASSERT_EQ(judged.verdict, equal ? Repeats::Verdict::Repeated : Repeats::Verdict::Conflict);
    }
    if (surely_forgotten) {
      ASSERT_TRUE(judged.verdict == Repeats::Verdict::New || judged.verdict == Repeats::Verdict::Full);
    }
    if (judged.verdict == Repeats::Verdict::Repeated) {
      ASSERT_EQ(judged.sequence, known->second.sequence);
    }
    newest_ = judged.verdict == Repeats::Verdict::New ? id.key.lo : kNone;
    if (judged.verdict == Repeats::Verdict::New) known_[id.key.lo] = {id.content.lo, sequence_, now_ns_};
    new_ += judged.verdict == Repeats::Verdict::New;
    ASSERT_LE(repeats_.size(), kEntries);
  }
  int judged_new() const { return new_; }
  std::uint64_t forgotten_early() const { return repeats_.forgotten_early(); }

 private:
  static constexpr std::size_t kEntries = 40;
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};
  struct Seen {
    std::uint64_t content;
    Sequence sequence;
    std::uint64_t at_ns;
  };

  void take_back() {
    if (newest_ == kNone) return;
    repeats_.take_back(1);
    known_.erase(newest_);
    newest_ = kNone;
  }

  std::mt19937 random_;
  Repeats repeats_;
  std::map<std::uint64_t, Seen> known_;
  std::uint64_t newest_ = kNone;
  std::uint64_t now_ns_ = 0;
  Sequence sequence_ = 0;
  int new_ = 0;
};

TEST(Repeats, never_forgets_the_guaranteed_and_never_invents_over_many_random_steps) {
  std::uint64_t forgotten_early = 0;
  for (unsigned seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    AgainstAMap model(seed);
    for (int i = 0; i < 5'000 && !testing::Test::HasFatalFailure(); ++i) model.step();
    EXPECT_GT(model.judged_new(), 1'000);
    forgotten_early += model.forgotten_early();
  }
  EXPECT_GT(forgotten_early, 0u);
}

TEST(Repeats, grows_far_and_finds_every_id) {
  Repeats repeats{Limits{}};
  constexpr std::uint64_t kIds = 100'000;
  for (std::uint64_t i = 0; i < kIds; ++i)
    ASSERT_EQ(repeats.judge(repeat(i * 3), i + 1, i * 1'000).verdict, Repeats::Verdict::New);
  for (std::uint64_t i = 0; i < kIds; ++i) ASSERT_EQ(repeats.find(repeat(i * 3), kSecondNs).sequence, i + 1);
  const std::uint64_t later_ns = kRepeatWindowNs + 2 * kSecondNs;
  for (std::uint64_t i = 0; i < kIds; ++i)
    ASSERT_EQ(repeats.judge(repeat(i * 3 + 1), i, later_ns).verdict, Repeats::Verdict::New);
  EXPECT_EQ(repeats.size(), kIds);
}

}  // namespace
}  // namespace storage
