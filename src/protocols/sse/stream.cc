// SPDX-License-Identifier: Apache-2.0
#include "protocols/sse/stream.h"

#include <utility>

#include "codec/json_writer.h"
#include "protocols/http/codec/chunk.h"
#include "protocols/http/errors.h"

namespace protocols::sse {

namespace {

constexpr std::uint64_t kRetryAfterMsMin = 500;  // a program that ends is back soon, and not all clients at once
constexpr std::uint64_t kRetryAfterMsSpread = 4'000;

void append_live_only(codec::json::Writer& json, const std::vector<std::string>& live_only) {
  json.key("live_only").begin_array();
  for (const std::string& address : live_only) json.string(address);
  json.end_array();
}

std::string reset_data(const engine::Reset& reset, const std::vector<std::string>& live_only) {
  std::string data;
  codec::json::Writer json(data);
  json.begin_object();
  http::append_reset_members(json, reset);
  if (!live_only.empty()) append_live_only(json, live_only);
  json.end_object();
  return data;
}

std::string resumed_data(const engine::Started& started) {
  std::string data;
  codec::json::Writer json(data);
  json.begin_object().member("cursor", started.cursor.token());
  append_live_only(json, started.live_only);
  json.end_object();
  return data;
}

}  // namespace

Stream::Stream(net::Connection& connection, Encoder& encoder, const http::StreamRequest& request, engine::Start start,
               const Framing& framing)
    : connection_(connection),
      engine_(request.engine),
      encoder_(encoder),
      subscription_(request.engine, {request.member}, start, request.query.on_reset, *this),
      framing_(framing) {}

void Stream::send(std::string block) { connection_.send(framed(std::move(block), framing_.transfer)); }

void Stream::send_head(std::string_view last_field) {
  connection_.send(std::exchange(head_, {}).append(last_field).append("\r\n"));
}

// `id:` alone says "resumed" (G1): a browser remembers it before there is any event.
void Stream::on_started(const engine::Started& started) {
  told_ = started.cursor.sequence;
  const std::string cursor = started.cursor.token();
  send_head("Tidewire-Cursor: " + cursor + "\r\n");
  std::string block(kRetryBlock);
  if (started.reset) {
    append_block(block, "tidewire.reset", cursor,
                 reset_data({*started.reset, started.cursor, started.earliest, started.latest}, started.live_only));
  } else if (!started.live_only.empty()) {
    append_block(block, "tidewire.resumed", cursor, resumed_data(started));
  } else {
    append_block(block, {}, cursor, {});
  }
  send(std::move(block));
}

bool Stream::deliver(std::span<const engine::Event> run) {
  if (connection_.is_full()) {
    connection_.tell_when_drained();
    return false;
  }
  if (!run.front().is_ephemeral()) told_ = run.back().sequence;
  connection_.send(encoder_.events(engine_, run, framing_));
  return true;
}

void Stream::on_reset(const engine::Reset& reset) {
  told_ = reset.cursor.sequence;
  std::string block;
  append_block(block, "tidewire.reset", reset.cursor.token(), reset_data(reset, {}));
  send(std::move(block));
}

// What was skipped on the way here is told once, so that a client which is cut off now does not read it again.
void Stream::on_live() { on_progress(subscription_.position()); }

void Stream::on_progress(engine::Cursor cursor) {
  if (cursor.sequence == told_) return;
  told_ = cursor.sequence;
  std::string block;
  append_block(block, {}, cursor.token(), {});
  send(std::move(block));
}

void Stream::on_timeout(net::Connection& connection) {
  connection.set_timeout(kHeartbeatNs);
  const bool progress = connection.take_progress();
  stalled_heartbeats_ = progress || connection.backlog_bytes() == 0 ? 0 : stalled_heartbeats_ + 1;
  // Its cursor lets it resume, if it ever comes back.
  if (stalled_heartbeats_ == kStalledHeartbeatsMax) return connection.close();
  if (connection.backlog_bytes() > 0 || !told_) return;  // it has something to read already, or soon
  const engine::Cursor position = subscription_.position();
  if (position.sequence != told_) return on_progress(position);
  send(":\n\n");
}

void Stream::on_shutdown(net::Connection& connection) {
  // Before the first signal there is no position: the client comes back with what it had.
  const std::string cursor = told_ ? subscription_.position().token() : std::string();
  std::string data;
  codec::json::Writer json(data);
  json.begin_object().member("reason", "shutdown");
  if (told_) json.member("cursor", cursor);
  json.key("retry_after_ms")
      .unsigned_integer(kRetryAfterMsMin + engine_.loop().random().u64() % kRetryAfterMsSpread)
      .end_object();
  if (!told_) send_head({});
  std::string block;
  append_block(block, "tidewire.closing", cursor, data);
  send(std::move(block));
  if (framing_.transfer == http::Exchange::Framing::Chunked) connection.send(std::string(http::kLastChunk));
  connection.close_after_sending();
}

}  // namespace protocols::sse
