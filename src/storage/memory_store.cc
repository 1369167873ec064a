// SPDX-License-Identifier: Apache-2.0
#include "storage/memory_store.h"

#include <algorithm>
#include <utility>

#include "base/result.h"

namespace storage {

namespace {

bool holds_any(const Block& block, const std::vector<TopicId>& topics) {
  return std::ranges::any_of(block.entries,
                             [&](const Entry& entry) { return std::ranges::binary_search(topics, entry.topic); });
}

}  // namespace

void MemoryStore::persist(BlockPtr block, Done done) {
  loop_.post([this, block = std::move(block), done = std::move(done)]() mutable {
    keep(std::move(block));
    done(Persisted::Durable);
  });
}

void MemoryStore::keep(BlockPtr block) {
  CHECK(blocks_.empty() || blocks_.back()->last() < block->first(), "a block is older than the one before it");
  bytes_ += block->memory_bytes();
  blocks_.push_back(std::move(block));
  while (bytes_ > bytes_max_ && blocks_.size() > 1) drop_oldest();
}

void MemoryStore::drop_oldest() {
  const Block& oldest = *blocks_.front();
  for (const Entry& entry : oldest.entries) topics_.at(entry.topic).complete_after = entry.last_sequence();
  bytes_ -= oldest.memory_bytes();
  blocks_.pop_front();
}

ReadReply MemoryStore::read(const ReadRequest& request, Sequence durable) const {
  ReadReply reply{ReadStatus::Read, {}, 0, 0, 0};
  for (const TopicId topic : request.topics) {
    reply.complete_after = std::max(reply.complete_after, topics_.at(topic).complete_after);
  }
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

// Lowers `covered` if bytes_max cut the reading short.
void MemoryStore::collect(const ReadRequest& request, ReadReply& reply) const {
  auto at = std::ranges::upper_bound(blocks_, reply.after, {}, [](const BlockPtr& block) { return block->last(); });
  std::size_t bytes = 0;
  Sequence passed = reply.after;
  for (; at != blocks_.end() && (*at)->first() <= reply.covered; passed = (*at++)->last()) {
    const Block& block = **at;
    if (!holds_any(block, request.topics)) continue;
    if (!reply.blocks.empty() && bytes + block.bytes.size() > request.bytes_max) {
      reply.covered = passed;
      return;
    }
    bytes += block.bytes.size();
    reply.blocks.push_back(*at);
  }
}

}  // namespace storage
