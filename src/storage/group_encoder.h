// SPDX-License-Identifier: Apache-2.0
#pragma once
// Encodes one commit group (docs/formats/log.md): each run of one topic, in arrival order, becomes one RecordBatch, so
// the order of the log is the order of arrival. A run ends at the record that passes kEntryBytesMax, so that a reader
// never has to take much more at once. Timestamps are the append time of the group.
//
// Thread: the lane's loop. Gives every record the next dense offset of its topic; unwind() takes them back.
#include <cstdint>
#include <memory>

#include "codec/record_batch.h"
#include "storage/lane.h"
#include "storage/log/format.h"
#include "storage/topic_table.h"

namespace storage {

inline constexpr std::size_t kEntryBytesMax = 128u << 10;  // then the next event begins another batch

class GroupEncoder final {
 public:
  explicit GroupEncoder(TopicTable& topics) : topics_(topics) {}

  // Sequences ascend by one within a group. A new group begins with the first add.
  void add(const NewEvent&, Sequence, std::int64_t append_time_ms);
  bool empty() const { return block_ == nullptr; }
  // With room for the commit and without checksums: the medium completes it. Not when empty().
  std::shared_ptr<Block> finish();

  // The group was not stored: its offsets are given again. Only for the newest group.
  void unwind(const Block&);

 private:
  bool goes_on(TopicId) const;
  void finish_run();

  TopicTable& topics_;
  codec::BatchBuilder builder_;
  std::shared_ptr<Block> block_;
  std::vector<std::uint64_t> address_hashes_;  // of the run
  std::vector<EventRepeat> repeats_;
  std::size_t bytes_expected_ = 0;  // of the next group: under load one is as large as the last
};

}  // namespace storage
