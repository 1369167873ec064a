// SPDX-License-Identifier: Apache-2.0
#include "storage/log/state_pruning.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ManifestEntry entry(SegmentNumber number, std::uint64_t id = 0) {
  return {.number = number, .id = id, .first_sequence = number * 100, .last_sequence = number * 100 + 99};
}

std::vector<SegmentNumber> numbers(const std::vector<ManifestEntry>& manifest) {
  std::vector<SegmentNumber> found;
  for (const ManifestEntry& each : manifest) found.push_back(each.number);
  return found;
}

TEST(StatePruning, takes_several_segments_out_of_a_manifest) {
  const std::vector<SegmentNumber> gone = {2, 4, 9};
  EXPECT_THAT(numbers(without_segments({entry(1), entry(2), entry(3), entry(4)}, gone)), ElementsAre(1, 3));
}

TEST(StatePruning, a_rewritten_segment_takes_the_place_of_all_that_it_stands_for) {
  const auto manifest = with_rewritten({entry(1), entry(2), entry(3), entry(4)}, 2, entry(3, 77));
  EXPECT_THAT(numbers(manifest), ElementsAre(1, 3, 4));
  EXPECT_EQ(manifest[1].id, 77u);
}

TEST(StatePruning, a_rewritten_segment_of_which_nothing_is_in_the_manifest_keeps_it_ascending) {
  EXPECT_THAT(numbers(with_rewritten({entry(1), entry(4)}, 2, entry(3))), ElementsAre(1, 3, 4));
}

// Two topics with events, one without; two starts; damage of each; the files begin with event 5,000.
LaneState state_of(Sequence first_topic_after, Sequence second_topic_after) {
  LaneState state;
  state.topics = {{.next_offset = 10, .complete_after = first_topic_after, .identity = "a"},
                  {.next_offset = 10, .complete_after = second_topic_after, .identity = "b"}};
  state.runs = {{1, 0}, {2'000, 900}, {9'000, 5'500}};
  state.damage = {{100, 110}, {3'000, 3'010}, {5'100, 5'110}};
  state.manifest = {entry(50)};
  return state;
}

TEST(StatePruning, damage_goes_when_each_topic_is_trimmed_behind_it) {
  LaneState state = state_of(109, 10'000);
  forget_trimmed(state);
  EXPECT_EQ(state.damage.size(), 3u);
  state = state_of(110, 10'000);
  forget_trimmed(state);
  EXPECT_THAT(state.damage, ElementsAre(DamagedRange{3'000, 3'010}, DamagedRange{5'100, 5'110}));
}

TEST(StatePruning, damage_stays_while_a_scan_would_find_it_again) {
  LaneState state = state_of(10'000, 10'000);
  forget_trimmed(state);
  EXPECT_THAT(state.damage, ElementsAre(DamagedRange{5'100, 5'110}));
  state.manifest = {};
  forget_trimmed(state);
  EXPECT_THAT(state.damage, ElementsAre(DamagedRange{5'100, 5'110})) << "it may be in the newest segment";
}

TEST(StatePruning, a_topic_without_an_event_ever_holds_no_damage) {
  LaneState state = state_of(10'000, 10'000);
  state.topics.push_back({.identity = "unused"});
  forget_trimmed(state);
  EXPECT_EQ(state.damage.size(), 1u);
  state = state_of(10'000, 10'000);
  state.topics.push_back({.next_offset = 1, .identity = "used once"});
  forget_trimmed(state);
  EXPECT_EQ(state.damage.size(), 3u);
}

TEST(StatePruning, a_position_between_runs_is_told_as_ahead_until_it_is_trimmed_for_every_topic) {
  for (const Sequence after : {Sequence{500}, Sequence{1'999}, Sequence{2'000}, Sequence{8'000}, Sequence{20'000}}) {
    LaneState state = state_of(after, 20'000);
    const LaneState before = state;
    forget_trimmed(state);
    for (const Sequence position : {901u, 1'500u, 1'998u, 1'999u, 2'000u, 5'501u, 8'998u, 9'000u}) {
      if (position >= after) {
        EXPECT_EQ(state.is_between_runs(position), before.is_between_runs(position)) << position;
      }
    }
    EXPECT_EQ(state.end(), before.end());
  }
  LaneState state = state_of(20'000, 20'000);
  forget_trimmed(state);
  EXPECT_EQ(state.runs.size(), 1u);
  state.topics.push_back({.identity = "unused"});
  state.runs = state_of(0, 0).runs;
  forget_trimmed(state);
  EXPECT_EQ(state.runs.size(), 3u);
}

TEST(StatePruning, the_last_run_says_where_the_events_end) {
  LaneState state = state_of(20'000, 20'000);
  state.next_sequence = 9'000;
  forget_trimmed(state);
  EXPECT_EQ(state.end(), 5'500u);
  state.topics = {};
  state.runs = {};
  forget_trimmed(state);
  EXPECT_THAT(state.runs, IsEmpty());
}

}  // namespace
}  // namespace storage
