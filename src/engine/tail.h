// SPDX-License-Identifier: Apache-2.0
#pragma once
// The newest commits of the lane, as one loop has them in memory: most who fall behind catch up from here.
//
// Invariant: every event in (begin(), end()] is in the blocks. Thread: one loop; the blocks are shared with others.
#include <cstddef>
#include <deque>

#include "storage/block.h"

namespace engine {

inline constexpr std::size_t kTailBytesMax = 32 << 20;

class Tail final {
 public:
  explicit Tail(storage::Sequence start) : begin_(start), end_(start) {}

  void push(storage::BlockPtr);
  void restart(storage::Sequence end);  // forgets everything at or before `end`
  bool covers(storage::Sequence position) const { return position >= begin_; }
  // The first block that has events behind the position; null if there is none. The position must be covered.
  storage::BlockPtr next(storage::Sequence position) const;

  storage::Sequence begin() const { return begin_; }
  storage::Sequence end() const { return end_; }

 private:
  std::deque<storage::BlockPtr> blocks_;
  std::size_t bytes_ = 0;
  storage::Sequence begin_;
  storage::Sequence end_;
};

}  // namespace engine
