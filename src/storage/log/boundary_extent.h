// SPDX-License-Identifier: Apache-2.0
#pragma once
// An extent that was read to trim within it: the lane time and the bytes of each of its events.
//
// The lane time of an event is that of the next commit behind it. For a group whose commit is not in the bytes it is
// that of the first event behind the extent, which is the same or later: such an event goes late, and never early.
// Damaged bytes are passed over.
// Pure; any thread.
#include <string>
#include <vector>

#include "storage/log/format.h"
#include "storage/log/trim_plan.h"

namespace storage {

struct BoundaryCut {
  Sequence complete_after = 0;  // as before if nothing goes
  TrimEnd end = {};
  TrimTotals trimmed = {};
};

class BoundaryExtent final {
 public:
  // The file from the extent's beginning to kCommitBytes behind its end. `youngest_ns`: no event in it is younger.
  BoundaryExtent(std::string bytes, Seed, std::uint64_t youngest_ns);

  // What goes of the topic's part, behind complete_after. Nothing goes and end.next is 0: it has no event there that
  // can be read.
  BoundaryCut cut(TopicId, Sequence complete_after, const TrimLimits&, const PartBoundary&) const;

 private:
  struct Batch {
    BatchRecord record;
    std::uint64_t lane_time_ns;
  };
  struct Event {
    Sequence sequence = 0;
    std::uint64_t lane_time_ns = 0;
    std::uint64_t bytes = 0;  // of the topic in here, from this event on
  };

  std::vector<Event> events_of(TopicId) const;
  static void append_events(std::vector<Event>&, const Batch&, std::uint64_t bytes_before);

  std::string bytes_;
  std::vector<Batch> batches_;
};

}  // namespace storage
