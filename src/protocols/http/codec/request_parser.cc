// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/codec/request_parser.h"

#include <array>
#include <utility>

#include "protocols/http/codec/grammar.h"

namespace protocols::http {
namespace {

constexpr std::array<std::pair<std::string_view, Method>, 8> kMethods{{{"GET", Method::Get},
                                                                       {"POST", Method::Post},
                                                                       {"HEAD", Method::Head},
                                                                       {"OPTIONS", Method::Options},
                                                                       {"PUT", Method::Put},
                                                                       {"PATCH", Method::Patch},
                                                                       {"DELETE", Method::Delete},
                                                                       {"TRACE", Method::Trace}}};

Method method_of(std::string_view text) {
  for (const auto& [name, method] : kMethods) {
    if (text == name) return method;
  }
  return Method::Other;
}

// The length of `http://` or `https://` at the front, 0 if there is neither. A scheme has no case (RFC 3986 3.1).
std::size_t scheme_length(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (equals_ignoring_case(target.substr(0, scheme.size()), scheme)) return scheme.size();
  }
  return 0;
}

Span span_of(std::size_t at, std::size_t size) {
  return {static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(size)};
}

}  // namespace

// request-line = method SP request-target SP HTTP-version (RFC 9112 section 3), with exactly these two spaces.
Fault RequestHead::add_request_line(base::Bytes line) {
  const auto method_end = token_length(line);
  if (method_end > kMethodBytesMax) return Fault::MethodTooLong;
  if (method_end == 0 || (method_end < line.size() && line[method_end] != ' ')) return Fault::BadMethod;
  const auto target_end = line.rfind(' ');
  if (target_end == line.npos || target_end <= method_end) return Fault::BadRequestLine;
  method_span_ = span_of(0, method_end);
  method_ = method_of(line.substr(0, method_end));
  const auto version = parse_version(line.substr(target_end + 1));
  if (!version) return version.error();
  version_ = *version;
  return add_target(line, span_of(method_end + 1, target_end - method_end - 1));
}

Fault RequestHead::add_target(base::Bytes line, Span span) {
  const auto target = line.substr(span.at, span.size);
  if (line.substr(0, method_span_.size) == "CONNECT") return Fault::ConnectRefused;
  if (!is_target(target)) return Fault::BadTarget;
  target_span_ = span;
  if (target.front() == '/') return Fault::None;
  if (target == "*") return method_ == Method::Options ? Fault::None : Fault::BadTarget;
  const auto scheme = scheme_length(target);
  if (scheme == 0) return Fault::BadTarget;
  const auto rest = target.substr(scheme);
  const auto authority = rest.substr(0, rest.find_first_of("/?"));
  // User information in an http URI is refused as an error (RFC 9110 section 4.2.4); so is an empty host (4.2.1).
  if (!is_host(authority)) return Fault::BadHost;
  authority_span_ = span_of(span.at + scheme, authority.size());
  target_span_ = span_of(authority_span_.at + authority.size(), rest.size() - authority.size());
  return Fault::None;
}

Fault RequestHead::finish(base::Bytes head, const Limits& limits) {
  message_.fields.keep(head);
  if (const Fault fault = check_host(); fault != Fault::None) return fault;
  const auto framing = request_framing(message_.fields, version_);
  if (!framing) return framing.error();
  if (const Fault fault = check_expectation(*framing); fault != Fault::None) return fault;
  return message_.begin_body(*framing, limits);
}

// "A server MUST respond with a 400 status code to any HTTP/1.1 request message that lacks a Host header field and to
// any request message that contains more than one Host header field line or a Host header field with an invalid field
// value" (RFC 9112 section 3.2). We ask HTTP/1.0 for it too: the defence against DNS rebinding rests on it.
Fault RequestHead::check_host() const {
  const auto hosts = message_.fields.count("host");
  if (hosts == 0) return Fault::MissingHost;
  if (hosts > 1) return Fault::RepeatedHost;
  return is_host(*message_.fields.field("host")) ? Fault::None : Fault::BadHost;
}

Fault RequestHead::check_expectation(Framing framing) {
  if (version_ == Version::Http10 || message_.fields.count("expect") == 0) return Fault::None;
  if (!equals_ignoring_case(message_.fields.joined("expect"), "100-continue")) return Fault::UnknownExpectation;
  expects_continue_ = framing.kind != BodyKind::None;
  return Fault::None;
}

std::string_view RequestHead::host() const {
  if (authority_span_.size > 0) return message_.fields.text(authority_span_);
  return message_.fields.field("host").value_or(std::string_view{});
}

bool RequestHead::asks_upgrade(std::string_view protocol) const {
  return version_ == Version::Http11 && message_.fields.has_token("connection", "upgrade") &&
         message_.fields.has_token("upgrade", protocol);
}

std::expected<std::size_t, ParseFailure> RequestParser::feed(base::Bytes bytes) {
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
  return std::unexpected(failure_of(fault_));
}

Parsed<std::size_t> RequestParser::feed_head(base::Bytes bytes) {
  std::size_t skipped = 0;
  // "A server that is expecting to receive and parse a request-line SHOULD ignore at least one empty line (CRLF)
  // received prior to the request-line" (RFC 9112 section 2.2). One, not any number.
  if (!skipped_empty_line_ && exchange_ == nullptr && bytes.starts_with("\r\n")) {
    skipped_empty_line_ = true;
    skipped = 2;
    head_reader_ = {};  // the CR alone may have been looked at
  }
  const auto head = bytes.substr(skipped);
  while (true) {
    const auto line = head_reader_.next_line(head, *limits_);
    if (!line) return std::unexpected(line.error());
    if (!line->complete) return skipped;
    Fault fault = Fault::None;
    if (exchange_ == nullptr) {
      exchange_ = std::make_unique<RequestHead>();
      fault = exchange_->add_request_line(head.substr(0, line->span.size));
    } else if (line->span.size > 0) {
      fault = exchange_->message_.fields.add(head, line->span, *limits_);
    } else {
      break;
    }
    if (fault != Fault::None) return std::unexpected(fault);
  }
  const auto head_bytes = head_reader_.position();
  head_complete_ = true;
  const Fault fault = exchange_->finish(head.substr(0, head_bytes), *limits_);
  if (fault != Fault::None) return std::unexpected(fault);
  stage_ = exchange_->message_.body_complete() ? Stage::Complete : Stage::Body;
  return skipped + head_bytes;
}

Parsed<std::size_t> RequestParser::feed_body(base::Bytes bytes) {
  const auto used = exchange_->message_.take_body(bytes);
  if (exchange_->message_.body_complete()) stage_ = Stage::Complete;
  return used;
}

const RequestHead& RequestParser::head() const {
  CHECK(head_complete_, "a head is read once it is complete");
  return *exchange_;
}

void RequestParser::stream_body_to(BodySink& sink) {
  CHECK(stage_ == Stage::Body, "a sink is chosen between head and body");
  exchange_->message_.sink = &sink;
}

std::string RequestParser::take_body() {
  CHECK(stage_ == Stage::Complete, "a body is taken once it is complete");
  return std::move(exchange_->message_.content);
}

void RequestParser::next() {
  CHECK(stage_ == Stage::Complete, "a request ends before the next begins");
  exchange_.reset();
  head_reader_ = {};
  stage_ = Stage::Head;
  head_complete_ = false;
  skipped_empty_line_ = false;
}

}  // namespace protocols::http
