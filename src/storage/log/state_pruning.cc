// SPDX-License-Identifier: Apache-2.0
#include "storage/log/state_pruning.h"

#include <algorithm>
#include <utility>

namespace storage {

std::vector<ManifestEntry> without_segments(std::vector<ManifestEntry> manifest, std::span<const SegmentNumber> gone) {
  std::erase_if(manifest,
                [&](const ManifestEntry& entry) { return std::ranges::find(gone, entry.number) != gone.end(); });
  return manifest;
}

std::vector<ManifestEntry> with_rewritten(std::vector<ManifestEntry> manifest, SegmentNumber first,
                                          const ManifestEntry& entry) {
  std::erase_if(manifest,
                [&](const ManifestEntry& each) { return each.number >= first && each.number <= entry.number; });
  manifest.insert(std::ranges::upper_bound(manifest, entry.number, {}, &ManifestEntry::number), entry);
  return manifest;
}

namespace {

// A scan would find damage again as long as its bytes are there.
Sequence first_in_files(const LaneState& state) {
  return state.manifest.empty() ? 0 : state.manifest.front().first_sequence;
}

}  // namespace

void forget_trimmed(LaneState& state) {
  if (state.topics.empty()) return;
  Sequence all_after = ~Sequence{0}, used_after = ~Sequence{0};
  for (const TopicState& topic : state.topics) {
    all_after = std::min(all_after, topic.complete_after);
    // Damage that a start finds moves the offsets of all topics: without one, no event was ever given to the topic.
    if (topic.next_offset > 0) used_after = std::min(used_after, topic.complete_after);
  }
  const Sequence kept_from = first_in_files(state);
  std::erase_if(state.damage,
                [&](const DamagedRange& range) { return range.last <= used_after && range.last < kept_from; });
  if (state.runs.empty()) return;
  const auto is_kept = [&](const LaneRun& run) { return run.first > all_after; };
  state.runs.erase(state.runs.begin(), std::find_if(state.runs.begin(), state.runs.end() - 1, is_kept));
}

}  // namespace storage
