// SPDX-License-Identifier: Apache-2.0
#pragma once
// A segment of a running lane. The newest one is written, all others are only read.
//
// Thread: the lane's loop.
#include <deque>
#include <memory>

#include "storage/log/address_index.h"
#include "storage/log/recovery.h"
#include "storage/log/segment_repeats.h"

namespace storage {

struct Segment : OpenSegment {
  explicit Segment(OpenSegment open) : OpenSegment(std::move(open)) {}

  // Of a segment that this start has begun, until its footer holds them.
  std::unique_ptr<AddressIndex> addresses;
  std::unique_ptr<SegmentRepeats> repeats;

  unsigned reads = 0;    // under way; the handle is closed behind the last one
  bool filling = false;  // zeros are being written behind its end
  bool removed = false;  // has no name any more
};

using Segments = std::deque<std::unique_ptr<Segment>>;  // oldest first

}  // namespace storage
