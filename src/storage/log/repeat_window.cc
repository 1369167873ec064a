// SPDX-License-Identifier: Apache-2.0
#include "storage/log/repeat_window.h"

#include <algorithm>

namespace storage {

std::uint64_t RepeatWindow::oldest_ns() const { return newest_ns_ - std::min(newest_ns_, window_ns_); }

void RepeatWindow::add(const GroupView& group) {
  const std::uint64_t lane_time_ns = group.commit.lane_time_ns;
  move_on(lane_time_ns);
  if (group.commit.first_sequence == 0 || entries_max_ == 0) return;
  for (RecordWalk walk(group.records); const auto record = walk.next();) {
    if (record->kind != RecordKind::Batch) continue;
    const BatchRecord batch(*record);
    for (std::uint32_t i = 0; i < batch.repeats(); ++i) {
      const EventRepeat repeat = batch.repeat(i);
      add(RestoredRepeat{repeat.key, repeat.content, batch.first_sequence() + repeat.index, lane_time_ns});
    }
  }
}

void RepeatWindow::add(const RestoredRepeat& repeat) {
  move_on(repeat.lane_time_ns);
  if (entries_max_ == 0 || repeat.lane_time_ns < oldest_ns()) return;
  if (repeats_.size() == entries_max_) repeats_.pop_front();
  repeats_.push_back(repeat);
}

void RepeatWindow::move_on(std::uint64_t lane_time_ns) {
  newest_ns_ = std::max(newest_ns_, lane_time_ns);
  while (!repeats_.empty() && repeats_.front().lane_time_ns < oldest_ns()) repeats_.pop_front();
}

}  // namespace storage
