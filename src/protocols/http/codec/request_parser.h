// SPDX-License-Identifier: Apache-2.0
#pragma once
// Requests of one HTTP/1.1 connection, one after the other, from bytes as they arrive (RFC 9112; RFC 9110).
//
//   Head --(empty line)--> Body --(last byte)--> Complete --next()--> Head
//                 \______ no body ______________/
//
// feed() returns how many bytes it consumed; the rest is shown again, unchanged, with more behind it. It stops after
// the head, so that the session can answer 100, choose a sink, or refuse, and after the request, so that a pipelined
// one waits until next(): call it again while it consumes something. However the bytes are split, the result is the
// same.
//
// Memory: 32 bytes while idle; head and body belong to the exchange and are freed by next().
// Strict on purpose: whatever two recipients could read differently is refused (RFC 9112 section 11.2).
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "protocols/http/codec/fault.h"
#include "protocols/http/codec/head_reader.h"
#include "protocols/http/codec/limits.h"
#include "protocols/http/codec/message.h"

namespace protocols::http {

// Methods are case-sensitive: `get` is Other.
enum class Method : std::uint8_t { Get, Head, Post, Put, Patch, Delete, Options, Trace, Other };

class RequestHead final {
 public:
  Method method() const { return method_; }
  std::string_view method_text() const { return message_.fields.text(method_span_); }

  // Origin-form as received, still encoded; `*` only for OPTIONS. Of an absolute-form target this is what follows the
  // authority: empty or beginning with `?` if it has no path, which Target::parse reads as `/`.
  std::string_view target() const { return message_.fields.text(target_span_); }

  // The authority of an absolute-form target, else the Host field (RFC 9112 section 3.2.2): valid and not empty.
  std::string_view host() const;

  Version version() const { return version_; }
  const Fields& fields() const { return message_.fields; }

  bool keep_alive() const { return keeps_alive(message_.fields, version_); }

  // The client waits for 100 before it sends the body. False where there is no body, and in HTTP/1.0
  // (RFC 9110 section 10.1.1).
  bool expects_continue() const { return expects_continue_; }

  // `Upgrade: protocol` together with `Connection: upgrade`, in HTTP/1.1 (RFC 9110 section 7.8).
  bool asks_upgrade(std::string_view protocol) const;

 private:
  friend class RequestParser;

  Fault add_request_line(base::Bytes line);
  Fault add_target(base::Bytes line, Span target);
  Fault finish(base::Bytes head, const Limits&);
  Fault check_host() const;
  Fault check_expectation(Framing);

  Message message_;
  Span method_span_;
  Span target_span_;
  Span authority_span_;
  Method method_ = Method::Other;
  Version version_ = Version::Http11;
  bool expects_continue_ = false;
};

class RequestParser final {
 public:
  // `limits` outlive the parser: they belong to the listener.
  explicit RequestParser(const Limits& limits) : limits_(&limits) {}

  // Bytes consumed, or why the connection must be answered and closed; it then stays Failed.
  std::expected<std::size_t, ParseFailure> feed(base::Bytes);

  Stage stage() const { return stage_; }

  // Nothing of a request has been consumed or kept: the connection may be closed without an answer.
  bool idle() const { return stage_ == Stage::Head && exchange_ == nullptr && head_reader_.position() == 0; }

  // From Body on. After a failure too if the fields were complete (has_head), so that even 413 can follow them.
  bool has_head() const { return head_complete_; }
  const RequestHead& head() const;

  // Between head and body: content goes to `sink` instead of a string. The sink outlives the exchange.
  void stream_body_to(BodySink& sink);

  // Once Complete, without a sink.
  std::string take_body();

  // The exchange is over; head and body are gone. Only when Complete.
  void next();

 private:
  Parsed<std::size_t> feed_head(base::Bytes);
  Parsed<std::size_t> feed_body(base::Bytes);

  const Limits* limits_;
  std::unique_ptr<RequestHead> exchange_;
  HeadReader head_reader_;
  Stage stage_ = Stage::Head;
  Fault fault_ = Fault::None;
  bool head_complete_ = false;
  bool skipped_empty_line_ = false;
};

static_assert(sizeof(RequestParser) <= 32, "an idle connection must stay small");

}  // namespace protocols::http
