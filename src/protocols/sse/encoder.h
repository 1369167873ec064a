// SPDX-License-Identifier: Apache-2.0
#pragma once
// Events as blocks of an event stream (WHATWG HTML section 9.2), encoded once per run and framing and then shared by
// every stream of the loop that gets the same run in the same turn.
//
// Thread: one loop, that of the engines it is given, and it outlives their loop's last turn. A run's frame is one HTTP
// chunk, so a receiver costs one slice of its write.
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/engine.h"
#include "net/frame.h"
#include "protocols/http/exchange.h"
#include "protocols/http/query.h"

namespace protocols::sse {

struct Framing {
  http::Format format = http::Format::Payload;
  http::EventNames names = http::EventNames::Named;
  http::Exchange::Framing transfer = http::Exchange::Framing::Chunked;
  bool operator==(const Framing&) const = default;
};

// Larger frames are kept for this turn only, or the next one at most, so that an idle loop holds little.
inline constexpr std::size_t kKeptFrameBytesMax = 64 << 10;

class Encoder final {
 public:
  // Events of one run, at least one; of an ephemeral one there is no `id:`.
  net::FramePtr events(engine::Engine&, std::span<const engine::Event>, const Framing&);

 private:
  // The events between two sequences of one run are the same for everybody: they are consecutive.
  struct Encoded {
    storage::Sequence first = 0;
    storage::Sequence last = 0;
    std::uint64_t live_number = 0;  // ephemeral events have no sequence to be told apart by
    Framing framing;
    net::FramePtr frame;
  };
  static constexpr std::size_t kRecent = 8;  // one run in each framing: two formats, names and transfers

  void release_later(io::Loop&);

  std::array<Encoded, kRecent> recent_;
  std::size_t next_ = 0;
  bool release_is_due_ = false;
};

// One block: `event:`, `id:` and `data:` lines, each left out if it is empty.
void append_block(std::string& out, std::string_view event, std::string_view id, std::string_view data);

// As a chunk, or as it is.
std::string framed(std::string block, http::Exchange::Framing);

}  // namespace protocols::sse
