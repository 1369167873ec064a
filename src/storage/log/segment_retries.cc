// SPDX-License-Identifier: Apache-2.0
#include "storage/log/segment_retries.h"

#include <algorithm>

namespace storage {

bool SegmentRetries::is_due(std::uint64_t id, std::uint64_t now_ns) const {
  const auto found = later_.find(id);
  return found == later_.end() || now_ns >= found->second.at_ns;
}

void SegmentRetries::put_off(std::uint64_t id, std::uint64_t now_ns) {
  Later& later = later_[id];
  later.wait_ns = std::clamp(later.wait_ns * 2, kRetryFirstNs, kRetryNsMax);
  later.at_ns = now_ns + later.wait_ns;
}

void SegmentRetries::give_up(std::uint64_t id) { later_[id].at_ns = ~std::uint64_t{0}; }

}  // namespace storage
