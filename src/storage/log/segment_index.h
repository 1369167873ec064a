// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where things are in one segment: extents of about 64 KiB, and for each topic the extents that hold it. Built group
// by group as the segment is written or scanned, or read from its footer; never the truth.
//
// An extent begins at a batch record and ends behind one. Reading it needs nothing before it: its records verify one
// by one. Control records and commits between batches lie in it; those behind its last batch lie in no extent.
// Thread: the lane's loop (or start-up). Memory: 40 bytes for each extent, about 7 for each topic in it, and about 200
// for each topic in the segment.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "storage/log/format.h"
#include "storage/log/topic_parts.h"

namespace storage {

class AddressIndex;

inline constexpr std::size_t kExtentBytes = 64u << 10;  // an extent ends with the batch record that reaches it

struct Extent {
  std::uint64_t offset = 0;        // in the file, of its first batch record
  std::uint64_t end_offset = 0;    // behind its last one
  Sequence first_sequence = 0;     // of its first event
  std::uint64_t lane_time_ns = 0;  // of the group of that event
  std::int64_t wall_ms_max = 0;    // the running maximum over all events before it in this segment, also over what
                                   // retention left out: an event in here reaches T first only if this is below T
};

// A piece of the file that answers (part of) a read.
struct ExtentRange {
  std::size_t first;  // extents [first, end); each of them holds one of the topics
  std::size_t end;
  std::uint64_t begin_offset;
  std::uint64_t end_offset;
  Sequence covered;  // every event of the topics up to here is in the range or before it
};

class SegmentIndex final {
 public:
  SegmentIndex();
  ~SegmentIndex();
  SegmentIndex(SegmentIndex&&) noexcept;
  SegmentIndex& operator=(SegmentIndex&&) noexcept;

  // The next group of the segment, at this offset of the file. Offsets and sequences ascend (checked).
  void add(std::uint64_t offset, const GroupView&);
  void add(std::uint64_t offset, const GroupView&, AddressIndex&);  // and its addresses there, in the same walk

  bool empty() const;                       // no event
  Sequence first_sequence() const;          // 0 if empty
  Sequence last_sequence() const;           // 0 if empty
  std::uint64_t last_lane_time_ns() const;  // of the last group with events
  std::int64_t wall_ms_max() const;         // of all events, also those left out; the smallest number if empty
  std::uint64_t end_offset() const;         // behind the last group
  std::uint64_t batch_bytes() const;        // of all topics
  const std::vector<Extent>& extents() const;

  // The first extents behind the position that hold any of the topics, as many as lie side by side and fit into
  // `bytes_max`, at least one. None: no event of the topics lies behind the position in this segment. Costs a binary
  // search for each topic, and the parts of the topics in what is returned.
  std::optional<ExtentRange> find(std::span<const TopicId> topics, Sequence after, std::size_t bytes_max) const;
  // How many events of the topics each of the extents [first, end) has. Costs a binary search for each topic, and its
  // parts there.
  std::vector<std::uint64_t> events_in(std::span<const TopicId> topics, std::size_t first, std::size_t end) const;
  // The extent in which the first event at or behind T is, by the running maximum; none if there is no such event.
  std::optional<std::size_t> find_time(std::int64_t wall_ms) const;

  std::vector<TopicId> topics() const;          // sorted
  std::vector<TopicPart> parts(TopicId) const;  // ascending; empty if the topic is not here
  std::uint64_t bytes_of(TopicId) const;        // of its batches
  Sequence last_sequence_of(TopicId) const;     // 0 if it is not here
  // Of its batches, those in parts without a live event left out; a part that is partly trimmed counts whole. A binary
  // search.
  std::uint64_t live_bytes(TopicId, Sequence complete_after) const;

  std::size_t memory_bytes() const;
  std::uint64_t parts_looked_at() const;  // by all calls of find(): what they cost this loop

  // For the footer. decode: Errc::BadInput if it is not whole. A decoded index is equal, and may be added to.
  std::string encode() const;
  static base::Result<SegmentIndex> decode(base::Bytes);

 private:
  struct Content;
  std::unique_ptr<Content> content_;
};

}  // namespace storage
