// SPDX-License-Identifier: Apache-2.0
#pragma once
// The ids of a segment's events, in log order, as its footer has them: so that the table of repeats is restored
// without a scan.
//
// Collected group by group while the segment is written or scanned, in the bytes of the footer's section `repeats`
// (docs/formats/log.md). Memory: 40 bytes for each event with an id; forget_before() keeps it to those of the window.
// Thread: the lane's loop (or start-up).
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/siphash.h"
#include "storage/log/format.h"

namespace storage {

inline constexpr std::size_t kStoredRepeatBytes = 40;

struct StoredRepeat {
  base::Hash128 key;
  std::uint64_t content = 0;
  Sequence sequence = 0;
  std::uint64_t lane_time_ns = 0;  // of its group

  bool operator==(const StoredRepeat&) const = default;
};

class SegmentRepeats final {
 public:
  void add(const GroupView&);  // the next group of the segment
  // Drops what is older, in portions: up to 1,600 of them may stay.
  void forget_before(std::uint64_t lane_time_ns);

  std::size_t size() const { return size_; }
  const std::deque<std::string>& chunks() const { return chunks_; }  // the section, in pieces of at most 64 KiB

 private:
  void append(const BatchRecord&, std::uint64_t lane_time_ns);

  std::deque<std::string> chunks_;
  std::size_t size_ = 0;
};

// Of the section, whose checksum must have been compared: those that are not older. Errc::BadInput if it is not whole
// or its times do not ascend.
base::Result<std::vector<StoredRepeat>> decode_repeats(base::Bytes section, std::uint64_t oldest_lane_time_ns);

}  // namespace storage
