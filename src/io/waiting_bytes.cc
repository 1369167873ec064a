// SPDX-License-Identifier: Apache-2.0
#include "io/waiting_bytes.h"

#include "base/result.h"

namespace io {

// Only the number is shared, and it orders nothing else: the loop's mailbox does that.
bool WaitingBytes::enter(std::size_t bytes) {
  std::size_t known = bytes_.load(std::memory_order_relaxed);
  do {
    if (bytes > bytes_max_ - known) return false;
  } while (!bytes_.compare_exchange_weak(known, known + bytes, std::memory_order_relaxed));
  return true;
}

void WaitingBytes::leave(std::size_t bytes) {
  const std::size_t known = bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  CHECK(known >= bytes, "more bytes left than had entered");
}

}  // namespace io
