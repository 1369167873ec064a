// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which of a store's blocks hold a topic, so that a read looks at no others.
//
// Thread: the lane's loop. Invariant: for every topic exactly the blocks that were added, hold it and were not removed.
// Besides BlockNumbers::kBytesMax for each pair of a block and a topic in it, it takes sizeof(BlockNumbers) for each
// declared topic, which is less than TopicTable does.
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "storage/block.h"
#include "storage/block_numbers.h"

namespace storage {

class TopicBlocks final {
 public:
  // The blocks that hold any of some topics, from one number on: ascending, each once. Beginning costs a binary search
  // for each topic, and a step is logarithmic in their number. Valid until the next change.
  class Walk final {
   public:
    Walk(const TopicBlocks&, std::span<const TopicId>, BlockNumber from);
    std::optional<BlockNumber> next();

   private:
    struct Head {
      BlockNumber number;
      std::size_t index;  // where it is in `numbers`
      const BlockNumbers* numbers;
    };

    void advance_first();

    std::vector<Head> heads_;  // a heap with the smallest number first; topics with nothing left are gone
  };

  // Both return in how many topics' lists the block is: the number of different topics in it.
  std::size_t add(const Block&, BlockNumber);            // a larger number than any before
  std::size_t remove_oldest(const Block&, BlockNumber);  // the smallest number that is left

 private:
  const BlockNumbers* find(TopicId) const;  // null if no block ever held it

  std::vector<BlockNumbers> of_topic_;  // of id, less one
};

}  // namespace storage
