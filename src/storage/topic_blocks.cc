// SPDX-License-Identifier: Apache-2.0
#include "storage/topic_blocks.h"

#include <algorithm>
#include <functional>

#include "base/result.h"

namespace storage {

TopicBlocks::Walk::Walk(const TopicBlocks& blocks, std::span<const TopicId> topics, BlockNumber from) {
  heads_.reserve(topics.size());
  for (const TopicId topic : topics) {
    const BlockNumbers* numbers = blocks.find(topic);
    if (numbers == nullptr) continue;
    const std::size_t index = numbers->lower_bound(from);
    if (index < numbers->size()) heads_.push_back({numbers->at(index), index, numbers});
  }
  std::ranges::make_heap(heads_, std::greater(), &Head::number);
}

std::optional<BlockNumber> TopicBlocks::Walk::next() {
  if (heads_.empty()) return std::nullopt;
  const BlockNumber number = heads_.front().number;
  while (!heads_.empty() && heads_.front().number == number) advance_first();  // one for each topic that it holds
  return number;
}

void TopicBlocks::Walk::advance_first() {
  std::ranges::pop_heap(heads_, std::greater(), &Head::number);
  Head& head = heads_.back();
  if (++head.index == head.numbers->size()) return heads_.pop_back();
  head.number = head.numbers->at(head.index);
  std::ranges::push_heap(heads_, std::greater(), &Head::number);
}

const BlockNumbers* TopicBlocks::find(TopicId topic) const {
  return topic <= of_topic_.size() ? &of_topic_[topic - 1] : nullptr;
}

std::size_t TopicBlocks::add(const Block& block, BlockNumber number) {
  std::size_t topics = 0;
  for (const Entry& entry : block.entries) {
    if (entry.topic > of_topic_.size()) of_topic_.resize(entry.topic);
    BlockNumbers& numbers = of_topic_[entry.topic - 1];
    if (!numbers.empty() && numbers.back() == number) continue;  // an earlier entry of the same topic
    numbers.push_back(number);
    ++topics;
  }
  return topics;
}

std::size_t TopicBlocks::remove_oldest(const Block& block, BlockNumber number) {
  std::size_t topics = 0;
  for (const Entry& entry : block.entries) {
    BlockNumbers& numbers = of_topic_[entry.topic - 1];
    if (numbers.empty() || numbers.front() != number) continue;  // an earlier entry of the same topic
    numbers.pop_front();
    ++topics;
  }
  return topics;
}

}  // namespace storage
