// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a stopped lane holds of each topic: what is served, without what was trimmed and is still on the disk. Reads the
// indexes, and of each topic the piece in which it begins.
//
// Thread: one, synchronous.
#include <cstdint>
#include <vector>

#include "storage/log/tools/stopped_lane.h"

namespace storage {

struct TopicContent {
  std::uint64_t events = 0;     // that can be read
  std::uint64_t bytes = 0;      // of their record batches; where a piece of 64 KiB is partly trimmed, of all of it
  Sequence first_sequence = 0;  // 0: no event
  Sequence last_sequence = 0;
  std::int64_t first_offset = 0;
};

// Of topic id, less one. Errors as read_stored_events().
base::Result<std::vector<TopicContent>> take_inventory(const StoppedLane&);

}  // namespace storage
