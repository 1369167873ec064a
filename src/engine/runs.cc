// SPDX-License-Identifier: Apache-2.0
#include "engine/runs.h"

namespace engine {

namespace {

codec::BatchView batch_of(const storage::Entry& entry) {
  const auto batch = codec::BatchView::parse(entry.batch, codec::BatchCrc::Skip);
  CHECK(batch.has_value(), "the lane handed out a batch that is none");
  return *batch;
}

}  // namespace

RunReader::RunReader(const storage::Entry& entry)
    : entry_(entry),
      records_(batch_of(entry).records()),
      sequence_(entry.first_sequence),
      offset_(codec::kBatchHeaderBytes) {
  decode();
}

RunReader::RunReader(const storage::Entry& entry, storage::Sequence after, const EntryMark& mark)
    : entry_(entry), sequence_(entry.first_sequence), offset_(codec::kBatchHeaderBytes) {
  CHECK(after < entry.last_sequence(), "an entry is read behind its end");
  const codec::BatchView batch = batch_of(entry);
  const bool is_of_this_entry =
      mark.entry_first_sequence == entry.first_sequence && mark.batch_bytes == entry.batch.size();
  if (is_of_this_entry && mark.next_sequence <= after + 1) {
    sequence_ = mark.next_sequence;
    offset_ = mark.offset;
  }
  const auto left = static_cast<std::int32_t>(entry.last_sequence() - sequence_ + 1);
  records_ = {entry.batch.substr(offset_), left, batch.base_offset(), batch.base_timestamp_ms()};
  for (; sequence_ < after; ++sequence_) CHECK(records_.skip(), "the lane handed out a record without an end");
  if (sequence_ == after) {
    take_record();  // its end is where the next one begins
    ++sequence_;
  }
  decode();
}

codec::RecordView RunReader::take_record() {
  const auto record = records_.next();
  CHECK(record.has_value(), "the lane handed out a record that is none");
  offset_ = static_cast<std::size_t>(record->tail.data() + record->tail.size() - entry_.batch.data());
  return *record;
}

void RunReader::decode() {
  ahead_.reset();
  ahead_offset_ = offset_;
  if (records_.left() == 0) return;
  const auto content = codec::event_of(take_record());
  CHECK(content.has_value(), "the lane handed out a record that is no event");
  ahead_ = Event{sequence_++, *content};
}

bool RunReader::next(std::vector<Event>& run) {
  run.clear();
  std::size_t bytes = 0;
  while (ahead_ && run.size() < kRunEventsMax) {
    if (!run.empty() && run.front().content.address != ahead_->content.address) break;
    const std::size_t size = ahead_->content.data ? ahead_->content.data->size() : 0;
    if (!run.empty() && bytes + size > kRunBytesMax) break;
    bytes += size;
    run.push_back(*ahead_);
    decode();
  }
  return !run.empty();
}

EntryMark RunReader::mark() const {
  return {entry_.first_sequence, ahead_ ? ahead_->sequence : sequence_, ahead_offset_, entry_.batch.size()};
}

}  // namespace engine
