// SPDX-License-Identifier: Apache-2.0
#pragma once
// The medium of the memory lane: keeps the newest blocks up to a bound, drops the oldest and moves complete_after of
// its topics, and serves reads.
//
// Thread: the lane's loop. A block is readable once its persist() completed.
#include <cstddef>
#include <deque>

#include "io/loop.h"
#include "storage/lane.h"
#include "storage/medium.h"
#include "storage/topic_table.h"

namespace storage {

class MemoryStore final : public Medium {
 public:
  // The newest block is kept whatever its size.
  MemoryStore(io::Loop& loop, TopicTable& topics, std::size_t bytes_max)
      : loop_(loop), topics_(topics), bytes_max_(bytes_max) {}

  void persist(BlockPtr, Done) override;
  // Judges the position against complete_after of the topics and `durable`. Blocks without any of the topics are
  // passed over.
  ReadReply read(const ReadRequest&, Sequence durable) const;

  std::size_t bytes() const { return bytes_; }

 private:
  void keep(BlockPtr);
  void drop_oldest();
  void collect(const ReadRequest&, ReadReply&) const;

  io::Loop& loop_;
  TopicTable& topics_;
  const std::size_t bytes_max_;
  std::deque<BlockPtr> blocks_;  // ascending
  std::size_t bytes_ = 0;        // their memory
};

}  // namespace storage
