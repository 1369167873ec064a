// SPDX-License-Identifier: Apache-2.0
#pragma once
// Reads everything of a stopped lane and compares every checksum: batches, commits and their links, lane states with
// what came before them, footers with indexes that are built anew.
//
// Thread: one, synchronous. Memory: one segment's indexes, and what the survey has.
#include <cstdint>
#include <string>
#include <vector>

#include "storage/log/tools/stopped_lane.h"

namespace storage {

// Events of a topic that are damaged: so many of them at the most.
struct LostEvents {
  TopicId topic = 0;
  std::uint64_t events_max = 0;
};

struct VerifiedDamage {
  DamagedRange range;
  std::vector<LostEvents> lost;  // by topic; none: no topic is known to have had events there
};

struct Verification {
  std::uint64_t segments = 0;
  std::uint64_t footers = 0;
  std::uint64_t bytes = 0;
  std::uint64_t events = 0;            // that can be read, trimmed ones included
  std::vector<VerifiedDamage> damage;  // ascending, that was known before included
  std::vector<std::string> places;     // where bytes are damaged, a sentence each
  std::vector<std::string> faults;     // what else is wrong, a sentence each

  bool is_sound() const { return damage.empty() && places.empty() && faults.empty(); }
};

// Errc::System: a file cannot be read, other than by rot, which is damage.
base::Result<Verification> verify(const StoppedLane&, const OnProgress&);

}  // namespace storage
