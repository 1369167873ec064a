// SPDX-License-Identifier: Apache-2.0
#pragma once
// An event as a loop sees it: views into a block that somebody holds.
#include "codec/cloudevents.h"
#include "storage/block.h"

namespace engine {

struct Event {
  storage::Sequence sequence;  // 0 for an ephemeral event: it is in no log and has no position
  codec::CloudEvent content;
  std::uint64_t live_number = 0;  // of an ephemeral event: tells it from all others on this loop, as ids need not

  bool is_ephemeral() const { return sequence == 0; }
};

}  // namespace engine
