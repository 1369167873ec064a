// SPDX-License-Identifier: Apache-2.0
#pragma once
// The head of one message as one buffer, and where its fields stand in it: no string and no allocation per field.
//
// Lines are added while the bytes still belong to the connection; keep() copies them once the head is complete, and
// only from then on may fields be read. Offsets count from the first byte of the start line.
// Views stay valid until the object is destroyed or moved.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "protocols/http/codec/fault.h"
#include "protocols/http/codec/limits.h"

namespace protocols::http {

struct Field {
  std::string_view name;
  std::string_view value;  // without white space at the ends
};

struct Span {
  std::uint32_t at = 0;
  std::uint32_t size = 0;
};

// One field line without its CRLF (RFC 9112 section 5). The views point into `line`.
Parsed<Field> parse_field_line(base::Bytes line);

class Fields final {
 public:
  // `line` is a field line of `head`, without its CRLF.
  Fault add(base::Bytes head, Span line, const Limits&);
  void keep(base::Bytes head) { text_ = head; }

  std::size_t size() const { return spans_.size(); }
  Field at(std::size_t index) const;
  std::string_view text(Span span) const { return std::string_view(text_).substr(span.at, span.size); }

  // Names are compared without regard to case. The first value; nothing if there is none.
  std::optional<std::string_view> field(std::string_view name) const;
  std::size_t count(std::string_view name) const;

  // All values of the name with ", " between them (RFC 9110 section 5.3); empty if there is none.
  std::string joined(std::string_view name) const;

  // Whether a comma-separated list, over all fields of the name, has the token, without regard to case.
  bool has_token(std::string_view name, std::string_view token) const;

 private:
  struct FieldSpan {
    Span name;
    Span value;
  };

  std::string text_;
  std::vector<FieldSpan> spans_;
};

}  // namespace protocols::http
