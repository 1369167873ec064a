// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which events are the newest of their address, walking forward from a position.
//
// Of an extent the newest event of each address is a candidate. It is in the answer unless a later extent of its
// segment or a later segment holds its address, as their indexes say. Extents that hold no address for the last time in
// their segment are passed over unread. So a lane of few addresses costs little more than the last extents of each
// segment, and one of many costs reading them once, and a bucket in each later segment for each address.
// What comes behind `end` meanwhile does not count. No index can tell it from what is before in the one extent that
// `end` lies in, so that one is read too once there is more in it.
//
// Thread: the lane's loop, and the loop that asked. Keeps itself until it has answered.
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "storage/log/lookup.h"
#include "storage/log/lookup_extent.h"

namespace storage {

class NewestLookup final : public std::enable_shared_from_this<NewestLookup> {
 public:
  // `reply` as before the first step.
  static void begin(LookupStage&, io::Loop& from, NewestRequest, NewestReply, Lane::NewestDone);
  NewestLookup(LookupStage&, io::Loop& from, NewestRequest&&, NewestReply&&, Lane::NewestDone&&);

 private:
  // The extent at hand.
  struct Place {
    std::uint64_t segment_id = 0;
    Sequence first = 0;
    Sequence last = 0;
  };

  void step();
  void step_later() {
    stage_.loop.post([self = shared_from_this()] { self->step(); });
  }
  Segment* segment_behind() const;  // null: all is covered
  void walk(Segment&);
  void read(Segment&, std::size_t extent);
  using OnEvents = std::function<void(NewestLookup&, const std::vector<LookupEvent>&)>;
  void read_events(Segment&, std::size_t extent, LookupFilter, OnEvents);
  void take(const std::vector<LookupEvent>&, Place);

  void check();
  bool reads_end();
  void check_next();
  void on_answer(const Segment&, const AddressAnswer&);
  enum class Again : std::uint8_t { No, Yes, Unknown };
  Again comes_again(const SegmentIndex&, const AddressHit&) const;
  void take_survivors();
  void release();
  void cover(Sequence);
  void finish(LookupStatus);

  LookupStage& stage_;
  io::Loop& from_;
  NewestRequest request_;
  NewestReply reply_;
  Lane::NewestDone done_;
  const Sequence asked_after_;  // whatever it costs, an answer gets further than this
  std::uint64_t bytes_read_ = 0;

  // Which extents of a segment have to be looked at.
  std::uint64_t marked_id_ = 0;
  AddressReader::Marks marks_;

  // The extent that `end` lies in, once there is more in it: its addresses up to `end`, ascending.
  struct EndExtent {
    Sequence first = 0;
    std::vector<std::uint64_t> addresses = {};
  } end_extent_;

  Place place_;
  std::vector<LookupEvent> candidates_;  // of the place, ascending; not checked yet
  // For an address that is known to come again: a position before which it is not the newest.
  std::unordered_map<std::uint64_t, Sequence> later_;

  std::vector<LookupEvent> checking_;      // candidates, ascending
  std::vector<std::uint64_t> unresolved_;  // addresses of them, ascending: no later event is known
  std::vector<Segment*> later_segments_;   // kept; the last one is next
};

}  // namespace storage
