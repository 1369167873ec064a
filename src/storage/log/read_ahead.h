// SPDX-License-Identifier: Apache-2.0
#pragma once
// Reads pieces of segments, and of a reader that goes on where it ended the next piece before it asks: the disk works
// while the reader takes its piece apart.
//
// Where there is no room for a piece it is not read ahead, so that many readers at once never read a piece twice. What
// nobody came for in kReadAheadKeptNs goes. A piece that was read ahead and failed counts as not read.
//
// Thread: the lane's loop.
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "io/loop.h"
#include "storage/log/log.h"

namespace storage {

struct FilePiece {
  Segment* segment;
  std::uint64_t begin_offset;
  std::uint64_t end_offset;

  std::uint64_t bytes() const { return end_offset - begin_offset; }
};

class ReadAhead final {
 public:
  using Done = std::move_only_function<void(base::Result<std::string>)>;

  // Keeps at most `bytes_max` of pieces that nobody has asked for.
  ReadAhead(io::Loop& lane_loop, Log& log, std::size_t bytes_max)
      : loop_(lane_loop), log_(log), bytes_max_(bytes_max) {}

  enum class Reader : std::uint8_t { New, GoesOn };  // GoesOn: somebody said before that this piece comes next
  // `done` is called when the bytes are there, which may be at once; fewer at the end of the file.
  Reader read(const FilePiece&, Done done);

  // What the reader of a piece will ask for next: read now if it goes on and there is room, else only kept in mind.
  void expect(const FilePiece& next, Reader);

  std::size_t under_way() const { return under_way_; }  // reads that the disk has not answered

 private:
  struct Slot;
  using SlotPtr = std::shared_ptr<Slot>;

  SlotPtr take(const FilePiece&);
  void submit(const FilePiece&, Done done);
  bool has_room(std::uint64_t bytes);  // after what is old has gone

  io::Loop& loop_;
  Log& log_;
  const std::size_t bytes_max_;
  std::deque<SlotPtr> slots_;  // oldest first
  std::uint64_t held_bytes_ = 0;
  std::size_t under_way_ = 0;
};

}  // namespace storage
