// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/client/event_source.h"

#include <algorithm>
#include <utility>

#include "protocols/http/client/sentence.h"
#include "protocols/http/codec/grammar.h"

namespace protocols::http {
namespace {

constexpr std::string_view kMediaType = "text/event-stream";
constexpr std::uint64_t kNsPerMs = 1'000'000;
constexpr std::uint64_t kNsPerSecond = 1'000'000'000;

bool is_event_stream(const ResponseHead& head) {
  const std::string_view type = head.fields().field("Content-Type").value_or("");
  return head.status() == 200 && equals_ignoring_case(trimmed(type.substr(0, type.find(';'))), kMediaType);
}

bool is_temporary(int status) { return status == 429 || (status >= 502 && status <= 504); }

// Also for what a server asks: no product of it overflows.
std::uint64_t bounded_ns(std::uint64_t count, std::uint64_t unit_ns) {
  return std::min(count, kAskedPauseNsMax / unit_ns) * unit_ns;
}

}  // namespace

EventSource::EventSource(net::Connections& connections, Url url, Receiver& receiver, const ClientLimits& limits)
    : connections_(connections),
      url_(std::move(url)),
      receiver_(receiver),
      limits_(limits),
      retry_timer_([](void* self) { static_cast<EventSource*>(self)->open(); }, this) {}

void EventSource::open() {
  client_.emplace(connections_, url_.endpoint, static_cast<Client::Receiver&>(*this), limits_);
  parser_ = EventStreamParser();
  streaming_ = false;
  ClientRequest request{.target = url_.target, .host = url_.authority};
  request.fields.emplace_back("Accept", kMediaType);
  request.fields.emplace_back("Cache-Control", "no-store");
  if (!last_event_id_.empty()) request.fields.emplace_back("Last-Event-ID", last_event_id_);
  client_->send(request);
}

void EventSource::close() {
  retry_timer_.cancel();
  client_.reset();
}

void EventSource::ask_pause(std::uint64_t pause_ms) { asked_pause_ns_ = bounded_ns(pause_ms, kNsPerMs); }

Client::Body EventSource::on_head(const ResponseHead& head) {
  if (!is_event_stream(head)) return Client::Body::Collect;
  streaming_ = true;
  attempts_ = 0;
  receiver_.on_open();
  return Client::Body::Stream;
}

void EventSource::on_body(base::Bytes bytes) {
  while (client_) {
    const auto block = parser_.next(bytes);
    if (!block) return refuse(block.error().text);
    if (const auto retry_ms = parser_.retry_ms()) retry_ns_ = bounded_ns(*retry_ms, kNsPerMs);
    if (!*block) return;
    // An event without a position leaves the one that the stream had; it goes into a field of the next request.
    if (!(*block)->id.empty() && is_field_value((*block)->id)) last_event_id_ = (*block)->id;
    receiver_.on_block(**block);
  }
}

void EventSource::on_response(const ResponseHead& head, std::string collected) {
  if (streaming_) return lose("the server ended the stream", {base::Errc::Closed, "the server ended the stream"});
  if (is_temporary(head.status())) {
    const auto seconds = decimal(head.fields().field("Retry-After").value_or(""));
    if (seconds) asked_pause_ns_ = bounded_ns(*seconds, kNsPerSecond);
    return lose(problem_sentence(head, collected), {base::Errc::Overload, "a temporary refusal"});
  }
  if (head.status() != 200) return refuse(problem_sentence(head, collected));
  refuse("this is no event stream; its Content-Type is `" +
         printable(head.fields().field("Content-Type").value_or("")) + "`");
}

void EventSource::on_failed(base::Error error) {
  if (streaming_ || error.code == base::Errc::System || error.code == base::Errc::Closed ||
      error.code == base::Errc::TimedOut || error.code == base::Errc::Overload) {
    return lose(failure_sentence(error), error);
  }
  refuse(failure_sentence(error));
}

void EventSource::lose(std::string reason, base::Error error) {
  client_.reset();
  const std::uint64_t pause_ns = next_pause_ns();
  connections_.loop().set_timer(retry_timer_, pause_ns);
  receiver_.on_lost({std::move(reason), error, pause_ns});
}

void EventSource::refuse(const std::string& sentence) {
  close();
  receiver_.on_refused(sentence);
}

std::uint64_t EventSource::next_pause_ns() {
  constexpr unsigned kDoublingsMax = 10;
  const std::uint64_t random = connections_.loop().random().u64();
  if (const auto asked = std::exchange(asked_pause_ns_, std::nullopt)) {
    const std::uint64_t at_least = std::max(*asked, kRetryNsMin);
    return at_least + random % (at_least / 4);
  }
  const std::uint64_t most = std::max(kRetryNsMax, retry_ns_);
  const std::uint64_t base = std::clamp(retry_ns_ << std::min(attempts_++, kDoublingsMax), kRetryNsMin, most);
  return base / 2 + random % base;
}

}  // namespace protocols::http
