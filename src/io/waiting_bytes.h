// SPDX-License-Identifier: Apache-2.0
#pragma once
// How many bytes were posted to a loop and have not run there, under a bound: what a sender asks before it posts.
//
// Thread: any. A message that never runs need not leave: its loop has ended.
#include <atomic>
#include <cstddef>

namespace io {

class WaitingBytes final {
 public:
  explicit WaitingBytes(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  bool enter(std::size_t bytes);  // false: they would be too many, and nothing was counted
  void leave(std::size_t bytes);  // as many as entered

 private:
  const std::size_t bytes_max_;
  std::atomic<std::size_t> bytes_ = 0;
};

}  // namespace io
