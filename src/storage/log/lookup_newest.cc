// SPDX-License-Identifier: Apache-2.0
#include "storage/log/lookup_newest.h"

#include <algorithm>
#include <utility>

namespace storage {

namespace {

// Of each address the newest one.
void keep_newest(std::vector<LookupEvent>& events) {
  std::ranges::sort(events, {}, [](const LookupEvent& event) { return std::pair(event.address_hash, event.sequence); });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (i + 1 < events.size() && events[i + 1].address_hash == events[i].address_hash) continue;
    events[kept++] = events[i];
  }
  events.resize(kept);
  std::ranges::sort(events, {}, &LookupEvent::sequence);
}

}  // namespace

NewestLookup::NewestLookup(LookupStage& stage, io::Loop& from, NewestRequest&& request, NewestReply&& reply,
                           Lane::NewestDone&& done)
    : stage_(stage),
      from_(from),
      request_(std::move(request)),
      reply_(std::move(reply)),
      done_(std::move(done)),
      asked_after_(reply_.after) {}

void NewestLookup::begin(LookupStage& stage, io::Loop& from, NewestRequest request, NewestReply reply,
                         Lane::NewestDone done) {
  ++stage.under_way;
  std::make_shared<NewestLookup>(stage, from, std::move(request), std::move(reply), std::move(done))->step();
}

void NewestLookup::step() {
  if (stage_.stopping) return finish(LookupStatus::Stopped);
  if (reply_.covered >= reply_.end) return finish(LookupStatus::Complete);
  if (reply_.sequences.size() >= request_.events_max) return finish(LookupStatus::Partial);
  const bool has_moved = reply_.covered > asked_after_;
  if (bytes_read_ >= stage_.bytes_max && has_moved) return finish(LookupStatus::Partial);
  if (!candidates_.empty()) return check();
  Segment* segment = segment_behind();
  if (segment == nullptr) {
    cover(reply_.end);
    return finish(LookupStatus::Complete);
  }
  if (marked_id_ == segment->header.id) return walk(*segment);
  stage_.log.begin_read(*segment);
  stage_.addresses.mark_newest(
      *segment, [self = shared_from_this(), segment](AddressReader::Marks marks, std::uint64_t bytes_read) {
        self->bytes_read_ += bytes_read;
        self->marks_ = std::move(marks);
        self->marked_id_ = segment->header.id;
        self->walk(*segment);
        self->stage_.log.end_read(*segment);
      });
}

Segment* NewestLookup::segment_behind() const {
  const auto segments = stage_.segments();
  const auto last_of = [](const auto& segment) { return segment->index.last_sequence(); };
  const auto found = std::ranges::upper_bound(segments, reply_.covered, {}, last_of);
  return found == segments.end() || (*found)->index.first_sequence() > reply_.end ? nullptr : found->get();
}

// To the next extent that has to be looked at.
void NewestLookup::walk(Segment& segment) {
  for (std::size_t steps = 0; steps < kLookupStepsMax; ++steps) {
    const auto range = segment.index.find(request_.topics, reply_.covered, 1);
    if (!range || segment.index.extents()[range->first].first_sequence > reply_.end) {
      cover(segment.index.last_sequence());
      break;
    }
    // The newest in the segment may come behind `end`: then its marks say nothing.
    const bool has_marks = marks_ != nullptr && segment.index.last_sequence() <= reply_.end;
    if (!has_marks || (*marks_)[range->first]) return read(segment, range->first);
    cover(last_in(segment.index, range->end));
  }
  step_later();
}

void NewestLookup::read(Segment& segment, std::size_t extent) {
  const Place place{segment.header.id, segment.index.extents()[extent].first_sequence,
                    std::min(last_in(segment.index, extent + 1), reply_.end)};
  read_events(segment, extent, {request_.topics, {}, reply_.covered, reply_.end},
              [place](NewestLookup& self, const std::vector<LookupEvent>& events) { self.take(events, place); });
}

// The newest of each address in the extent; taken apart on the loop that asked.
void NewestLookup::read_events(Segment& segment, std::size_t extent, LookupFilter filter, OnEvents on_events) {
  const auto take_apart = [self = shared_from_this(), filter = std::move(filter), seed = segment.header.seed(),
                           on_events = std::move(on_events)](std::string bytes) mutable {
    self->bytes_read_ += bytes.size();
    io::Loop& from = self->from_;
    from.post([self = std::move(self), filter = std::move(filter), seed, on_events = std::move(on_events),
               bytes = std::move(bytes)]() mutable {
      std::vector<LookupEvent> events = matching_events(bytes, seed, filter);
      keep_newest(events);
      LookupStage& stage = self->stage_;
      stage.loop.post([self = std::move(self), events = std::move(events), on_events = std::move(on_events)] {
        on_events(*self, events);
      });
    });
  };
  stage_.read(segment, extent, extent + 1, take_apart);
}

void NewestLookup::take(const std::vector<LookupEvent>& events, Place place) {
  place_ = place;
  const std::vector<DamagedRange>& damage = stage_.log.state().damage;
  for (const LookupEvent& event : events) {
    // What a group that is damaged elsewhere still holds is not read either.
    const auto damaged = std::ranges::lower_bound(damage, event.sequence, {}, &DamagedRange::last);
    if (damaged != damage.end() && damaged->first <= event.sequence) continue;
    const auto known = later_.find(event.address_hash);
    if (known == later_.end() || event.sequence >= known->second) candidates_.push_back(event);
  }
  if (candidates_.empty()) cover(place_.last);
  step();
}

// The next few candidates, in every place that comes later.
void NewestLookup::check() {
  const auto segments = stage_.segments();
  const bool is_there =
      std::ranges::any_of(segments, [this](const auto& segment) { return segment->header.id == place_.segment_id; });
  if (!is_there) {  // it was rewritten: its extents are others now
    candidates_.clear();
    return step_later();
  }
  if (reads_end()) return;
  const std::size_t count = std::min(candidates_.size(), kNewestCandidatesMax);
  checking_.assign(candidates_.begin(), candidates_.begin() + static_cast<std::ptrdiff_t>(count));
  candidates_.erase(candidates_.begin(), candidates_.begin() + static_cast<std::ptrdiff_t>(count));
  unresolved_.clear();
  for (const LookupEvent& event : checking_) unresolved_.push_back(event.address_hash);
  std::ranges::sort(unresolved_);
  for (const auto& segment : segments) {
    if (segment->index.last_sequence() <= place_.last || segment->index.first_sequence() > reply_.end) continue;
    stage_.log.begin_read(*segment);
    later_segments_.push_back(segment.get());
  }
  check_next();
}

// Whether the extent that `end` lies in has to be read first; then that is under way.
bool NewestLookup::reads_end() {
  if (place_.last >= reply_.end) return false;
  const auto segments = stage_.segments();
  const auto first_of = [](const auto& segment) { return segment->index.first_sequence(); };
  Segment& segment = **(std::ranges::upper_bound(segments, reply_.end, {}, first_of) - 1);
  const SegmentIndex& index = segment.index;
  if (index.last_sequence() <= reply_.end) return false;
  const std::size_t extent = extents_up_to(index, reply_.end) - 1;
  const Sequence first = index.extents()[extent].first_sequence;
  if (last_in(index, extent + 1) <= reply_.end || end_extent_.first == first) return false;
  read_events(segment, extent, {request_.topics, {}, 0, reply_.end},
              [first](NewestLookup& self, const std::vector<LookupEvent>& events) {
                self.end_extent_ = {first, {}};
                for (const LookupEvent& event : events) self.end_extent_.addresses.push_back(event.address_hash);
                std::ranges::sort(self.end_extent_.addresses);
                self.check();
              });
  return true;
}

NewestLookup::Again NewestLookup::comes_again(const SegmentIndex& index, const AddressHit& hit) const {
  const Sequence first = index.extents()[hit.extent].first_sequence;
  if (first <= place_.last || first > reply_.end) return Again::No;
  if (last_in(index, hit.extent + 1) <= reply_.end) return Again::Yes;
  if (end_extent_.first != first) return Again::Unknown;
  return std::ranges::binary_search(end_extent_.addresses, hit.hash) ? Again::Yes : Again::No;
}

// The newest segment first: what comes again is most often there.
void NewestLookup::check_next() {
  if (later_segments_.empty() || unresolved_.empty()) return take_survivors();
  Segment& segment = *later_segments_.back();
  // Where events behind `end` may come, the newest is not the one that is asked for.
  const bool has_end = segment.index.last_sequence() >= reply_.end;
  stage_.addresses.find(
      segment, unresolved_, has_end ? AddressReader::Want::All : AddressReader::Want::Newest,
      [self = shared_from_this(), &segment](const AddressAnswer& answer) { self->on_answer(segment, answer); });
}

void NewestLookup::on_answer(const Segment& segment, const AddressAnswer& answer) {
  bytes_read_ += answer.bytes_read;
  if (answer.outcome == AddressAnswer::Outcome::Stopped) {
    release();
    return finish(LookupStatus::Stopped);
  }
  if (later_.size() > kNewestKnownMax) later_.clear();
  for (const AddressHit& hit : answer.hits) {
    const Again again = comes_again(segment.index, hit);
    if (again == Again::Unknown) {  // events came meanwhile: once more
      candidates_.insert(candidates_.begin(), checking_.begin(), checking_.end());
      release();
      return step_later();
    }
    const Sequence first = segment.index.extents()[hit.extent].first_sequence;
    if (again == Again::Yes) later_[hit.hash] = std::max(later_[hit.hash], first);
  }
  std::erase_if(unresolved_, [this](std::uint64_t hash) {
    const auto known = later_.find(hash);
    return known != later_.end() && known->second > place_.last;
  });
  stage_.log.end_read(*later_segments_.back());
  later_segments_.pop_back();
  check_next();
}

void NewestLookup::take_survivors() {
  release();
  for (const LookupEvent& event : checking_) {
    if (!std::ranges::binary_search(unresolved_, event.address_hash)) continue;
    if (reply_.sequences.size() == request_.events_max) return finish(LookupStatus::Partial);
    reply_.sequences.push_back(event.sequence);
    cover(event.sequence);
  }
  cover(candidates_.empty() ? place_.last : checking_.back().sequence);
  step_later();
}

void NewestLookup::release() {
  for (Segment* segment : later_segments_) stage_.log.end_read(*segment);
  later_segments_.clear();
}

void NewestLookup::cover(Sequence sequence) {
  reply_.covered = std::max(reply_.covered, std::min(sequence, reply_.end));
}

void NewestLookup::finish(LookupStatus status) {
  reply_.status = status;
  // What was trimmed meanwhile goes, whether it was found or not.
  reply_.complete_after = stage_.complete_after(request_.topics);
  std::erase_if(reply_.sequences, [this](Sequence each) { return each <= reply_.complete_after; });
  --stage_.under_way;
  from_.post([done = std::move(done_), reply = std::move(reply_)]() mutable { done(std::move(reply)); });
}

}  // namespace storage
