// SPDX-License-Identifier: Apache-2.0
#include "storage/log/read_ahead.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace storage {

namespace {

constexpr std::size_t kSlotsMax = 256;                     // readers that are kept in mind
constexpr std::uint64_t kReadAheadKeptNs = 1'000'000'000;  // for a reader that does not come

}  // namespace

// A piece that somebody may ask for. A segment's id names its content; the segment itself may be gone by then.
struct ReadAhead::Slot {
  enum class State : std::uint8_t { Noted, Reading, There };

  std::uint64_t segment;
  std::uint64_t begin_offset;
  std::uint64_t end_offset;
  std::uint64_t since_ns;
  State state = State::Noted;
  base::Result<std::string> bytes = {};
  Done done = {};  // of a reader that came while it was read

  std::uint64_t held_bytes() const { return state == State::Noted ? 0 : end_offset - begin_offset; }
};

ReadAhead::Reader ReadAhead::read(const FilePiece& piece, Done done) {
  const SlotPtr slot = take(piece);
  if (slot == nullptr || slot->state == Slot::State::Noted || (slot->state == Slot::State::There && !slot->bytes)) {
    submit(piece, std::move(done));
  } else if (slot->state == Slot::State::Reading) {
    slot->done = std::move(done);
  } else {
    done(std::move(slot->bytes));
  }
  return slot == nullptr ? Reader::New : Reader::GoesOn;
}

void ReadAhead::expect(const FilePiece& next, Reader reader) {
  const bool reads = reader == Reader::GoesOn && has_room(next.bytes());
  if (!reads && !has_room(0)) return;
  const auto slot = std::make_shared<Slot>(next.segment->header.id, next.begin_offset, next.end_offset, loop_.now_ns());
  slots_.push_back(slot);
  if (!reads) return;
  slot->state = Slot::State::Reading;
  held_bytes_ += slot->held_bytes();
  submit(next, [slot](base::Result<std::string> bytes) {
    if (slot->done) return slot->done(std::move(bytes));
    slot->state = Slot::State::There;
    slot->bytes = std::move(bytes);
  });
}

// Out of the list, if it is there.
ReadAhead::SlotPtr ReadAhead::take(const FilePiece& piece) {
  const auto is_it = [&](const SlotPtr& slot) {
    return slot->segment == piece.segment->header.id && slot->begin_offset == piece.begin_offset &&
           slot->end_offset == piece.end_offset;
  };
  const auto found = std::ranges::find_if(slots_, is_it);
  if (found == slots_.end()) return nullptr;
  SlotPtr slot = std::move(*found);
  slots_.erase(found);
  held_bytes_ -= slot->held_bytes();
  return slot;
}

bool ReadAhead::has_room(std::uint64_t bytes) {
  while (!slots_.empty() && loop_.now_ns() - slots_.front()->since_ns >= kReadAheadKeptNs) {
    held_bytes_ -= slots_.front()->held_bytes();
    slots_.pop_front();
  }
  return slots_.size() < kSlotsMax && held_bytes_ + bytes <= bytes_max_;
}

void ReadAhead::submit(const FilePiece& piece, Done done) {
  log_.begin_read(*piece.segment);
  ++under_way_;
  io::FileRequest request{.kind = io::FileRequest::Kind::ReadAt,
                          .handle = piece.segment->handle,
                          .offset = piece.begin_offset,
                          .size = piece.bytes()};
  loop_.files().submit(loop_, std::move(request),
                       [this, segment = piece.segment, done = std::move(done)](auto reply) mutable {
                         --under_way_;
                         if (reply) {
                           done(std::move(reply->data));
                         } else {
                           done(std::unexpected(reply.error()));
                         }
                         log_.end_read(*segment);
                       });
}

}  // namespace storage
