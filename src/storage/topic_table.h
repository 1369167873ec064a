// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a lane knows of each topic that it has ever seen: identity, next offset, and up to where it was trimmed.
//
// Thread: the lane's loop. Ids count from 1 in the order of declaration and are never reused.
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/block.h"

namespace storage {

struct Topic {
  std::int64_t next_offset = 0;  // dense: the offset of the next record of this topic
  Sequence complete_after = 0;   // the sequence of its last trimmed event
};

class TopicTable final {
 public:
  TopicId declare(const std::string& identity);  // a known identity keeps its id
  Topic& at(TopicId);                            // the id must come from declare
  const Topic& at(TopicId) const;

 private:
  std::vector<Topic> topics_;  // of id, less one
  std::unordered_map<std::string, TopicId> ids_;
};

}  // namespace storage
