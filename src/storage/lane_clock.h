// SPDX-License-Identifier: Apache-2.0
#pragma once
// Lane time: nanoseconds that a lane has lived, over all of its starts. It advances with the monotonic clock, and at
// start by what the wall clock says has passed since the last commit, if that is believable: between 0 and one hour.
// A larger step is taken anew after ten minutes, when the wall clock had time to be set right; until then settled() is
// false, and nothing is trimmed by age. What it then turns out to be makes events from before the start older, and
// nothing else: lane time itself never jumps, or what this start has stored would be as old as the time before it.
//
// Thread: the lane's loop.
#include <cstdint>

#include "io/loop.h"

namespace storage {

inline constexpr std::uint64_t kBelievableStepNs = 3'600'000'000'000;  // of the wall clock at start
inline constexpr std::uint64_t kDisbeliefNs = 600'000'000'000;         // then the wall clock is asked again

// What was committed last before this start.
struct LastCommitTime {
  std::uint64_t lane_time_ns = 0;
  std::int64_t wall_ms = 0;  // 0: there was none
};

class LaneClock final {
 public:
  explicit LaneClock(io::Loop&, LastCommitTime = {});

  std::uint64_t now_ns() const { return base_ns_ + (loop_.now_ns() - started_ns_); }
  bool settled() const { return settled_; }
  // What was stored before this lane time is older than `age_ns`; 0: nothing is, as far as anybody knows.
  std::uint64_t older_than_ns(std::uint64_t age_ns) const;
  void settle();  // now and then: believes the wall clock when the time has come

 private:
  std::uint64_t passed_by_wall_ns() const;

  io::Loop& loop_;
  const std::uint64_t started_ns_;
  const LastCommitTime last_;
  std::uint64_t base_ns_;
  std::uint64_t unbelieved_ns_ = 0;  // that passed before the start, and was believed only later
  bool settled_ = true;
};

}  // namespace storage
