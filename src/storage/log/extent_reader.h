// SPDX-License-Identifier: Apache-2.0
#pragma once
// Takes apart a piece of a segment that was read from the disk: the events of some topics, and what is damaged.
//
// Pure; any thread. Every record is verified on its own, in time linear in the bytes (record_scan.h).
#include <optional>
#include <string>
#include <vector>

#include "storage/log/format.h"
#include "storage/log/lane_state.h"

namespace storage {

struct ExtentReading {
  std::vector<TopicId> topics;  // sorted
  Sequence after;               // events at or before it are not wanted
  Sequence before;              // the last event that lies before these bytes: what is missing counts from there
  Sequence last;                // the last event that lies in these bytes
  Sequence readable_through;    // known damage begins behind it, or what is not durable yet
  Seed seed;
  std::vector<std::uint64_t> addresses = {};  // sorted; batches without any of them are not wanted; empty: all
};

struct ExtentEvents {
  BlockPtr block;                      // null if no event is wanted
  std::optional<DamagedRange> damage;  // the first that is behind `after` and not known; the block ends before it
};

ExtentEvents read_extents(std::string bytes, const ExtentReading&);

}  // namespace storage
