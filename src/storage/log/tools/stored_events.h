// SPDX-License-Identifier: Apache-2.0
#pragma once
// Reads the events of a stopped lane in log order: what a start would serve, group not proven included.
//
// Thread: one, synchronous. Memory: one piece of a segment, 1 MiB, or a larger event.
#include <cstdint>
#include <limits>
#include <vector>

#include "codec/record_batch.h"
#include "storage/log/tools/stopped_lane.h"

namespace storage {

// All conditions hold for what is read.
struct EventSelection {
  std::vector<TopicId> topics = {};  // sorted; empty: all
  Sequence after = 0;
  Sequence before = std::numeric_limits<Sequence>::max();
  std::int64_t from_ms = std::numeric_limits<std::int64_t>::min();   // append time: from here on
  std::int64_t until_ms = std::numeric_limits<std::int64_t>::max();  // and before this
  enum class Trimmed : std::uint8_t { LeaveOut, Include } trimmed = Trimmed::LeaveOut;
};

struct StoredEvent {
  Sequence sequence;
  TopicId topic;
  codec::RecordView record;  // valid within the call
};

class EventReceiver {
 public:
  enum class Wants : std::uint8_t { More, Nothing };

  virtual ~EventReceiver() = default;
  virtual Wants on_event(const StoredEvent&) = 0;
  virtual void on_damage(DamagedRange) = 0;  // of whatever topics; between the events before and behind it
};

// Errc::System: a file cannot be read, other than by rot, which is damage.
base::Result<void> read_stored_events(const StoppedLane&, EventSelection, EventReceiver&);

}  // namespace storage
