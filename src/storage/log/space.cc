// SPDX-License-Identifier: Apache-2.0
#include "storage/log/space.h"

#include <algorithm>

#include "base/result.h"

namespace storage {

using Life = SegmentSpace::Life;

namespace {

struct Sums {
  std::uint64_t used = 0;   // without what the window protects
  std::uint64_t going = 0;  // of that, dead: it is about to be removed
};

Sums sums_of(const std::vector<SegmentSpace>& segments, const SpaceLimits& limits) {
  Sums sums;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const SegmentSpace& segment = segments[i];
    const bool goes = segment.life == Life::Dead && i + 1 < segments.size();
    if (goes && segment.age_ns <= limits.repeat_window_ns) continue;
    sums.used += segment.file_bytes;
    if (goes) sums.going += segment.file_bytes;
  }
  return sums;
}

}  // namespace

SpaceVerdict judge_space(const std::vector<SegmentSpace>& segments, const SpaceLimits& limits, Log::Budget budget) {
  CHECK(!segments.empty(), "a lane has no segment");
  const auto [used, going] = sums_of(segments, limits);
  const std::uint64_t relief = limits.bytes_max - limits.bytes_max / kSpaceReliefShare;
  const std::uint64_t wanted = budget == Log::Budget::Exceeded ? relief : limits.bytes_max;
  SpaceVerdict verdict{std::nullopt, budget, SpaceVerdict::Seal::No};
  std::uint64_t left = used - going;
  std::size_t at = 0;
  for (; at + 1 < segments.size() && left > wanted; ++at) {
    const SegmentSpace& segment = segments[at];
    if (segment.life == Life::Dead) continue;
    if (segment.age_ns <= limits.protect_age_ns) break;
    verdict.trim_through = at;
    left -= segment.file_bytes;
  }
  const SegmentSpace& newest = segments.back();
  const bool only_newest = at + 1 == segments.size() && newest.life == Life::Live;
  if (left > wanted && only_newest && newest.age_ns > limits.protect_age_ns) {
    verdict.seal = SpaceVerdict::Seal::Yes;
  } else if (left > limits.bytes_max) {
    verdict.budget = Log::Budget::Exceeded;
  } else if (used <= relief) {
    verdict.budget = Log::Budget::Within;
  }
  return verdict;
}

std::uint64_t default_bytes_max(std::uint64_t file_system_bytes) {
  return std::min(kLogBytesMax, file_system_bytes / 2);
}

}  // namespace storage
