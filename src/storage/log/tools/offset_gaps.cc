// SPDX-License-Identifier: Apache-2.0
#include "storage/log/tools/offset_gaps.h"

#include <algorithm>

#include "codec/record_batch.h"

namespace storage {

OffsetGaps::Place& OffsetGaps::place_of(TopicId topic) {
  if (topic > places_.size()) places_.resize(topic, begin_);
  return places_[topic - 1];
}

// Of `gap` everything is set but where it begins, and how many events it has.
void OffsetGaps::note(const Place& place, std::int64_t offset, OffsetGap gap) {
  if (!place.is_known || offset <= place.next_offset) return;
  gap.after = place.after;
  gap.events = static_cast<std::uint64_t>(offset - place.next_offset);
  gaps_.push_back(gap);
}

void OffsetGaps::add(const LaneState& state, OffsetGap::Certainty certainty) {
  for (std::size_t i = 0; i < state.topics.size(); ++i) {
    const auto topic = static_cast<TopicId>(i + 1);
    const std::int64_t next_offset = state.topics[i].next_offset;
    Place& place = place_of(topic);
    note(place, next_offset, {.topic = topic, .before = state.next_sequence, .certainty = certainty});
    place = {std::max(place.next_offset, next_offset), state.next_sequence - 1, true};
  }
  if (!begin_.is_known) begin_ = {0, state.next_sequence - 1, true};
}

void OffsetGaps::add(const GroupView& group) {
  for (RecordWalk walk(group.records); const auto record = walk.next();) {
    if (record->kind != RecordKind::Batch) continue;
    const BatchRecord parts(*record);
    const auto batch = codec::BatchView::parse(parts.batch(), codec::BatchCrc::Skip);
    CHECK(batch.has_value(), "a batch that was verified cannot be read");
    Place& place = place_of(parts.topic());
    note(place, batch->base_offset(), {.topic = parts.topic(), .before = parts.first_sequence()});
    place = {batch->last_offset() + 1, parts.last_sequence(), true};
  }
}

}  // namespace storage
