// SPDX-License-Identifier: Apache-2.0
#pragma once
// Gives sealed segments their footer, one at a time and in small pieces in the background, so that neither publishers
// nor the lane's loop wait for it. A segment that an earlier start has written is read once for that; one with damage
// in it stays without a footer, and is scanned at every start. What a disk refused is tried again (segment_retries.h).
//
// Everything before the trailer is synced before that is written: a power loss leaves no footer that only looks whole.
//
// Thread: the lane's loop.
#include <memory>
#include <string>

#include "storage/log/footer.h"
#include "storage/log/log.h"
#include "storage/log/segment_retries.h"

namespace storage {

inline constexpr std::size_t kSealReadBytes = 1u << 20;    // of a segment at once
inline constexpr std::size_t kSealWriteBytes = 64u << 10;  // of a footer at once: it is made on the lane's loop

class Sealer final {
 public:
  Sealer(io::Loop&, Log&);
  ~Sealer();
  Sealer(const Sealer&) = delete;
  Sealer& operator=(const Sealer&) = delete;

  void run();                        // now and then: begins with the oldest one that has none
  void stop() { stopping_ = true; }  // what is under way ends with its next piece
  bool is_idle() const { return segment_ == nullptr; }

 private:
  // What a footer is made of, found out again by reading the groups.
  struct Scan;
  enum class Outcome : std::uint8_t { Sealed, Damaged, Refused, Stopped };  // Refused: by the disk

  void begin(Segment&);
  void read_on();
  void on_bytes(const std::string& bytes);
  void write_footer(const SegmentIndex&, const SegmentRepeats&, const AddressIndex&);
  void write_on();
  void sync();
  void write(std::string piece, io::Task then);
  void cut();
  void end(Outcome);

  io::Loop& loop_;
  Log& log_;
  Segment* segment_ = nullptr;  // being sealed
  std::unique_ptr<Scan> scan_;
  CommitRecord last_commit_;
  std::unique_ptr<FooterWriter> footer_;
  std::uint64_t offset_ = 0;  // of the next piece of the footer
  SegmentRetries retries_;
  bool stopping_ = false;
};

}  // namespace storage
