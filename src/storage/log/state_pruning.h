// SPDX-License-Identifier: Apache-2.0
#pragma once
// What retention takes out of a lane's state: segments that went or were rewritten, and what nobody can ask about any
// more.
//
// Pure; one thread.
#include <span>
#include <vector>

#include "storage/log/lane_state.h"

namespace storage {

// The manifest without these segments.
std::vector<ManifestEntry> without_segments(std::vector<ManifestEntry>, std::span<const SegmentNumber>);

// The manifest with `entry`, in its place, for all that it stands for: the segments [first, entry.number].
std::vector<ManifestEntry> with_rewritten(std::vector<ManifestEntry>, SegmentNumber first, const ManifestEntry& entry);

// Damage goes when its bytes are gone and nobody can ask for the events that were in it: each topic is trimmed behind
// it, or never had an event. The gap before a run goes when every position in it is trimmed for every topic. The last
// run stays: it says where the events end.
void forget_trimmed(LaneState&);

}  // namespace storage
