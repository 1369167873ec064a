// SPDX-License-Identifier: Apache-2.0
#pragma once
// Collects the ids of events from groups in log order, and forgets what the table of repeats would not take: ids that
// are older than the window before the newest group, and all but the newest `entries_max`.
//
// A value; belongs to one thread. Memory: 40 bytes for each id that is kept.
#include <cstddef>
#include <cstdint>
#include <deque>

#include "storage/log/format.h"
#include "storage/log/recovery.h"

namespace storage {

class RepeatWindow final {
 public:
  // `newest_ns`: lane time that is known to be reached, if there are younger groups than those that will be added.
  RepeatWindow(std::uint64_t window_ns, std::size_t entries_max, std::uint64_t newest_ns = 0)
      : window_ns_(window_ns), entries_max_(entries_max), newest_ns_(newest_ns) {}

  void add(const GroupView&);
  void add(const RestoredRepeat&);

  std::uint64_t newest_ns() const { return newest_ns_; }
  std::uint64_t oldest_ns() const;  // what is older is forgotten
  std::size_t room() const { return entries_max_ - repeats_.size(); }
  std::deque<RestoredRepeat> take() { return std::move(repeats_); }

 private:
  void move_on(std::uint64_t lane_time_ns);

  std::uint64_t window_ns_;
  std::size_t entries_max_;
  std::uint64_t newest_ns_;
  std::deque<RestoredRepeat> repeats_;
};

}  // namespace storage
