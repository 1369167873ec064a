// SPDX-License-Identifier: Apache-2.0
#include "storage/log/lookup_extent.h"

#include <algorithm>

#include "codec/record_batch.h"

namespace storage {

Walked walk_batches(base::Bytes bytes, Seed seed, const std::function<Walking(const BatchRecord&)>& each) {
  Walked outcome = Walked::Whole;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto record = parse_record(bytes.substr(at), seed);
    if (!record) {
      outcome = Walked::Damaged;
      at += kRecordAlignment;
      continue;
    }
    at += record->bytes.size();
    if (record->kind == RecordKind::Batch && each(BatchRecord(*record)) == Walking::Enough) break;
  }
  return outcome;
}

std::vector<LookupEvent> matching_events(base::Bytes bytes, Seed seed, const LookupFilter& filter) {
  std::vector<LookupEvent> events;
  walk_batches(bytes, seed, [&](const BatchRecord& batch) {
    if (batch.first_sequence() > filter.through) return Walking::Enough;
    if (!std::ranges::binary_search(filter.topics, batch.topic())) return Walking::On;
    for (std::uint32_t i = 0; i < batch.events(); ++i) {
      const LookupEvent event{batch.first_sequence() + i, batch.address_hash(i)};
      if (event.sequence <= filter.after || event.sequence > filter.through) continue;
      if (filter.addresses.empty() || std::ranges::binary_search(filter.addresses, event.address_hash)) {
        events.push_back(event);
      }
    }
    return Walking::On;
  });
  return events;
}

Sequence last_before_time(base::Bytes bytes, Seed seed, std::int64_t wall_ms, Sequence before) {
  for (std::size_t at = 0; at < bytes.size();) {
    const auto record = parse_record(bytes.substr(at), seed);
    if (!record) return before;
    at += record->bytes.size();
    if (record->kind == RecordKind::Clock && parse_clock(*record) >= wall_ms) return before;
    if (record->kind != RecordKind::Batch) continue;
    const BatchRecord batch(*record);
    const auto view = codec::BatchView::parse(batch.batch(), codec::BatchCrc::Skip);
    if (!view) return before;
    if (view->timestamp_ms_max() < wall_ms) {
      before = batch.last_sequence();
      continue;
    }
    // A batch is of one group, and so of one time; but nothing rests on that.
    codec::RecordReader records = view->records();
    for (Sequence sequence = batch.first_sequence(); records.left() > 0; ++sequence) {
      const auto event = records.next();
      if (!event || event->timestamp_ms >= wall_ms) return before;
      before = sequence;
    }
  }
  return before;
}

}  // namespace storage
