// SPDX-License-Identifier: Apache-2.0
#pragma once
// Decodes an entry of the log into runs: consecutive events of one address, which subscribers take together.
#include <optional>
#include <vector>

#include "codec/record_batch.h"
#include "engine/event.h"
#include "storage/block.h"

namespace engine {

// Events that are handed on together: at most about one socket write's worth.
inline constexpr std::size_t kRunEventsMax = 64;
inline constexpr std::size_t kRunBytesMax = 64 << 10;

// What the lane hands out was checked before, so an entry that cannot be decoded is a broken invariant.
class RunReader final {
 public:
  explicit RunReader(const storage::Entry&);
  bool next(std::vector<Event>& run);  // replaces the content of `run`; false at the end

 private:
  void decode();

  codec::RecordReader records_;
  storage::Sequence sequence_;  // of the record after `ahead_`
  std::optional<Event> ahead_;  // decoded, and not part of a run yet
};

}  // namespace engine
