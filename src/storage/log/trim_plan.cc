// SPDX-License-Identifier: Apache-2.0
#include "storage/log/trim_plan.h"

#include <algorithm>
#include <span>

#include "base/result.h"

namespace storage {

void TrimTotals::add(TrimReason reason, TrimSum sum) {
  of(reason).events += sum.events;
  of(reason).bytes += sum.bytes;
}

void TrimTotals::add(const TrimTotals& other) {
  for (const TrimReason reason : {TrimReason::Age, TrimReason::Bytes, TrimReason::Space}) add(reason, other.of(reason));
}

void TopicPlace::move_to(Sequence after, const TrimEnd& at) {
  complete_after = after;
  end = at;
  located = at.next > 0;
  passed = located ? at.next - 1 : after;
  unreadable = false;
}

void TopicPlace::discount(TopicId topic, const SegmentIndex& index, Sequence after) {
  if (index.last_sequence() > sealed_through) return;  // it was not counted
  sealed_bytes -= index.live_bytes(topic, complete_after) - index.live_bytes(topic, after);
}

// That is the first event behind it, or the last one of all.
std::uint64_t youngest_ns(const SegmentIndex& index, std::size_t extent) {
  const std::vector<Extent>& extents = index.extents();
  return extent + 1 < extents.size() ? extents[extent + 1].lane_time_ns : index.last_lane_time_ns();
}

// From part to part of one topic, for as long as they have to go.
class TrimPlanner::Walk {
 public:
  Walk(const TopicPlace& place, const TrimLimits& limits, std::uint64_t live_bytes)
      : place_(place), limits_(limits), live_bytes_(live_bytes) {
    plan_.complete_after = place.complete_after;
  }

  bool has_to_go() const {
    return place_.end.lane_time_ns < limits_.older_than_ns || limits_.through > place_.passed || is_too_much();
  }
  bool is_limited() const { return limits_.bytes_max != Retention::kUnbounded; }

  // The next part; false: it stays, or some of it.
  bool pass(const TopicPart& part, const SegmentIndex& index, std::size_t segment) {
    const bool is_first = plan_.complete_after == place_.complete_after;
    const TrimEnd known = is_first ? place_.end : TrimEnd{0, index.extents()[part.extent].lane_time_ns};
    const TrimSum live{part.events - known.dead_events, part.bytes - known.dead_bytes};
    const std::uint64_t bytes_behind = live_bytes_ - std::min(live.bytes, live_bytes_);
    const std::optional<TrimReason> reason = judge(part, index, live, bytes_behind);
    if (reason) {
      plan_.complete_after = part.last_sequence;
      plan_.end = {.dead_bytes = part.bytes, .dead_events = part.events};
      plan_.trimmed.add(*reason, live);
      live_bytes_ = bytes_behind;
      return true;
    }
    const bool is_readable = !(is_first && place_.unreadable);
    const bool some_may_go = known.lane_time_ns < limits_.older_than_ns || is_too_much();
    if (is_readable && some_may_go) plan_.boundary = {segment, part.extent, part.bytes, bytes_behind};
    return false;
  }

  TrimPlan take() { return plan_; }

 private:
  bool is_too_much() const { return is_limited() && live_bytes_ > limits_.bytes_max; }

  // Why all of it goes.
  std::optional<TrimReason> judge(const TopicPart& part, const SegmentIndex& index, const TrimSum& live,
                                  std::uint64_t bytes_behind) const {
    if (youngest_ns(index, part.extent) < limits_.older_than_ns) return TrimReason::Age;
    const bool last_is_too_much = is_limited() && bytes_behind >= limits_.bytes_max;
    if (last_is_too_much || (live.events == 1 && is_too_much())) return TrimReason::Bytes;
    if (part.last_sequence <= limits_.through) return TrimReason::Space;
    return std::nullopt;
  }

  const TopicPlace& place_;
  const TrimLimits& limits_;
  std::uint64_t live_bytes_;  // behind what goes; only with a bound
  TrimPlan plan_;
};

TrimPlan TrimPlanner::plan(TopicId topic, TopicPlace& place, const TrimLimits& limits) {
  spend(1);
  const bool is_limited = limits.bytes_max != Retention::kUnbounded;
  if (!locate(topic, place)) return {.complete_after = place.complete_after};
  Walk walk(place, limits, is_limited ? live_bytes(topic, place) : 0);
  if (!walk.has_to_go()) return walk.take();
  for (std::size_t at = segment_behind(place.passed); at < segments_.size() && !is_exhausted(); ++at) {
    const SegmentIndex& index = *segments_[at];
    const std::vector<TopicPart> parts = index.parts(topic);
    spend(kLookUpSteps + parts.size());
    auto part = std::ranges::upper_bound(parts, place.passed, {}, &TopicPart::last_sequence);
    while (part != parts.end() && walk.pass(*part, index, at)) ++part;
    if (part != parts.end()) break;
  }
  return walk.take();
}

// False: the topic has no live event, or the steps ran out before one was found.
bool TrimPlanner::locate(TopicId topic, TopicPlace& place) {
  for (std::size_t at = segment_behind(place.passed); !place.located && at < segments_.size(); ++at) {
    if (is_exhausted()) return false;
    spend(kLookUpSteps);
    const SegmentIndex& index = *segments_[at];
    if (index.last_sequence_of(topic) <= place.passed) {
      place.passed = std::max(place.passed, index.last_sequence());
      continue;
    }
    const auto range = index.find(std::span(&topic, 1), place.passed, 0);
    CHECK(range.has_value(), "a topic is in a segment and in none of its extents");
    const Extent& extent = index.extents()[range->first];
    // The part in which trimming ended may have got more events since then.
    if (extent.first_sequence > place.complete_after) place.end = {};
    place.end.lane_time_ns = extent.lane_time_ns;
    place.passed = std::max(place.passed, extent.first_sequence - 1);
    place.located = true;
  }
  return place.located;
}

// What counts of a part that is partly trimmed is known once it was read, or was trimmed by this start.
std::uint64_t TrimPlanner::live_bytes(TopicId topic, TopicPlace& place) {
  const Sequence counted = std::max(place.sealed_through, place.complete_after);
  for (std::size_t at = segment_behind(counted); at + 1 < segments_.size(); ++at) {
    spend(kLookUpSteps);
    place.sealed_bytes += segments_[at]->live_bytes(topic, place.complete_after);
    place.sealed_through = segments_[at]->last_sequence();
  }
  const std::uint64_t bytes = place.sealed_bytes + segments_.back()->live_bytes(topic, place.complete_after);
  return bytes - std::min(bytes, place.end.dead_bytes);
}

// The first segment that may hold an event behind the position. The newest one may be empty, and then has no place in
// the order of the others.
std::size_t TrimPlanner::segment_behind(Sequence position) const {
  const auto ordered = segments_.back()->empty() ? segments_.end() - 1 : segments_.end();
  const auto found = std::upper_bound(segments_.begin(), ordered, position,
                                      [](Sequence value, const auto* index) { return value < index->last_sequence(); });
  return static_cast<std::size_t>(found - segments_.begin());
}

}  // namespace storage
