// SPDX-License-Identifier: Apache-2.0
// What MemoryStore answers of positions and newest events, by looking at its blocks.
#include <algorithm>
#include <ranges>
#include <unordered_set>
#include <vector>

#include "codec/record_batch.h"
#include "storage/log/format.h"
#include "storage/memory_store.h"

namespace storage {

namespace {

// The events of the topics in (after, through], backwards, until `each` returns false.
template <class Each>
void each_event_backwards(const std::deque<BlockPtr>& blocks, const std::vector<TopicId>& topics, Sequence after,
                          Sequence through, const Each& each) {
  for (const BlockPtr& block : std::views::reverse(blocks)) {
    if (block->last() <= after) return;
    std::vector<BatchRecord> batches;
    RecordWalk records(block->bytes);
    for (std::size_t i = 0; i < block->entries.size(); ++i) batches.emplace_back(*records.next());
    for (const BatchRecord& batch : std::views::reverse(batches)) {
      if (!std::ranges::binary_search(topics, batch.topic())) continue;
      for (std::uint32_t i = batch.events(); i-- > 0;) {
        const Sequence sequence = batch.first_sequence() + i;
        if (sequence <= after) return;
        if (sequence <= through && !each(sequence, batch.address_hash(i))) return;
      }
    }
  }
}

}  // namespace

LocateReply MemoryStore::locate(const LocateRequest& request, Sequence durable) const {
  LocateReply reply{LookupStatus::Complete, durable, 0, complete_after(request.topics), durable};
  if (const AtTime* time = std::get_if<AtTime>(&request.what)) {
    reply.position = before_time(time->wall_ms, durable);
    return reply;
  }
  const LastEvents& last = std::get<LastEvents>(request.what);
  const auto count = [&](Sequence sequence, std::uint64_t address) {
    if (!request.addresses.empty() && !std::ranges::binary_search(request.addresses, address)) return true;
    reply.position = sequence - 1;
    return ++reply.events < last.events;
  };
  each_event_backwards(blocks_, request.topics, reply.complete_after, std::min(durable, last.through), count);
  return reply;
}

// All events of a block were appended at one time.
Sequence MemoryStore::before_time(std::int64_t wall_ms, Sequence none) const {
  Sequence before = 0;
  for (const BlockPtr& block : blocks_) {
    const auto batch = codec::BatchView::parse(block->entries.front().batch, codec::BatchCrc::Skip);
    if (batch && batch->timestamp_ms_max() >= wall_ms) return before;
    before = block->last();
  }
  return none;
}

NewestReply MemoryStore::newest_per_address(const NewestRequest& request, Sequence durable) const {
  NewestReply reply{LookupStatus::Complete, {}, 0, 0, complete_after(request.topics), durable};
  reply.after = reply.covered = request.after.value_or(reply.complete_after);
  if (reply.after > durable) {
    reply.status = LookupStatus::Ahead;
  } else if (reply.after < reply.complete_after) {
    reply.status = LookupStatus::Trimmed;
  }
  if (reply.status != LookupStatus::Complete) return reply;
  std::unordered_set<std::uint64_t> seen;
  each_event_backwards(blocks_, request.topics, reply.after, durable, [&](Sequence sequence, std::uint64_t address) {
    if (seen.insert(address).second) reply.sequences.push_back(sequence);
    return true;
  });
  std::ranges::reverse(reply.sequences);
  reply.covered = durable;
  if (reply.sequences.size() > request.events_max) {
    reply.sequences.resize(request.events_max);
    reply.status = LookupStatus::Partial;
    reply.covered = reply.sequences.back();
  }
  return reply;
}

}  // namespace storage
