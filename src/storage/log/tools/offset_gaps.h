// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which topics lost events, and how many, although nobody can read them any more: the offsets of a topic are dense, so
// a jump between two of its events that can be read tells how many are missing between them.
//
// A value; one thread. Memory: 24 bytes for each topic, and 40 for each gap.
#include <cstdint>
#include <vector>

#include "storage/log/lane_state.h"

namespace storage {

// Events of a topic are missing somewhere behind `after` and before `before`.
struct OffsetGap {
  TopicId topic = 0;
  Sequence after = 0;
  Sequence before = 0;
  std::uint64_t events = 0;
  // A start that finds damage skips offsets in every topic, whichever of them it was that lost events.
  enum class Certainty : std::uint8_t { Known, AtMost } certainty = Certainty::Known;
};

class OffsetGaps final {
 public:
  // What the lane knew of its topics at this point. The first call says where to begin: topics that are not in it begin
  // with offset 0 behind it.
  void add(const LaneState&, OffsetGap::Certainty);
  // The next group behind it, verified.
  void add(const GroupView&);

  const std::vector<OffsetGap>& gaps() const { return gaps_; }

 private:
  struct Place {
    std::int64_t next_offset = 0;
    Sequence after = 0;  // the event before that offset, or one behind it
    bool is_known = false;
  };

  Place& place_of(TopicId);
  void note(const Place&, std::int64_t offset, OffsetGap);

  Place begin_;                // of a topic that was not seen yet
  std::vector<Place> places_;  // of topic id, less one
  std::vector<OffsetGap> gaps_;
};

}  // namespace storage
