// SPDX-License-Identifier: Apache-2.0
#pragma once
// Encodes one commit group: each maximal run of one topic, in arrival order, becomes one RecordBatch, so the order
// of the log is the order of arrival. Timestamps are the append time of the group.
//
// Thread: the lane's loop. Gives every record the next dense offset of its topic; unwind() takes them back.
#include <cstdint>
#include <memory>

#include "codec/record_batch.h"
#include "storage/block.h"
#include "storage/topic_table.h"

namespace storage {

class GroupEncoder final {
 public:
  explicit GroupEncoder(TopicTable& topics) : topics_(topics) {}

  // Sequences ascend by one within a group. A new group begins with the first add.
  void add(TopicId, Sequence, std::int64_t append_time_ms, base::Bytes record_tail);
  bool empty() const { return block_ == nullptr; }
  BlockPtr finish();  // not when empty()

  // The group was not stored: its offsets are given again. Only for the newest group.
  void unwind(const Block&);

 private:
  void finish_run();

  TopicTable& topics_;
  codec::BatchBuilder builder_;
  std::unique_ptr<Block> block_;
};

}  // namespace storage
