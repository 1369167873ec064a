// SPDX-License-Identifier: Apache-2.0
#include "storage/log/segment_usage.h"

#include <algorithm>
#include <vector>

#include "base/result.h"

namespace storage {

std::size_t SegmentUsage::count(const Segment& segment, const TopicTable& table) {
  const std::vector<TopicId> topics = segment.index.topics();
  Use use{.counted = true};
  std::uint64_t live_bytes = 0;
  for (const TopicId topic : topics) {
    const std::uint64_t live = segment.index.live_bytes(topic, table.at(topic).complete_after);
    if (live > 0) ++use.live_topics;
    live_bytes += live;
  }
  use.dead_bytes = segment.index.batch_bytes() - live_bytes;
  uses_[segment.header.id] = use;
  return topics.size();
}

const SegmentUsage::Use* SegmentUsage::find(const Segment& segment) const {
  const auto found = uses_.find(segment.header.id);
  return found != uses_.end() ? &found->second : nullptr;
}

bool SegmentUsage::is_counted(const Segment& segment) const {
  const Use* use = find(segment);
  return use != nullptr && use->counted;
}

bool SegmentUsage::is_dead(const Segment& segment) const {
  const Use* use = find(segment);
  return use != nullptr && use->counted && use->live_topics == 0;
}

void SegmentUsage::trimmed(const Segment& segment, TopicId topic, Sequence from, Sequence to) {
  const std::uint64_t before = segment.index.live_bytes(topic, from);
  const std::uint64_t after = segment.index.live_bytes(topic, to);
  Use& use = uses_[segment.header.id];
  use.dead_bytes += before - after;
  if (!use.counted || before == 0 || after > 0) return;
  CHECK(use.live_topics > 0, "more topics were trimmed in a segment than it has");
  --use.live_topics;
}

void SegmentUsage::keep_only(const Segments& segments) {
  std::vector<std::uint64_t> ids;
  ids.reserve(segments.size());
  for (const auto& segment : segments) ids.push_back(segment->header.id);
  std::ranges::sort(ids);
  std::erase_if(uses_, [&](const auto& use) { return !std::ranges::binary_search(ids, use.first); });
}

std::uint64_t SegmentUsage::dead_bytes(const Segment& segment) const {
  const Use* use = find(segment);
  return use != nullptr ? use->dead_bytes : 0;
}

std::uint64_t SegmentUsage::dead_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& [id, use] : uses_) bytes += use.dead_bytes;
  return bytes;
}

}  // namespace storage
