// SPDX-License-Identifier: Apache-2.0
#include "storage/log/boundary_extent.h"

#include <algorithm>
#include <utility>

#include "base/result.h"
#include "codec/record_batch.h"
#include "storage/log/record_scan.h"

namespace storage {

BoundaryExtent::BoundaryExtent(std::string bytes, Seed seed, std::uint64_t youngest_ns) : bytes_(std::move(bytes)) {
  std::size_t without_time = 0;  // the first batch behind the last commit
  for (RecordScan scan(bytes_, seed); const auto record = scan.next();) {
    if (record->kind == RecordKind::Batch) batches_.push_back({BatchRecord(*record), youngest_ns});
    if (record->kind != RecordKind::Commit) continue;
    const std::uint64_t lane_time_ns = std::min(parse_commit(*record).lane_time_ns, youngest_ns);
    for (; without_time < batches_.size(); ++without_time) batches_[without_time].lane_time_ns = lane_time_ns;
  }
}

BoundaryCut BoundaryExtent::cut(TopicId topic, Sequence complete_after, const TrimLimits& limits,
                                const PartBoundary& part) const {
  const bool is_limited = limits.bytes_max != Retention::kUnbounded;
  BoundaryCut cut{.complete_after = complete_after};
  const std::vector<Event> events = events_of(topic);
  std::size_t at = 0;
  for (; at < events.size(); ++at) {
    const Event& event = events[at];
    if (event.sequence <= complete_after) continue;
    const bool is_old = event.lane_time_ns < limits.older_than_ns;
    if (!is_old && !(is_limited && part.bytes_behind + event.bytes > limits.bytes_max)) break;
    const std::uint64_t bytes_behind = at + 1 < events.size() ? events[at + 1].bytes : 0;
    cut.trimmed.add(is_old ? TrimReason::Age : TrimReason::Bytes, {1, event.bytes - bytes_behind});
    cut.complete_after = event.sequence;
  }
  const Event first = at < events.size() ? events[at] : Event{};
  cut.end = {first.sequence, first.lane_time_ns, part.part_bytes - std::min(first.bytes, part.part_bytes),
             static_cast<std::uint32_t>(at)};
  return cut;
}

std::vector<BoundaryExtent::Event> BoundaryExtent::events_of(TopicId topic) const {
  std::vector<Event> events;
  std::uint64_t bytes = 0;
  for (const Batch& batch : batches_) {
    if (batch.record.topic() != topic) continue;
    append_events(events, batch, bytes);
    bytes += batch.record.batch().size();
  }
  for (Event& event : events) event.bytes = bytes - event.bytes;
  return events;
}

// With the bytes before each of them.
void BoundaryExtent::append_events(std::vector<Event>& events, const Batch& batch, std::uint64_t bytes_before) {
  const auto view = codec::BatchView::parse(batch.record.batch(), codec::BatchCrc::Skip);
  CHECK(view.has_value(), "a batch that was verified cannot be read");
  codec::RecordReader records = view->records();
  std::vector<std::uint64_t> tails_before = {0};
  for (std::uint32_t i = 0; i < batch.record.events(); ++i) {
    const auto record = records.left() > 0 ? records.next() : base::fail(base::Errc::NotFound, "no such record");
    tails_before.push_back(tails_before.back() + (record ? record->tail.size() : 0));
  }
  const std::uint64_t bytes = view->bytes().size(), tails = std::max<std::uint64_t>(tails_before.back(), 1);
  for (std::uint32_t i = 0; i < batch.record.events(); ++i) {
    // Both factors are below 2^30. Rounded down: what stays is counted in full.
    const std::uint64_t before = bytes * tails_before[i] / tails;
    events.push_back({batch.record.first_sequence() + i, batch.lane_time_ns, bytes_before + before});
  }
}

}  // namespace storage
