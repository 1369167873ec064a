// SPDX-License-Identifier: Apache-2.0
#include "storage/lane_clock.h"

#include <algorithm>

namespace storage {

LaneClock::LaneClock(io::Loop& loop, LastCommitTime last)
    : loop_(loop), started_ns_(loop.now_ns()), last_(last), base_ns_(last.lane_time_ns) {
  const std::uint64_t passed_ns = passed_by_wall_ns();
  settled_ = passed_ns <= kBelievableStepNs;
  if (settled_) base_ns_ += passed_ns;
}

void LaneClock::settle() {
  const std::uint64_t lived_ns = loop_.now_ns() - started_ns_;
  if (settled_ || lived_ns < kDisbeliefNs) return;
  settled_ = true;
  unbelieved_ns_ = std::max(passed_by_wall_ns(), lived_ns) - lived_ns;
}

std::uint64_t LaneClock::older_than_ns(std::uint64_t age_ns) const {
  if (!settled_) return 0;
  const auto before = [&](std::uint64_t now_ns) { return now_ns - std::min(now_ns, age_ns); };
  return std::max(before(now_ns()), std::min(base_ns_ + 1, before(now_ns() + unbelieved_ns_)));
}

// Since the last commit; 0 if it stepped back.
std::uint64_t LaneClock::passed_by_wall_ns() const {
  if (last_.wall_ms == 0) return 0;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(loop_.wall_ms() - last_.wall_ms, 0)) * 1'000'000;
}

}  // namespace storage
