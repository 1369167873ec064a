// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/client/event_stream.h"

#include <utility>

#include "protocols/http/codec/grammar.h"

namespace protocols::http {

base::Result<std::optional<StreamBlock>> EventStreamParser::next(base::Bytes& rest) {
  if (std::exchange(block_taken_, false)) begin_block();
  while (true) {
    const auto line = TRY(next_line(rest));
    if (!line) return std::optional<StreamBlock>();
    if (!line->empty()) {
      take_field(*line);
      continue;
    }
    if (auto block = dispatch()) {
      block_taken_ = true;
      return block;
    }
    begin_block();
  }
}

void EventStreamParser::begin_block() {
  data_.clear();
  type_.clear();
  id_in_block_ = false;
}

// "Lines must be separated by either a CRLF pair, a single LF, or a single CR." A CR ends its line at once, so that an
// event does not wait for the next one; an LF that turns out to follow it belongs to it.
base::Result<std::optional<base::Bytes>> EventStreamParser::next_line(base::Bytes& rest) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (std::exchange(line_taken_, false)) line_.clear();
  if (state_ == State::AfterCr && !rest.empty()) {
    if (rest.front() == '\n') rest.remove_prefix(1);
    state_ = State::Lines;
  }
  const std::size_t end = rest.find_first_of("\r\n");
  const base::Bytes part = rest.substr(0, end);
  if (state_ == State::Failed || part.size() > block_bytes_max_ - held_bytes()) {
    state_ = State::Failed;
    return base::fail(base::Errc::TooLarge, "one event of the stream is larger than its limit");
  }
  if (end == base::Bytes::npos || !line_.empty()) line_ += part;
  if (end == base::Bytes::npos) {
    rest = {};
    return std::optional<base::Bytes>();
  }
  line_taken_ = !line_.empty();
  base::Bytes line = line_taken_ ? base::Bytes(line_) : part;
  if (state_ == State::Start && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  state_ = rest[end] == '\r' ? State::AfterCr : State::Lines;
  rest.remove_prefix(end + 1);
  return line;
}

void EventStreamParser::take_field(base::Bytes line) {
  const std::size_t colon = line.find(':');
  if (colon == 0) return;  // a comment
  const base::Bytes name = line.substr(0, colon);
  base::Bytes value = colon == base::Bytes::npos ? base::Bytes() : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "data") {
    data_.append(value).append(1, '\n');
  } else if (name == "event") {
    type_ = value;
  } else if (name == "id" && value.find('\0') == base::Bytes::npos) {
    id_ = value;
    id_in_block_ = true;
  } else if (name == "retry") {
    if (const auto milliseconds = decimal(value)) retry_ms_ = milliseconds;
  }
}

std::optional<StreamBlock> EventStreamParser::dispatch() {
  last_id_ = id_;
  if (data_.empty()) {
    if (!id_in_block_) return std::nullopt;
    return StreamBlock{StreamBlock::Kind::Position, {}, {}, last_id_};
  }
  const base::Bytes data = base::Bytes(data_).substr(0, data_.size() - 1);
  return StreamBlock{StreamBlock::Kind::Event, type_.empty() ? base::Bytes("message") : base::Bytes(type_), data,
                     last_id_};
}

}  // namespace protocols::http
