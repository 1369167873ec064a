// SPDX-License-Identifier: Apache-2.0
#pragma once
// Damage to the files of a stopped lane, done on purpose, and what the judge may therefore no longer expect: only parts
// that are proven, and that the lane cannot do without silently. One thread.
#include <string>

#include "tests/sim/lane_model.h"
#include "tests/sim/lane_segments.h"
#include "tests/support/sim_files.h"

namespace lane_sim {

enum class Damage : std::uint8_t {
  Bits,             // flipped in some groups with events
  Range,            // some groups, one after the other, are zeros
  Truncated,        // a sealed segment ends early
  Removed,          // a sealed segment
  Swapped,          // the contents of two sealed segments
  OldLaneState,     // of a sealed segment: nothing is lost
  NewestLaneState,  // what followed it is not provable: a new epoch
  LyingDisk,        // the last groups of the newest segment, which were said to be synced, are not there
};
inline constexpr std::uint64_t kDamages = 8;

// The epoch that the next start must have. Nothing is done where there is nothing to damage in this way.
LaneModel::Epoch damage(sim::SimFiles&, const std::string& directory, Damage, LaneModel&, sim::Choices&);

}  // namespace lane_sim
