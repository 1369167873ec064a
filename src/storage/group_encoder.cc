// SPDX-License-Identifier: Apache-2.0
#include "storage/group_encoder.h"

#include <utility>

#include "base/result.h"

namespace storage {

void GroupEncoder::add(TopicId topic, Sequence sequence, std::int64_t append_time_ms, base::Bytes record_tail) {
  if (block_ == nullptr) block_ = std::make_unique<Block>();
  std::vector<Entry>& runs = block_->entries;
  if (runs.empty() || runs.back().topic != topic) {
    if (!runs.empty()) finish_run();
    runs.push_back({topic, 0, sequence, {}});
    builder_.start(topics_.at(topic).next_offset, append_time_ms);
  }
  CHECK(sequence == runs.back().first_sequence + runs.back().records, "a commit group has a hole in its sequences");
  builder_.add(append_time_ms, record_tail);
  ++runs.back().records;
  ++topics_.at(topic).next_offset;
}

void GroupEncoder::finish_run() { block_->bytes += builder_.finish(); }

BlockPtr GroupEncoder::finish() {
  CHECK(!empty(), "an empty commit group is finished");
  finish_run();
  block_->bytes.shrink_to_fit();  // a block is kept for long
  // Only now do the bytes stay where they are.
  const base::Bytes bytes = block_->bytes;
  std::size_t at = 0;
  for (Entry& entry : block_->entries) {
    const auto batch = codec::BatchView::parse(bytes.substr(at), codec::BatchCrc::Skip);
    CHECK(batch.has_value(), "the lane cannot read what it wrote");
    entry.batch = batch->bytes();
    at += entry.batch.size();
  }
  return BlockPtr(std::move(block_));
}

void GroupEncoder::unwind(const Block& block) {
  for (const Entry& entry : block.entries) topics_.at(entry.topic).next_offset -= entry.records;
}

}  // namespace storage
