// SPDX-License-Identifier: Apache-2.0
#pragma once
// The medium of the memory lane: keeps the newest blocks up to a bound, drops the oldest and moves complete_after of
// its topics, and serves reads. A read costs what it returns and a binary search for each topic, however much lies
// between: a client must not be able to hold up the writer with the whole log for an answer without a block.
//
// Thread: the lane's loop. A block is readable once its persist() completed.
#include <cstddef>
#include <cstdint>
#include <deque>

#include "io/loop.h"
#include "storage/lane.h"
#include "storage/medium.h"
#include "storage/topic_blocks.h"
#include "storage/topic_table.h"

namespace storage {

class MemoryStore final : public Medium {
 public:
  // The newest block is kept whatever its size. A block counts with memory_bytes() and, for each topic in it, with
  // BlockNumbers::kBytesMax.
  MemoryStore(io::Loop& loop, TopicTable& topics, std::size_t bytes_max)
      : loop_(loop), topics_(topics), bytes_max_(bytes_max) {}

  void persist(std::shared_ptr<Block>, Done) override;
  // Judges the position against complete_after of the topics and `durable`. Blocks without any of the topics are
  // passed over.
  ReadReply read(const ReadRequest&, Sequence durable) const;
  // At once, over all blocks that the answer needs: there is no index of addresses. See memory_lookup.cc.
  LocateReply locate(const LocateRequest&, Sequence durable) const;
  NewestReply newest_per_address(const NewestRequest&, Sequence durable) const;

  std::size_t bytes() const { return bytes_; }
  std::uint64_t blocks_looked_at() const { return blocks_looked_at_; }  // by all reads: what they cost this loop

 private:
  void keep(BlockPtr);
  void drop_oldest();
  Sequence complete_after(const std::vector<TopicId>&) const;
  Sequence before_time(std::int64_t wall_ms, Sequence none) const;
  void collect(const ReadRequest&, ReadReply&) const;
  BlockNumber first_behind(Sequence) const;
  const BlockPtr& look_at(BlockNumber) const;

  io::Loop& loop_;
  TopicTable& topics_;
  const std::size_t bytes_max_;
  std::deque<BlockPtr> blocks_;   // ascending
  BlockNumber first_number_ = 0;  // of blocks_.front(); the next ones count on
  TopicBlocks topic_blocks_;
  std::size_t bytes_ = 0;  // what it takes to keep them and to find them
  mutable std::uint64_t blocks_looked_at_ = 0;
};

}  // namespace storage
