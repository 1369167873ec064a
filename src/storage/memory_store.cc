// SPDX-License-Identifier: Apache-2.0
#include "storage/memory_store.h"

#include <algorithm>
#include <optional>
#include <ranges>
#include <utility>

#include "base/result.h"

namespace storage {

void MemoryStore::persist(std::shared_ptr<Block> block, Done done) {
  loop_.post([this, block = std::move(block), done = std::move(done)]() mutable {
    keep(std::move(block));
    done(Persisted::Durable);
  });
}

void MemoryStore::keep(BlockPtr block) {
  CHECK(blocks_.empty() || blocks_.back()->last() < block->first(), "a block is older than the one before it");
  const std::size_t topics = topic_blocks_.add(*block, first_number_ + blocks_.size());
  bytes_ += block->memory_bytes() + topics * BlockNumbers::kBytesMax;
  blocks_.push_back(std::move(block));
  while (bytes_ > bytes_max_ && blocks_.size() > 1) drop_oldest();
}

void MemoryStore::drop_oldest() {
  const Block& oldest = *blocks_.front();
  for (const Entry& entry : oldest.entries) topics_.at(entry.topic).complete_after = entry.last_sequence();
  const std::size_t topics = topic_blocks_.remove_oldest(oldest, first_number_);
  bytes_ -= oldest.memory_bytes() + topics * BlockNumbers::kBytesMax;
  blocks_.pop_front();
  ++first_number_;
}

Sequence MemoryStore::complete_after(const std::vector<TopicId>& topics) const {
  Sequence largest = 0;
  for (const TopicId topic : topics) largest = std::max(largest, topics_.at(topic).complete_after);
  return largest;
}

ReadReply MemoryStore::read(const ReadRequest& request, Sequence durable) const {
  ReadReply reply{ReadStatus::Read, {}, 0, 0, 0};
  reply.complete_after = complete_after(request.topics);
  reply.after = request.after.value_or(reply.complete_after);
  reply.covered = reply.after;
  if (reply.after > durable) {
    reply.status = ReadStatus::Ahead;
  } else if (reply.after < reply.complete_after) {
    reply.status = ReadStatus::Trimmed;
  } else {
    reply.covered = durable;
    collect(request, reply);
  }
  return reply;
}

// Lowers `covered` if bytes_max cut the reading short: to the last event before the block that did not fit, because
// whatever lies between it and the last block returned holds none of the topics.
void MemoryStore::collect(const ReadRequest& request, ReadReply& reply) const {
  TopicBlocks::Walk walk(topic_blocks_, request.topics, first_behind(reply.after));
  std::size_t bytes = 0;
  while (const std::optional<BlockNumber> number = walk.next()) {
    const BlockPtr& block = look_at(*number);
    if (block->first() > reply.covered) return;
    if (!reply.blocks.empty() && bytes + block->bytes.size() > request.bytes_max) {
      reply.covered = look_at(*number - 1)->last();
      return;
    }
    bytes += block->bytes.size();
    reply.blocks.push_back(block);
  }
}

// The first block with an event behind the position, or the number of the next block to come.
BlockNumber MemoryStore::first_behind(Sequence position) const {
  const auto numbers = std::views::iota(first_number_, first_number_ + blocks_.size());
  const auto found =
      std::ranges::upper_bound(numbers, position, {}, [this](BlockNumber number) { return look_at(number)->last(); });
  return first_number_ + static_cast<BlockNumber>(found - numbers.begin());
}

const BlockPtr& MemoryStore::look_at(BlockNumber number) const {
  ++blocks_looked_at_;
  return blocks_[number - first_number_];
}

}  // namespace storage
