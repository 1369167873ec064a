// SPDX-License-Identifier: Apache-2.0
#include "storage/log/lookup.h"

#include <algorithm>
#include <utility>

#include "storage/log/lookup_extent.h"
#include "storage/log/lookup_last.h"
#include "storage/log/lookup_newest.h"

namespace storage {

Sequence LookupStage::complete_after(const std::vector<TopicId>& of) const {
  Sequence largest = 0;
  for (const TopicId topic : of) largest = std::max(largest, topics.at(topic).complete_after);
  return largest;
}

std::ranges::subrange<Segments::const_iterator> LookupStage::segments() const {
  const Segments& all = log.segments();
  return {all.begin(), all.end() - (all.back()->index.empty() ? 1 : 0)};
}

void LookupStage::read(Segment& segment, std::size_t first, std::size_t end,
                       std::move_only_function<void(std::string)> done, unsigned attempts) {
  const std::vector<Extent>& extents = segment.index.extents();
  const std::uint64_t from = extents[first].offset;
  log.begin_read(segment);
  loop.files().submit(loop,
                      {.kind = io::FileRequest::Kind::ReadAt,
                       .handle = segment.handle,
                       .offset = from,
                       .size = extents[end - 1].end_offset - from},
                      [this, &segment, first, end, attempts, done = std::move(done)](auto bytes) mutable {
                        if (!bytes && attempts > 1) {
                          read(segment, first, end, std::move(done), attempts - 1);
                        } else {
                          done(bytes ? std::move(bytes->data) : std::string());
                        }
                        log.end_read(segment);
                      });
}

void Lookup::locate(io::Loop& from, LocateRequest request, Sequence durable, Lane::LocateDone done) {
  const LocateReply reply{LookupStatus::Complete, durable, 0, stage_.complete_after(request.topics), durable};
  if (const AtTime* time = std::get_if<AtTime>(&request.what)) {
    return locate_time(from, time->wall_ms, reply, std::move(done));
  }
  LastLookup::begin(stage_, from, std::move(request), reply, std::move(done));
}

// The position is that of the last event known to lie before the time: where retention or damage took what came next,
// nobody knows of which time that was, and a reader that begins there is told. What a segment that went has reached is
// known to the header of the next one, and what was left out of one, to its index.
void Lookup::locate_time(io::Loop& from, std::int64_t wall_ms, LocateReply reply, Lane::LocateDone done) {
  const Segments& segments = stage_.log.segments();
  const auto found = std::ranges::find_if(segments, [wall_ms](const auto& segment) {
    return segment->header.append_ms_before >= wall_ms || segment->index.wall_ms_max() >= wall_ms;
  });
  Sequence before = found != segments.begin() ? (*(found - 1))->index.last_sequence() : 0;
  const bool is_here = found != segments.end() && (*found)->header.append_ms_before < wall_ms &&
                       (*found)->index.extents().front().wall_ms_max < wall_ms;
  if (!is_here) {
    if (found != segments.end()) reply.position = before;
    return from.post([done = std::move(done), reply]() mutable { done(reply); });
  }
  Segment& segment = **found;
  const std::size_t extent = *segment.index.find_time(wall_ms);
  const std::size_t first = extent > 0 ? extent - 1 : 0;  // its last event may be the one that is looked for
  if (first > 0) before = last_in(segment.index, first);
  ++stage_.under_way;
  stage_.read(segment, first, extent + 1,
              [this, &from, wall_ms, before, reply, seed = segment.header.seed(),
               done = std::move(done)](std::string bytes) mutable {
                --stage_.under_way;
                from.post([wall_ms, before, reply, seed, done = std::move(done), bytes = std::move(bytes)]() mutable {
                  reply.position = last_before_time(bytes, seed, wall_ms, before);
                  done(reply);
                });
              });
}

void Lookup::newest_per_address(io::Loop& from, NewestRequest request, Sequence durable, Lane::NewestDone done) {
  NewestReply reply{LookupStatus::Complete, {}, 0, 0, stage_.complete_after(request.topics), durable};
  reply.after = reply.covered = request.after.value_or(reply.complete_after);
  if (reply.after > durable || stage_.log.state().is_between_runs(reply.after)) reply.status = LookupStatus::Ahead;
  if (reply.status == LookupStatus::Complete && reply.after < reply.complete_after) {
    reply.status = LookupStatus::Trimmed;
  }
  if (reply.status != LookupStatus::Complete) {
    return from.post([done = std::move(done), reply = std::move(reply)]() mutable { done(std::move(reply)); });
  }
  NewestLookup::begin(stage_, from, std::move(request), std::move(reply), std::move(done));
}

}  // namespace storage
