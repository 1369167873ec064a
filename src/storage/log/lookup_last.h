// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where the last N events of a set begin: backwards, extent by extent.
//
// Of topics alone the index says how many events an extent holds, so only the extent in which they begin is read. Of
// addresses it says which extents hold them, and these are read one after the other.
//
// Thread: the lane's loop, and the loop that asked. Keeps itself until it has answered.
#include <memory>
#include <vector>

#include "storage/log/lookup.h"
#include "storage/log/lookup_extent.h"

namespace storage {

class LastLookup final : public std::enable_shared_from_this<LastLookup> {
 public:
  // `reply` as if there were none.
  static void begin(LookupStage&, io::Loop& from, LocateRequest, LocateReply, Lane::LocateDone);
  LastLookup(LookupStage&, io::Loop& from, LocateRequest&&, LocateReply, Lane::LocateDone&&);

 private:
  // Backwards from upper_ on.
  void step();
  Segment* segment_below() const;  // null: there is none with an event that counts
  void step_by_count(Segment&);
  void step_by_address(Segment&);
  void on_extents(Segment&, AddressAnswer);
  void take_extents(Segment&);
  void read(Segment&, std::size_t extent);
  void take(const std::vector<LookupEvent>&, Sequence extent_first);
  bool counts_whole(const SegmentIndex&, std::size_t extent) const;
  void pass(Sequence first) { upper_ = first - 1; }
  void finish(LookupStatus);

  LookupStage& stage_;
  io::Loop& from_;
  LocateRequest request_;
  std::size_t wanted_;  // still
  LocateReply reply_;
  Lane::LocateDone done_;
  Sequence upper_;          // everything behind it was counted
  std::size_t window_ = 4;  // extents
  std::uint64_t bytes_read_ = 0;
  // What the index says of the segment at hand.
  std::uint64_t segment_id_ = 0;
  std::vector<std::uint32_t> extents_;
};

}  // namespace storage
