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

// Where the reading of an entry stopped. It points into no block, so it outlives them: an entry that is read again has
// the same bytes.
struct EntryMark {
  storage::Sequence entry_first_sequence = 0;  // of the entry; 0: of none
  storage::Sequence next_sequence = 0;         // of the first record that was not read
  std::size_t offset = 0;                      // of that record in the batch
  std::size_t batch_bytes = 0;
};

// What the lane hands out was checked before, so an entry that cannot be decoded is a broken invariant.
class RunReader final {
 public:
  explicit RunReader(const storage::Entry&);
  // What lies behind `after` in an entry of the log that has something there. Goes on at the mark if it is of this
  // entry and not behind that; from the start of the entry otherwise, passing records by their length alone.
  RunReader(const storage::Entry&, storage::Sequence after, const EntryMark&);

  bool next(std::vector<Event>& run);  // replaces the content of `run`; false at the end
  EntryMark mark() const;              // where the next run begins

 private:
  codec::RecordView take_record();
  void decode();

  const storage::Entry& entry_;
  codec::RecordReader records_;
  storage::Sequence sequence_;  // of the record after `ahead_`
  std::size_t offset_;          // and where it begins
  std::optional<Event> ahead_;  // decoded, and not part of a run yet
  std::size_t ahead_offset_ = 0;
};

}  // namespace engine
