// SPDX-License-Identifier: Apache-2.0
#include "storage/topic_table.h"

#include <utility>

#include "base/result.h"

namespace storage {

TopicId TopicTable::declare(const std::string& identity) {
  const auto [at, is_new] = ids_.try_emplace(identity, static_cast<TopicId>(topics_.size() + 1));
  if (is_new) topics_.emplace_back();
  return at->second;
}

const Topic& TopicTable::at(TopicId id) const {
  CHECK(id > 0 && id <= topics_.size(), "a topic is used that was not declared");
  return topics_[id - 1];
}

Topic& TopicTable::at(TopicId id) { return const_cast<Topic&>(std::as_const(*this).at(id)); }

}  // namespace storage
