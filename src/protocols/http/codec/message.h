// SPDX-License-Identifier: Apache-2.0
#pragma once
// What requests and responses share after their first line: the fields, and the body on its way to a sink or a string.
// Lives as long as one exchange; the parsers allocate it with the first line of a message.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "protocols/http/codec/body_reader.h"
#include "protocols/http/codec/fault.h"
#include "protocols/http/codec/fields.h"

namespace protocols::http {

// What the next bytes of a connection belong to.
enum class Stage : std::uint8_t { Head, Body, Complete, Failed };

class Message final {
 public:
  Fields fields;
  BodySink* sink = nullptr;  // not owned; content goes to `content` without one
  std::string content;

  // Once the fields are known. A stated length beyond the limit is refused before a byte of the body came.
  Fault begin_body(Framing, const Limits&);

  // Bytes consumed: all that belong to the body, save an unfinished chunk line.
  Parsed<std::size_t> take_body(base::Bytes);

  bool body_complete() const { return body_.complete(); }
  Fault on_closed() { return body_.on_closed(); }

 private:
  BodyReader body_;
};

}  // namespace protocols::http
