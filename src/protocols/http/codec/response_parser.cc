// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/codec/response_parser.h"

#include <utility>

#include "protocols/http/codec/grammar.h"

namespace protocols::http {

// status-line = HTTP-version SP status-code SP [ reason-phrase ] (RFC 9112 section 4). The space before an absent
// reason is left out by some servers, and nothing hangs on it.
Fault ResponseHead::add_status_line(base::Bytes line) {
  constexpr std::size_t kCodeAt = 9;
  constexpr std::size_t kReasonAt = 13;
  const auto version = parse_version(line.substr(0, kCodeAt - 1));
  if (!version) return version.error();
  version_ = *version;
  if (line.size() < kReasonAt - 1 || line[kCodeAt - 1] != ' ') return Fault::BadStatusLine;
  const auto code = decimal(line.substr(kCodeAt, 3));
  if (!code || *code < 100 || *code > 599) return Fault::BadStatusLine;
  status_ = static_cast<int>(*code);
  if (line.size() < kReasonAt) return Fault::None;
  if (line[kReasonAt - 1] != ' ' || !is_field_value(line.substr(kReasonAt))) return Fault::BadStatusLine;
  reason_span_ = {kReasonAt, static_cast<std::uint32_t>(line.size() - kReasonAt)};
  return Fault::None;
}

Fault ResponseHead::finish(base::Bytes head, Answers answers, const Limits& limits) {
  message_.fields.keep(head);
  const auto framing = response_framing(message_.fields, version_, status_, answers);
  if (!framing) return framing.error();
  keep_alive_ = framing->kind != BodyKind::UntilClose && keeps_alive(message_.fields, version_);
  return message_.begin_body(*framing, limits);
}

base::Result<std::size_t> ResponseParser::feed(base::Bytes bytes) {
  Parsed<std::size_t> used = 0;
  switch (stage_) {
    case Stage::Head: used = feed_head(bytes); break;
    case Stage::Body: used = feed_body(bytes); break;
    case Stage::Complete: break;
    case Stage::Failed: used = std::unexpected(fault_); break;
  }
  if (used) return *used;
  stage_ = Stage::Failed;
  fault_ = used.error();
  return std::unexpected(error_of(fault_));
}

base::Result<void> ResponseParser::on_closed() {
  if (stage_ == Stage::Complete) return {};
  const Fault fault = stage_ == Stage::Body ? exchange_->message_.on_closed() : Fault::CutShort;
  stage_ = fault == Fault::None ? Stage::Complete : Stage::Failed;
  if (fault == Fault::None) return {};
  if (fault_ == Fault::None) fault_ = fault;
  return std::unexpected(error_of(fault_));
}

Parsed<std::size_t> ResponseParser::feed_head(base::Bytes bytes) {
  while (true) {
    const auto line = head_reader_.next_line(bytes, *limits_);
    if (!line) return std::unexpected(line.error());
    if (!line->complete) return 0;
    Fault fault = Fault::None;
    if (exchange_ == nullptr) {
      exchange_ = std::make_unique<ResponseHead>();
      fault = exchange_->add_status_line(bytes.substr(0, line->span.size));
    } else if (line->span.size > 0) {
      fault = exchange_->message_.fields.add(bytes, line->span, *limits_);
    } else {
      break;
    }
    if (fault != Fault::None) return std::unexpected(fault);
  }
  const std::size_t head_bytes = head_reader_.position();
  const Fault fault = exchange_->finish(bytes.substr(0, head_bytes), answers_, *limits_);
  if (fault != Fault::None) return std::unexpected(fault);
  head_reader_ = {};
  if (is_interim()) {
    exchange_.reset();
    return head_bytes;
  }
  stage_ = exchange_->message_.body_complete() ? Stage::Complete : Stage::Body;
  return head_bytes;
}

Parsed<std::size_t> ResponseParser::feed_body(base::Bytes bytes) {
  const auto used = exchange_->message_.take_body(bytes);
  if (exchange_->message_.body_complete()) stage_ = Stage::Complete;
  return used;
}

bool ResponseParser::is_interim() const {
  constexpr int kSwitchingProtocols = 101;
  return exchange_->status() < 200 && exchange_->status() != kSwitchingProtocols;
}

const ResponseHead& ResponseParser::head() const {
  CHECK(has_head(), "a head is read once it is complete");
  return *exchange_;
}

void ResponseParser::stream_body_to(BodySink& sink) {
  CHECK(stage_ == Stage::Body, "a sink is chosen between head and body");
  exchange_->message_.sink = &sink;
}

std::string ResponseParser::take_body() {
  CHECK(stage_ == Stage::Complete, "a body is taken once it is complete");
  return std::move(exchange_->message_.content);
}

void ResponseParser::next(Answers answers) {
  CHECK(stage_ == Stage::Complete, "a response ends before the next begins");
  exchange_.reset();
  head_reader_ = {};
  stage_ = Stage::Head;
  answers_ = answers;
}

}  // namespace protocols::http
