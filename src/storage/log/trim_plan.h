// SPDX-License-Identifier: Apache-2.0
#pragma once
// How far a topic may be trimmed, as the indexes of its segments know it: whole parts without reading anything, and the
// one part of which some events may have to go, so that its extent is read (boundary_extent.h).
//
// An event is too old if its group was committed before `older_than_ns`; it is too much if it and all later ones of its
// topic have more than `bytes_max` together. The bytes of a batch are spread over its events by their length.
// Pure; one thread.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "storage/lane.h"
#include "storage/log/segment_index.h"

namespace storage {

enum class TrimReason : std::uint8_t { Age, Bytes, Space };

struct TrimSum {
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;  // of batches
};

struct TrimTotals {
  std::array<TrimSum, 3> sums = {};

  TrimSum& of(TrimReason reason) { return sums[static_cast<std::size_t>(reason)]; }
  const TrimSum& of(TrimReason reason) const { return sums[static_cast<std::size_t>(reason)]; }
  void add(TrimReason, TrimSum);
  void add(const TrimTotals&);
};

// What has to go now.
struct TrimLimits {
  std::uint64_t older_than_ns = 0;                  // lane time; 0: nothing is too old
  std::uint64_t bytes_max = Retention::kUnbounded;  // of one topic
  Sequence through = 0;                             // the end of a segment: everything up to it, for want of space
};

// What is known of the part in which trimming ended.
struct TrimEnd {
  Sequence next = 0;               // its first event that stays; 0: none, or not known
  std::uint64_t lane_time_ns = 0;  // of that
  std::uint64_t dead_bytes = 0;    // of the part, before it
  std::uint32_t dead_events = 0;
};

// What is known of the live events of one topic, so that a look at it costs next to nothing while there is nothing to
// do. It stays right when segments are added behind the others, and when one without a live event goes; after any
// other change of the segments it is made anew.
struct TopicPlace {
  explicit TopicPlace(Sequence after = 0) : complete_after(after), passed(after) {}

  Sequence complete_after;  // what follows holds for this one
  Sequence passed;          // no event of the topic lies in (complete_after, passed]
  bool located = false;     // the first live event lies in the first extent behind `passed`
  bool unreadable = false;  // that extent cannot be read: it goes as a whole
  TrimEnd end = {};         // located: of the part that holds that event, which is no older than lane_time_ns
  Sequence sealed_through = 0;
  std::uint64_t sealed_bytes = 0;  // of its parts with a live event in the segments up to sealed_through

  // Everything up to `after` is trimmed now. Before that, of each segment that holds some of it: it counts for less.
  void move_to(Sequence after, const TrimEnd&);
  void discount(TopicId, const SegmentIndex&, Sequence after);
};

// A part of which some events may have to go.
struct PartBoundary {
  std::size_t segment = 0;  // of the list
  std::size_t extent = 0;
  std::uint64_t part_bytes = 0;
  std::uint64_t bytes_behind = 0;  // of the topic, behind the part; only with a bound
};

struct TrimPlan {
  Sequence complete_after = 0;  // the place's if nothing goes
  TrimEnd end = {};
  TrimTotals trimmed = {};
  std::optional<PartBoundary> boundary = {};  // the part behind complete_after
};

// No event of the extent is younger, by lane time.
std::uint64_t youngest_ns(const SegmentIndex&, std::size_t extent);

using SegmentIndexes = std::vector<const SegmentIndex*>;  // oldest first; the last one still grows

// A step is an entry of an index that is read on the way, some 50 ns. To look something up takes longer.
inline constexpr std::size_t kLookUpSteps = 16;

class TrimPlanner final {
 public:
  // Takes about `steps_max`, all calls together. What is left over is planned another time.
  TrimPlanner(SegmentIndexes segments, std::size_t steps_max)
      : segments_(std::move(segments)), steps_left_(steps_max) {}

  // What a start before this one has trimmed of the first part, and is not known, counts as trimmed now.
  TrimPlan plan(TopicId, TopicPlace&, const TrimLimits&);

  void spend(std::size_t steps) { steps_left_ -= steps < steps_left_ ? steps : steps_left_; }
  bool is_exhausted() const { return steps_left_ == 0; }

 private:
  class Walk;

  bool locate(TopicId, TopicPlace&);
  std::uint64_t live_bytes(TopicId, TopicPlace&);
  std::size_t segment_behind(Sequence) const;

  const SegmentIndexes segments_;
  std::size_t steps_left_;
};

}  // namespace storage
