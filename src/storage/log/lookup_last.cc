// SPDX-License-Identifier: Apache-2.0
#include "storage/log/lookup_last.h"

#include <algorithm>
#include <utility>

namespace storage {

LastLookup::LastLookup(LookupStage& stage, io::Loop& from, LocateRequest&& request, LocateReply reply,
                       Lane::LocateDone&& done)
    : stage_(stage),
      from_(from),
      request_(std::move(request)),
      wanted_(std::get<LastEvents>(request_.what).events),
      reply_(reply),
      done_(std::move(done)),
      upper_(std::min(reply.end, std::get<LastEvents>(request_.what).through)) {}

void LastLookup::begin(LookupStage& stage, io::Loop& from, LocateRequest request, LocateReply reply,
                       Lane::LocateDone done) {
  ++stage.under_way;
  std::make_shared<LastLookup>(stage, from, std::move(request), reply, std::move(done))->step();
}

Segment* LastLookup::segment_below() const {
  const auto segments = stage_.segments();
  const auto first_of = [](const auto& segment) { return segment->index.first_sequence(); };
  const auto behind = std::ranges::upper_bound(segments, upper_, {}, first_of);
  if (behind == segments.begin()) return nullptr;
  Segment& segment = **(behind - 1);
  return segment.index.last_sequence() > reply_.complete_after ? &segment : nullptr;
}

void LastLookup::step() {
  if (stage_.stopping) return finish(LookupStatus::Stopped);
  Segment* segment = upper_ > reply_.complete_after ? segment_below() : nullptr;
  if (segment == nullptr) return finish(LookupStatus::Complete);
  if (bytes_read_ >= stage_.bytes_max) return finish(LookupStatus::Partial);
  if (request_.addresses.empty()) return step_by_count(*segment);
  step_by_address(*segment);
}

bool LastLookup::counts_whole(const SegmentIndex& index, std::size_t extent) const {
  return index.extents()[extent].first_sequence > reply_.complete_after && last_in(index, extent + 1) <= upper_;
}

// One window of extents, and the next one on another turn.
void LastLookup::step_by_count(Segment& segment) {
  const SegmentIndex& index = segment.index;
  const std::size_t end = extents_up_to(index, upper_);
  const std::size_t first = end - std::min(end, window_);
  const std::vector<std::uint64_t> events = index.events_in(request_.topics, first, end);
  for (std::size_t extent = end; extent-- > first;) {
    const std::uint64_t count = events[extent - first];
    const Sequence begins = index.extents()[extent].first_sequence;
    if (count > 0 && (count >= wanted_ || !counts_whole(index, extent))) return read(segment, extent);
    if (count > 0) {
      wanted_ -= count;
      reply_.events += count;
      reply_.position = begins - 1;
    }
    pass(begins);
    if (upper_ <= reply_.complete_after) break;
  }
  window_ *= 2;
  stage_.loop.post([self = shared_from_this()] { self->step(); });
}

void LastLookup::step_by_address(Segment& segment) {
  if (segment_id_ == segment.header.id) return take_extents(segment);
  stage_.log.begin_read(segment);
  stage_.addresses.find(segment, request_.addresses, AddressReader::Want::All,
                        [self = shared_from_this(), &segment](AddressAnswer answer) {
                          self->on_extents(segment, std::move(answer));
                          self->stage_.log.end_read(segment);
                        });
}

void LastLookup::on_extents(Segment& segment, AddressAnswer answer) {
  if (answer.outcome == AddressAnswer::Outcome::Stopped) return finish(LookupStatus::Stopped);
  bytes_read_ += answer.bytes_read;
  segment_id_ = segment.header.id;
  extents_ = answer.extents();
  take_extents(segment);
}

// The last one that was not counted yet.
void LastLookup::take_extents(Segment& segment) {
  const std::vector<Extent>& all = segment.index.extents();
  while (!extents_.empty() && all[extents_.back()].first_sequence > upper_) extents_.pop_back();
  if (!extents_.empty() && last_in(segment.index, extents_.back() + 1) > reply_.complete_after) {
    return read(segment, extents_.back());
  }
  pass(segment.index.first_sequence());
  stage_.loop.post([self = shared_from_this()] { self->step(); });
}

void LastLookup::read(Segment& segment, std::size_t extent) {
  LookupFilter filter{request_.topics, request_.addresses, reply_.complete_after, upper_};
  const Sequence begins = segment.index.extents()[extent].first_sequence;
  const auto take_apart = [self = shared_from_this(), filter = std::move(filter), seed = segment.header.seed(),
                           begins](std::string bytes) mutable {
    self->bytes_read_ += bytes.size();
    io::Loop& from = self->from_;
    from.post([self = std::move(self), filter = std::move(filter), seed, begins, bytes = std::move(bytes)]() mutable {
      LookupStage& stage = self->stage_;
      stage.loop.post([self = std::move(self), events = matching_events(bytes, seed, filter), begins] {
        self->take(events, begins);
      });
    });
  };
  stage_.read(segment, extent, extent + 1, take_apart);
}

void LastLookup::take(const std::vector<LookupEvent>& events, Sequence extent_begins) {
  pass(extent_begins);
  if (!events.empty()) {
    const std::size_t taken = std::min(wanted_, events.size());
    wanted_ -= taken;
    reply_.events += taken;
    reply_.position = events[events.size() - taken].sequence - 1;
  }
  if (wanted_ == 0) return finish(LookupStatus::Complete);
  step();
}

void LastLookup::finish(LookupStatus status) {
  reply_.status = status;
  if (status == LookupStatus::Partial) reply_.position = upper_;
  reply_.complete_after = stage_.complete_after(request_.topics);
  reply_.position = std::max(reply_.position, std::min(reply_.complete_after, reply_.end));
  --stage_.under_way;
  from_.post([done = std::move(done_), reply = reply_]() mutable { done(reply); });
}

}  // namespace storage
