// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a lookup wants to know of an extent that was read: its events with their addresses, or where a time is reached.
//
// Pure; any thread. Every record is verified on its own; damaged bytes are passed over to the next whole record, which
// the segment's seed makes impossible to imitate.
#include <functional>
#include <vector>

#include "storage/log/format.h"

namespace storage {

enum class Walking : std::uint8_t { On, Enough };
enum class Walked : std::uint8_t { Whole, Damaged };

// Every whole batch record in order, until it is enough.
Walked walk_batches(base::Bytes, Seed, const std::function<Walking(const BatchRecord&)>&);

struct LookupFilter {
  std::vector<TopicId> topics;           // sorted
  std::vector<std::uint64_t> addresses;  // sorted; empty: all
  Sequence after = 0;
  Sequence through = ~Sequence{0};
};
struct LookupEvent {
  Sequence sequence;
  std::uint64_t address_hash;
};
std::vector<LookupEvent> matching_events(base::Bytes, Seed, const LookupFilter&);  // ascending

// The last event that lies before the first one appended at or after the time, and before any damage; `before` if there
// is none in these bytes.
Sequence last_before_time(base::Bytes, Seed, std::int64_t wall_ms, Sequence before);

}  // namespace storage
