// SPDX-License-Identifier: Apache-2.0
#include "storage/log/log_reader.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace storage {

namespace {

constexpr unsigned kReadAttempts = 3;  // of one extent, before it counts as damaged

}  // namespace

// One read that goes to the disk.
struct LogReader::Piece {
  io::Loop* from = nullptr;
  Lane::ReadDone done = {};
  ReadReply reply;  // but for the blocks
  Segment* segment;
  ExtentRange range;
  ExtentReading reading;
  std::size_t bytes_max = 0;  // as asked for
  unsigned refused = 0;       // times that the disk did

  FilePiece file() const { return {segment, range.begin_offset, range.end_offset}; }
};

struct LogReader::Search {
  io::Loop* from;
  ReadRequest request;
  Sequence durable;
  Lane::ReadDone done;
  Sequence behind;  // nothing that is wanted lies between the beginning of the read and here
};

namespace {

Sequence last_sequence_of(const std::unique_ptr<Segment>& segment) { return segment->index.last_sequence(); }

// Only the newest segment can be without an event.
auto with_events(const Segments& segments) {
  return std::ranges::subrange(segments.begin(), segments.end() - (segments.back()->index.empty() ? 1 : 0));
}

const DamagedRange* next_damage(const LaneState& state, Sequence after) {
  const auto found = std::ranges::upper_bound(state.damage, after, {}, &DamagedRange::last);
  return found == state.damage.end() ? nullptr : &*found;
}

void answer(io::Loop& from, Lane::ReadDone done, ReadReply reply) {
  from.post([done = std::move(done), reply = std::move(reply)]() mutable { done(std::move(reply)); });
}

void become_damaged(ReadReply& reply, Sequence covered, Sequence last) {
  reply.status = ReadStatus::Damaged;
  reply.covered = covered;
  reply.damaged_last = last;
}

// No event that is wanted lies behind the position and before what is damaged.
void find_nothing(ReadReply& reply, const DamagedRange* damage, Sequence durable) {
  if (damage != nullptr && damage->first <= durable) {
    become_damaged(reply, std::max(damage->first - 1, reply.after), damage->last);
  } else {
    reply.covered = durable;
  }
}

}  // namespace

void LogReader::read(io::Loop& from, ReadRequest request, Sequence durable, Lane::ReadDone done) {
  ReadReply reply = judge(request, durable);
  if (reply.status != ReadStatus::Read) return answer(from, std::move(done), std::move(reply));
  if (!request.addresses.empty() && request.addresses.size() <= kAddressesPerReadMax) {
    return search({&from, std::move(request), durable, std::move(done), reply.after});
  }
  std::optional<Piece> piece = plan(request, reply, durable);
  if (!piece) return answer(from, std::move(done), std::move(reply));
  piece->from = &from;
  piece->done = std::move(done);
  submit(std::move(*piece));
}

ReadReply LogReader::judge(const ReadRequest& request, Sequence durable) const {
  ReadReply reply{ReadStatus::Read, {}, 0, 0, 0};
  for (const TopicId topic : request.topics) {
    reply.complete_after = std::max(reply.complete_after, topics_.at(topic).complete_after);
  }
  reply.after = reply.covered = request.after.value_or(reply.complete_after);
  if (reply.after > durable || log_.state().is_between_runs(reply.after)) {
    reply.status = ReadStatus::Ahead;
  } else if (reply.after < reply.complete_after) {
    reply.status = ReadStatus::Trimmed;
  }
  return reply;
}

// What to read next; or nothing, and the reply is complete.
std::optional<LogReader::Piece> LogReader::plan(const ReadRequest& request, ReadReply& reply, Sequence durable) const {
  const DamagedRange* damage = next_damage(log_.state(), reply.after);
  const Sequence readable_through = damage != nullptr ? std::min(durable, damage->first - 1) : durable;
  if (damage != nullptr && readable_through <= reply.after) {
    become_damaged(reply, reply.after, damage->last);
    return std::nullopt;
  }
  const auto segments = with_events(log_.segments());
  const auto first = std::ranges::upper_bound(segments, reply.after, {}, last_sequence_of);
  std::size_t look_ups = 0;
  for (const auto& segment : std::ranges::subrange(first, segments.end())) {
    const SegmentIndex& index = segment->index;
    if (index.first_sequence() > readable_through) break;
    if (look_ups >= kReadLookUpsMax) return std::nullopt;
    look_ups += request.topics.size() + 1;
    const auto range = index.find(request.topics, reply.after, request.bytes_max);
    if (!range) {
      reply.covered = std::min(index.last_sequence(), readable_through);
      continue;
    }
    const Sequence begins = index.extents()[range->first].first_sequence;
    if (begins > readable_through) break;
    return piece_of(request, std::move(reply), readable_through, *segment, *range);
  }
  find_nothing(reply, damage, durable);
  return std::nullopt;
}

LogReader::Piece LogReader::piece_of(const ReadRequest& request, ReadReply reply, Sequence readable_through,
                                     Segment& segment, const ExtentRange& range) const {
  const SegmentIndex& index = segment.index;
  reply.covered = std::min(std::max(range.covered, reply.after), readable_through);
  const Sequence before = index.extents()[range.first].first_sequence - 1;
  const ExtentReading reading{request.topics,   reply.after,           before,           last_in(index, range.end),
                              readable_through, segment.header.seed(), request.addresses};
  return Piece{nullptr, {}, std::move(reply), &segment, range, reading, request.bytes_max};
}

// --- by address

// One segment. Everything is judged anew: retention goes on meanwhile.
void LogReader::search(Search asked) {
  ReadReply reply = judge(asked.request, asked.durable);
  if (reply.status != ReadStatus::Read) return answer(*asked.from, std::move(asked.done), std::move(reply));
  asked.behind = std::max(asked.behind, reply.after);
  const DamagedRange* damage = next_damage(log_.state(), reply.after);
  const Sequence readable_through = damage != nullptr ? std::min(asked.durable, damage->first - 1) : asked.durable;
  if (damage != nullptr && readable_through <= reply.after) {
    become_damaged(reply, reply.after, damage->last);
    return answer(*asked.from, std::move(asked.done), std::move(reply));
  }
  const auto segments = with_events(log_.segments());
  const auto found = std::ranges::upper_bound(segments, asked.behind, {}, last_sequence_of);
  if (found == segments.end() || (*found)->index.first_sequence() > readable_through) {
    find_nothing(reply, damage, asked.durable);
    return answer(*asked.from, std::move(asked.done), std::move(reply));
  }
  Segment& segment = **found;
  std::vector<std::uint64_t> hashes = asked.request.addresses;
  log_.begin_read(segment);
  ++under_way_;
  addresses_.find(segment, std::move(hashes), AddressReader::Want::All,
                  [this, &segment, readable_through, asked = std::move(asked)](const AddressAnswer& extents) mutable {
                    on_addresses(std::move(asked), segment, readable_through, extents);
                    --under_way_;
                    log_.end_read(segment);
                  });
}

void LogReader::on_addresses(Search asked, Segment& segment, Sequence readable_through, const AddressAnswer& found) {
  ReadReply reply = judge(asked.request, asked.durable);
  if (found.outcome == AddressAnswer::Outcome::Stopped) reply.status = ReadStatus::Stopped;
  if (reply.status != ReadStatus::Read) return answer(*asked.from, std::move(asked.done), std::move(reply));
  asked.behind = std::max(asked.behind, reply.after);
  const auto range = first_of_extents(segment.index, found.extents(), asked.behind, asked.request.bytes_max);
  if (!range || segment.index.extents()[range->first].first_sequence > readable_through) {
    asked.behind = std::max(asked.behind, segment.index.last_sequence());
    return search(std::move(asked));
  }
  Piece piece = piece_of(asked.request, std::move(reply), readable_through, segment, *range);
  piece.from = asked.from;
  piece.done = std::move(asked.done);
  submit(std::move(piece));
}

// --- a piece

void LogReader::submit(Piece piece) {
  const FilePiece file = piece.file();
  const std::optional<FilePiece> next = piece.refused == 0 ? next_of(piece) : std::nullopt;
  const auto reader = ahead_.read(file, [this, piece = std::move(piece)](base::Result<std::string> bytes) mutable {
    on_bytes(std::move(piece), std::move(bytes));
  });
  if (next) ahead_.expect(*next, reader);
}

// What the same reader asks for if it goes on.
std::optional<FilePiece> LogReader::next_of(const Piece& piece) const {
  const ExtentReading& reading = piece.reading;
  if (!reading.addresses.empty() || piece.reply.covered >= reading.readable_through) return std::nullopt;
  ReadReply reply{ReadStatus::Read, {}, piece.reply.covered, piece.reply.covered, 0};
  const std::optional<Piece> next =
      plan({reading.topics, piece.reply.covered, piece.bytes_max, {}}, reply, reading.readable_through);
  return next ? std::optional(next->file()) : std::nullopt;
}

void LogReader::on_bytes(Piece piece, base::Result<std::string> bytes) {
  if (!bytes) return on_unreadable(std::move(piece));
  // A file that ends too early is damaged where it ends.
  bytes->resize(piece.range.end_offset - piece.range.begin_offset);
  io::Loop& from = *piece.from;
  from.post([this, piece = std::move(piece), bytes = std::move(*bytes)]() mutable {
    take_apart(std::move(piece), std::move(bytes), *this);
  });
}

// The loop that asked. The lane outlives it.
void LogReader::take_apart(Piece piece, std::string bytes, LogReader& reader) {
  ExtentEvents events = read_extents(std::move(bytes), piece.reading);
  ReadReply& reply = piece.reply;
  if (events.block != nullptr) reply.blocks.push_back(std::move(events.block));
  if (events.damage) {
    reply.covered = std::min(reply.covered, std::max(events.damage->first - 1, reply.after));
    if (reply.blocks.empty()) become_damaged(reply, reply.covered, events.damage->last);
    reader.loop_.post([&reader, damage = *events.damage] { reader.on_damage_(damage); });
  }
  piece.done(std::move(reply));
}

// The disk refuses. A part of what was asked for may still be there: one extent at a time. And it may have been a
// passing failure, so nothing is called damaged that was asked for only once.
void LogReader::on_unreadable(Piece piece) {
  const SegmentIndex& index = piece.segment->index;
  ReadReply& reply = piece.reply;
  if (piece.range.end > piece.range.first + 1) {
    piece.range.end = piece.range.first + 1;
    piece.range.end_offset = index.extents()[piece.range.first].end_offset;
    piece.reading.last = last_in(index, piece.range.end);
    reply.covered = std::min(reply.covered, std::max(piece.reading.last, reply.after));
    return submit(std::move(piece));
  }
  if (++piece.refused < kReadAttempts) return submit(std::move(piece));
  const DamagedRange damage{std::max(piece.reading.before, reply.after) + 1, piece.reading.last};
  become_damaged(reply, damage.first - 1, damage.last);
  on_damage_(damage);
  answer(*piece.from, std::move(piece.done), std::move(reply));
}

}  // namespace storage
