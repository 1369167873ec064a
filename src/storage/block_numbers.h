// SPDX-License-Identifier: Apache-2.0
#pragma once
// The numbers of the blocks that hold one topic, ascending: a ring that grows at its back and is trimmed at its front.
//
// Thread: the lane's loop. Invariant: it has room for at most four times what it holds, and none when it holds nothing,
// so that a lane of many quiet topics, or one that was busy once, does not pay for it. A change costs O(1) amortized.
#include <cstddef>
#include <cstdint>
#include <vector>

namespace storage {

using BlockNumber = std::uint64_t;  // counts the blocks that a store ever kept

class BlockNumbers final {
 public:
  // Of each number held, by the invariant; also no less than what an allocation takes for a single one.
  static constexpr std::size_t kBytesMax = 4 * sizeof(BlockNumber);

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  std::size_t room() const { return slots_.size(); }
  BlockNumber at(std::size_t index) const { return slots_[(head_ + index) & (slots_.size() - 1)]; }  // index < size()
  BlockNumber front() const { return at(0); }                                                        // not when empty()
  BlockNumber back() const { return at(size_ - 1); }                                                 // not when empty()
  std::size_t lower_bound(BlockNumber) const;  // the index of the first one at or behind it, size() if there is none

  void push_back(BlockNumber);  // larger than back()
  void pop_front();             // not when empty()

 private:
  void move_to_room_for(std::size_t slots);

  std::vector<BlockNumber> slots_;  // a power of two, or none
  std::uint32_t head_ = 0;
  std::uint32_t size_ = 0;
};

}  // namespace storage
