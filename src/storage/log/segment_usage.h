// SPDX-License-Identifier: Apache-2.0
#pragma once
// How much of each segment is alive: topics that have an event behind their complete_after, and bytes that were trimmed
// and still take space. A sealed segment is counted once, and from then on told of every trim, so nobody walks through
// topics times segments. A part of a topic that is trimmed in part counts as alive.
//
// By the segment's id: one that was rewritten keeps its number and is another segment. Thread: the lane's loop.
#include <cstdint>
#include <map>

#include "storage/log/segment.h"
#include "storage/topic_table.h"

namespace storage {

class SegmentUsage final {
 public:
  // Of a sealed segment. Costs a look-up for each of its topics; returns how many.
  std::size_t count(const Segment&, const TopicTable&);
  bool is_counted(const Segment&) const;
  bool is_dead(const Segment&) const;  // counted, and no topic has a live event in it

  // The topic's complete_after moved, and that is durable.
  void trimmed(const Segment&, TopicId, Sequence from, Sequence to);
  void keep_only(const Segments&);

  std::uint64_t dead_bytes(const Segment&) const;  // of batches
  std::uint64_t dead_bytes() const;                // of all segments

 private:
  struct Use {
    bool counted = false;
    std::size_t live_topics = 0;
    std::uint64_t dead_bytes = 0;
  };

  const Use* find(const Segment&) const;

  std::map<std::uint64_t, Use> uses_;
};

}  // namespace storage
