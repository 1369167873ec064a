// SPDX-License-Identifier: Apache-2.0
#pragma once
// How old anything in a lane can be at the most, by the lane's own clock (docs/formats/log.md, "Time"): an upper bound
// that is known from outside. It grows with virtual time, and at each start by as much as the wall clock may have told
// the lane beyond that: at once up to one hour, after ten minutes if it was more.
//
// A value; one thread. The lane counts from its last commit, of which an outsider only knows that it came no earlier
// than the last one that he was told of: so the bound takes whatever the wall clock showed since then.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace lane_sim {

class LaneAge final {
 public:
  // The wall clock minus the virtual one, both in ns: after each step of the wall clock while the lane may commit, and
  // when a commit is known.
  void saw_wall(std::uint64_t now_ns, std::int64_t offset_ns) {
    // What the lane did not believe at its start it measures again, and takes for true what it sees then.
    for (Step& step : steps_) {
      if (now_ns < step.at_ns + 2 * kSlackNs && offset_ns > step.from_offset)
        step.by_ns = std::max(step.by_ns, to_unsigned(offset_ns - step.from_offset));
    }
    lowest_offset_ = std::min(lowest_offset_, offset_ns);
    highest_offset_ = std::max(highest_offset_, offset_ns);
  }
  void committed(std::uint64_t now_ns, std::int64_t offset_ns) {
    committed_ns_ = now_ns;
    lowest_offset_ = highest_offset_ = offset_ns;
  }
  void started(std::uint64_t now_ns, std::int64_t offset_ns) {
    const std::int64_t most = offset_ns - lowest_offset_, least = offset_ns - highest_offset_;
    const auto passed = static_cast<std::int64_t>(now_ns - committed_ns_);
    const bool may_be_believed = least <= kBelievableNs, may_be_disbelieved = passed + most > kBelievableNs;
    if (most > 0 && may_be_believed)
      steps_.push_back({now_ns, to_unsigned(most), std::numeric_limits<std::int64_t>::max()});
    if (may_be_disbelieved) {
      const std::uint64_t by_ns = most > 0 ? to_unsigned(most) : 0;
      steps_.push_back({now_ns + kDisbeliefNs, by_ns, lowest_offset_});
    }
    committed(now_ns, offset_ns);  // the commit that opens the run
  }
  // Of the lane's clock, since the beginning: no lane has come further.
  std::uint64_t most_ns(std::uint64_t now_ns) const {
    std::uint64_t age = now_ns;
    for (const Step& step : steps_) age += step.at_ns <= now_ns ? step.by_ns : 0;
    return age;
  }

 private:
  static constexpr std::int64_t kBelievableNs = 3'600'000'000'000;
  static constexpr std::uint64_t kSlackNs = 10'000'000'000;                  // for the start itself
  static constexpr std::uint64_t kDisbeliefNs = 600'000'000'000 - kSlackNs;  // ten minutes, less that
  struct Step {
    std::uint64_t at_ns;
    std::uint64_t by_ns;
    std::int64_t from_offset;  // of the wall clock, from which it will be measured; the largest: it was
  };
  static std::uint64_t to_unsigned(std::int64_t ns) { return static_cast<std::uint64_t>(ns); }

  std::vector<Step> steps_;
  std::uint64_t committed_ns_ = 0;
  std::int64_t lowest_offset_ = 0;
  std::int64_t highest_offset_ = 0;
};

}  // namespace lane_sim
