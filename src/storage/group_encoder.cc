// SPDX-License-Identifier: Apache-2.0
#include "storage/group_encoder.h"

#include <utility>

#include "base/result.h"

namespace storage {

namespace {

constexpr std::size_t kSpareOneIn = 8;  // of a block's bytes may be unused

}  // namespace

bool GroupEncoder::goes_on(TopicId topic) const {
  return !block_->entries.empty() && block_->entries.back().topic == topic && builder_.size() < kEntryBytesMax;
}

void GroupEncoder::add(const NewEvent& event, Sequence sequence, std::int64_t append_time_ms) {
  if (block_ == nullptr) {
    block_ = std::make_shared<Block>();
    block_->bytes.reserve(bytes_expected_);
  }
  std::vector<Entry>& runs = block_->entries;
  if (!goes_on(event.topic)) {
    if (!runs.empty()) finish_run();
    runs.push_back({event.topic, 0, sequence, {}});
    builder_.start(topics_.at(event.topic).next_offset, append_time_ms);
  }
  CHECK(sequence == runs.back().first_sequence + runs.back().records, "a commit group has a hole in its sequences");
  builder_.add(append_time_ms, event.record_tail);
  if (event.repeat) repeats_.push_back({runs.back().records, event.repeat->key, event.repeat->content.lo});
  address_hashes_.push_back(event.address_hash);
  ++runs.back().records;
  ++topics_.at(event.topic).next_offset;
}

void GroupEncoder::finish_run() {
  const Entry& run = block_->entries.back();
  append_batch_record(block_->bytes, {run.topic, run.first_sequence, address_hashes_, repeats_, builder_.finish()});
  address_hashes_.clear();
  repeats_.clear();
}

std::shared_ptr<Block> GroupEncoder::finish() {
  CHECK(!empty(), "an empty commit group is finished");
  finish_run();
  append_commit_room(block_->bytes);
  // A block is kept for long: what it does not need goes, unless that is too little to be worth a copy.
  if (block_->bytes.capacity() - block_->bytes.size() > block_->bytes.size() / kSpareOneIn)
    block_->bytes.shrink_to_fit();
  bytes_expected_ = block_->bytes.size() + block_->bytes.size() / (2 * kSpareOneIn);
  // Only now do the bytes stay where they are.
  RecordWalk records(block_->bytes);
  for (Entry& entry : block_->entries) entry = BatchRecord(*records.next()).entry();
  return std::exchange(block_, nullptr);
}

void GroupEncoder::unwind(const Block& block) {
  for (const Entry& entry : block.entries) topics_.at(entry.topic).next_offset -= entry.records;
}

}  // namespace storage
