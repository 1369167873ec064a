// SPDX-License-Identifier: Apache-2.0
#pragma once
// The client's side of an HTTP/1.1 connection: responses from bytes as they arrive (RFC 9112 sections 4 and 6.3).
//
// The contract of feed() is that of RequestParser. Interim responses (1xx) are read and dropped, except 101, which is
// Complete: the bytes behind it belong to the other protocol. A body until the connection closes ends by on_closed().
// An event stream is read with a sink and Limits::body_bytes_max = kBodyBytesUnbounded.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "protocols/http/codec/head_reader.h"
#include "protocols/http/codec/limits.h"
#include "protocols/http/codec/message.h"

namespace protocols::http {

class ResponseHead final {
 public:
  int status() const { return status_; }
  std::string_view reason() const { return message_.fields.text(reason_span_); }
  Version version() const { return version_; }
  const Fields& fields() const { return message_.fields; }

  // False also when the body ends with the connection.
  bool keep_alive() const { return keep_alive_; }

 private:
  friend class ResponseParser;

  Fault add_status_line(base::Bytes line);
  Fault finish(base::Bytes head, Answers, const Limits&);

  Message message_;
  Span reason_span_;
  int status_ = 0;
  Version version_ = Version::Http11;
  bool keep_alive_ = false;
};

class ResponseParser final {
 public:
  // `limits` outlive the parser. `answers`: whether the request was HEAD.
  explicit ResponseParser(const Limits& limits, Answers answers = Answers::Other)
      : limits_(&limits), answers_(answers) {}

  // Bytes consumed; BadInput, TooLarge or Unsupported if the response cannot be read, and again from then on.
  base::Result<std::size_t> feed(base::Bytes);

  // The server closed: completes a body without another end; Errc::Closed if a response was cut short.
  base::Result<void> on_closed();

  Stage stage() const { return stage_; }
  bool has_head() const { return stage_ == Stage::Body || stage_ == Stage::Complete; }
  const ResponseHead& head() const;

  // Between head and body. The sink outlives the exchange.
  void stream_body_to(BodySink& sink);

  std::string take_body();  // once Complete, without a sink

  // Only when Complete.
  void next(Answers answers = Answers::Other);

 private:
  Parsed<std::size_t> feed_head(base::Bytes);
  Parsed<std::size_t> feed_body(base::Bytes);
  bool is_interim() const;

  const Limits* limits_;
  std::unique_ptr<ResponseHead> exchange_;
  HeadReader head_reader_;
  Stage stage_ = Stage::Head;
  Fault fault_ = Fault::None;
  Answers answers_;
};

}  // namespace protocols::http
