// SPDX-License-Identifier: Apache-2.0
#pragma once
// Segments with which background work did not come to its end. What failed for want of space, or because the disk
// refused, is tried again later, each time after twice as long; what found damage never is.
//
// By the segment's id. Thread: the lane's loop.
#include <cstdint>
#include <map>

namespace storage {

inline constexpr std::uint64_t kRetryFirstNs = 10'000'000'000;
inline constexpr std::uint64_t kRetryNsMax = 3'600'000'000'000;

class SegmentRetries final {
 public:
  bool is_due(std::uint64_t id, std::uint64_t now_ns) const;
  void put_off(std::uint64_t id, std::uint64_t now_ns);
  void give_up(std::uint64_t id);
  void forget(std::uint64_t id) { later_.erase(id); }  // it came to its end, or is gone

 private:
  struct Later {
    std::uint64_t wait_ns = 0;
    std::uint64_t at_ns = 0;
  };
  std::map<std::uint64_t, Later> later_;
};

}  // namespace storage
