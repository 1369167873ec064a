// SPDX-License-Identifier: Apache-2.0
#pragma once
// An event stream from bytes as they arrive (WHATWG HTML section 9.2.6). One object reads one response body.
//
// Bytes are handed on as they came: a receiver that needs UTF-8 checks it. A block that the end of the body cuts off
// never happened, as the standard has it, so there is nothing to call at the end. Pure, no I/O, any thread.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace protocols::http {

inline constexpr std::size_t kStreamBlockBytesMax = 32 << 20;  // lines and data between two empty lines

// What an empty line completes. The views hold until the parser is used again.
struct StreamBlock {
  enum class Kind : std::uint8_t {
    Event,     // had `data`
    Position,  // had an `id` and no `data`: moves the last event id and is no event
  };
  Kind kind = Kind::Event;
  std::string_view type;  // "message" unless named
  std::string_view data;
  std::string_view id;  // the last event id of this body, also from an earlier block; empty if there was none
};

class EventStreamParser final {
 public:
  explicit EventStreamParser(std::size_t block_bytes_max = kStreamBlockBytesMax) : block_bytes_max_(block_bytes_max) {}

  // Consumes the front of `rest`, up to the end of the next block. Nothing: all of it was consumed and no block is
  // complete. Errc::TooLarge when a block outgrows the limit, and again from then on.
  base::Result<std::optional<StreamBlock>> next(base::Bytes& rest);

  std::string_view last_event_id() const { return last_id_; }
  std::optional<std::uint64_t> retry_ms() const { return retry_ms_; }  // of the last valid `retry` line

 private:
  enum class State : std::uint8_t { Start, Lines, AfterCr, Failed };

  base::Result<std::optional<base::Bytes>> next_line(base::Bytes& rest);
  void begin_block();
  void take_field(base::Bytes line);
  std::optional<StreamBlock> dispatch();
  std::size_t held_bytes() const { return line_.size() + data_.size() + type_.size() + id_.size(); }

  std::size_t block_bytes_max_;
  std::string line_;  // the unfinished line
  std::string data_;
  std::string type_;
  std::string id_;  // the standard's last event ID buffer
  std::string last_id_;
  std::optional<std::uint64_t> retry_ms_;
  State state_ = State::Start;
  bool line_taken_ = false;   // line_ was handed out and is empty from the next call on
  bool block_taken_ = false;  // likewise data_ and type_
  bool id_in_block_ = false;
};

}  // namespace protocols::http
