// SPDX-License-Identifier: Apache-2.0
// Random lives of a lane under random faults, one for each seed. LANE_SEEDS says how many (300), LANE_FIRST_SEED where
// to begin (1).
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "tests/sim/lane_story.h"

namespace lane_sim {
namespace {

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class LaneFaults : public testing::Test {
 protected:
  void live_through_all(LaneStory::Lookups lookups, const std::string& name) {
    const std::uint64_t first = number_from("LANE_FIRST_SEED", 1), seeds = number_from("LANE_SEEDS", 300);
    std::size_t events = 0;
    for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
      LaneStory story(seed, lookups);
      const std::string wrong = story.tell();
      events += story.events();
      ASSERT_EQ(wrong, "") << "seed " << seed << "; again: LANE_SEEDS=1 LANE_FIRST_SEED=" << seed
                           << " tw_lane_test --gtest_filter=LaneFaults." << name << '\n'
                           << story.diary();
    }
    RecordProperty("events", std::to_string(events));
  }
};

TEST_F(LaneFaults, keep_what_was_acknowledged_or_delivered_in_every_life) {
  live_through_all(LaneStory::Lookups::No, "keep*");
}

TEST_F(LaneFaults, leave_every_lookup_right) { live_through_all(LaneStory::Lookups::Yes, "leave*"); }

}  // namespace
}  // namespace lane_sim
