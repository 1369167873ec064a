// SPDX-License-Identifier: Apache-2.0
#pragma once
// Cuts a head into lines while it arrives. It copies nothing: the connection shows the same bytes again with more
// behind them, and this remembers what was looked at, so that a head sent octet by octet costs no more than one scan.
//
// The result does not depend on how the bytes were split: each limit is judged by where a line feed *could* still be.
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "protocols/http/codec/fault.h"
#include "protocols/http/codec/fields.h"
#include "protocols/http/codec/limits.h"

namespace protocols::http {

enum class Version : std::uint8_t { Http10, Http11 };

class HeadReader final {
 public:
  struct Line {
    bool complete = false;  // false: more bytes are needed
    Span span = {};         // without its CRLF
  };

  // The next line. `head` always begins at the start line.
  // A bare LF ends nothing here: RFC 9112 section 2.2 allows a recipient to take it for a line end, which two
  // recipients in a row then do differently.
  Parsed<Line> next_line(base::Bytes head, const Limits&);

  // Where the line after the last one begins; after the empty line, the length of the head.
  std::uint32_t position() const { return line_at_; }

 private:
  std::uint32_t line_at_ = 0;
  std::uint32_t scanned_ = 0;
};

// `HTTP/1.1`. RFC 9110 section 2.5: a higher minor version is treated as the highest that we know.
Parsed<Version> parse_version(std::string_view text);

}  // namespace protocols::http
