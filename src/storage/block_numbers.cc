// SPDX-License-Identifier: Apache-2.0
#include "storage/block_numbers.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include "base/result.h"

namespace storage {

std::size_t BlockNumbers::lower_bound(BlockNumber number) const {
  const auto indexes = std::views::iota(std::size_t{0}, size());
  const auto found = std::ranges::lower_bound(indexes, number, {}, [this](std::size_t index) { return at(index); });
  return static_cast<std::size_t>(found - indexes.begin());
}

void BlockNumbers::push_back(BlockNumber number) {
  CHECK(empty() || back() < number, "a topic's block is older than the one before it");
  if (size() == room()) move_to_room_for(std::max<std::size_t>(1, 2 * room()));
  slots_[(head_ + size_) & (room() - 1)] = number;
  ++size_;
}

void BlockNumbers::pop_front() {
  CHECK(!empty(), "a topic has no block to drop");
  head_ = static_cast<std::uint32_t>((head_ + 1) & (room() - 1));
  --size_;
  if (room() > 4 * size()) move_to_room_for(empty() ? 0 : room() / 2);
}

void BlockNumbers::move_to_room_for(std::size_t slots) {
  std::vector<BlockNumber> moved(slots);
  for (std::size_t i = 0; i < size(); ++i) moved[i] = at(i);
  slots_ = std::move(moved);
  head_ = 0;
}

}  // namespace storage
