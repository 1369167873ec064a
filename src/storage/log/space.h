// SPDX-License-Identifier: Apache-2.0
#pragma once
// What all segments together may take (`storage.bytes_max`): which ones go for want of space, and when publishing is
// refused because none may go.
//
// The oldest sealed segment goes first, whole, if its last event is older than `protect_age_ns`. A dead one goes by
// itself once it is older than the window in which repeats are recognised; until then its bytes do not count here:
// nothing else may go in its place, and no publisher is refused for it. So the lane may be larger than `bytes_max` by
// what the window protects.
// Pure; any thread.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "storage/log/log.h"

namespace storage {

// A segment as it counts for space.
struct SegmentSpace {
  enum class Life : std::uint8_t { Live, Dead };  // Dead: no topic has an event in it behind its complete_after

  std::uint64_t file_bytes;
  std::uint64_t age_ns;  // of its last event, in lane time
  Life life;
};

struct SpaceLimits {
  std::uint64_t bytes_max;
  std::uint64_t protect_age_ns;
  std::uint64_t repeat_window_ns;
};

struct SpaceVerdict {
  enum class Seal : std::uint8_t { No, Yes };

  std::optional<std::size_t> trim_through;  // everything up to the end of this segment goes
  Log::Budget budget;
  Seal seal;  // the newest one is all that is left, and would have to go
};

// Publishing that was refused goes on below this share of bytes_max, not at the first free byte.
inline constexpr std::uint64_t kSpaceReliefShare = 16;  // a sixteenth below

// `segments`: oldest first, the newest, which is not sealed, last; without an event it is Dead. `budget`: the verdict
// before this one.
SpaceVerdict judge_space(const std::vector<SegmentSpace>& segments, const SpaceLimits&, Log::Budget budget);

// bytes_max where nothing is configured.
std::uint64_t default_bytes_max(std::uint64_t file_system_bytes);

}  // namespace storage
