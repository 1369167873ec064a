// SPDX-License-Identifier: Apache-2.0
#include "protocols/sse/encoder.h"

#include <utility>

#include "codec/cloudevents.h"
#include "codec/json.h"
#include "codec/mime.h"
#include "codec/utf8.h"
#include "protocols/http/codec/chunk.h"

namespace protocols::sse {

namespace {

// One `data:` line for each line of the text: CR, LF and CRLF all end one.
void append_lines(std::string& out, std::string_view text) {
  while (true) {
    const std::size_t end = text.find_first_of("\r\n");
    out += "data: ";
    out += text.substr(0, end);
    out += '\n';
    if (end == std::string_view::npos) return;
    const bool pair = text[end] == '\r' && text.substr(end).starts_with("\r\n");
    text.remove_prefix(end + (pair ? 2 : 1));
  }
}

// What is neither JSON nor UTF-8 text cannot be a line of an event stream, and goes as a CloudEvent.
void append_data(std::string& out, const codec::CloudEvent& event, const Framing& framing, std::string_view cursor) {
  const base::Bytes data = event.data.value_or(base::Bytes{});
  if (framing.format == http::Format::Payload && codec::is_json(event.datacontenttype)) {
    out += "data: ";
    if (!codec::json::minify(out, data)) out += "null";
    out += '\n';
  } else if (framing.format == http::Format::Payload && codec::is_text(event.datacontenttype) && codec::is_utf8(data)) {
    append_lines(out, data);
  } else {
    out += "data: ";
    codec::append_event_json(out, event, cursor);
    out += '\n';
  }
}

}  // namespace

net::FramePtr Encoder::events(engine::Engine& engine, std::span<const engine::Event> run, const Framing& framing) {
  const storage::Sequence first = run.front().sequence;
  const storage::Sequence last = run.back().sequence;
  const std::uint64_t live_number = run.front().live_number;
  for (std::size_t age = 1; age <= kRecent; ++age) {  // the newest first: it is wanted most
    const Encoded& known = recent_[(next_ + kRecent - age) % kRecent];
    if (known.frame && known.first == first && known.last == last && known.framing == framing &&
        known.live_number == live_number)
      return known.frame;
  }
  std::string blocks, cursor;
  for (const engine::Event& event : run) {
    cursor.clear();
    if (!event.is_ephemeral()) engine.cursor(event.sequence).append_token(cursor);
    if (framing.names == http::EventNames::Named) blocks.append("event: ").append(event.content.message).append("\n");
    if (!cursor.empty()) blocks.append("id: ").append(cursor).append("\n");
    append_data(blocks, event.content, framing, cursor);
    blocks += '\n';
  }
  Encoded& place = recent_[next_];
  next_ = (next_ + 1) % kRecent;
  place = {first, last, live_number, framing, net::FramePtr::make(framed(std::move(blocks), framing.transfer))};
  if (place.frame->bytes().size() > kKeptFrameBytesMax) release_later(engine.loop());
  return place.frame;
}

void Encoder::release_later(io::Loop& loop) {
  if (std::exchange(release_is_due_, true)) return;
  loop.defer([this] {
    release_is_due_ = false;
    for (Encoded& known : recent_)
      if (known.frame && known.frame->bytes().size() > kKeptFrameBytesMax) known.frame = {};
  });
}

void append_block(std::string& out, std::string_view event, std::string_view id, std::string_view data) {
  if (!event.empty()) out.append("event: ").append(event).append("\n");
  if (!id.empty()) out.append("id: ").append(id).append("\n");
  if (!data.empty()) out.append("data: ").append(data).append("\n");
  out += '\n';
}

std::string framed(std::string block, http::Exchange::Framing framing) {
  if (framing == http::Exchange::Framing::UntilClose) return block;
  std::string chunk;
  chunk.reserve(block.size() + 16);
  http::append_chunk(chunk, block);
  return chunk;
}

}  // namespace protocols::sse
