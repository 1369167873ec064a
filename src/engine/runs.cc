// SPDX-License-Identifier: Apache-2.0
#include "engine/runs.h"

namespace engine {

RunReader::RunReader(const storage::Entry& entry) : sequence_(entry.first_sequence) {
  const auto batch = codec::BatchView::parse(entry.batch, codec::BatchCrc::Skip);
  CHECK(batch.has_value(), "the lane handed out a batch that is none");
  records_ = batch->records();
  decode();
}

void RunReader::decode() {
  ahead_.reset();
  if (records_.left() == 0) return;
  const auto record = records_.next();
  CHECK(record.has_value(), "the lane handed out a record that is none");
  const auto content = codec::event_of(*record);
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

}  // namespace engine
