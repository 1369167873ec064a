// SPDX-License-Identifier: Apache-2.0
#include "engine/tail.h"

#include <algorithm>
#include <utility>

#include "base/result.h"

namespace engine {

void Tail::push(storage::BlockPtr block) {
  CHECK(block->first() > end_, "a commit arrived twice or out of order");
  end_ = block->last();
  bytes_ += block->memory_bytes();
  blocks_.push_back(std::move(block));
  // One block always stays, whatever its size: what was just committed is what subscribers ask for.
  while (bytes_ > kTailBytesMax && blocks_.size() > 1) {
    begin_ = blocks_.front()->last();
    bytes_ -= blocks_.front()->memory_bytes();
    blocks_.pop_front();
  }
}

void Tail::restart(storage::Sequence end) {
  blocks_.clear();
  bytes_ = 0;
  begin_ = end_ = end;
}

storage::BlockPtr Tail::next(storage::Sequence position) const {
  CHECK(covers(position), "the tail was asked for what it does not have");
  const auto found =
      std::ranges::upper_bound(blocks_, position, {}, [](const storage::BlockPtr& b) { return b->last(); });
  return found == blocks_.end() ? nullptr : *found;
}

}  // namespace engine
