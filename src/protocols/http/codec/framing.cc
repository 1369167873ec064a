// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/codec/framing.h"

#include <string>

#include "protocols/http/codec/grammar.h"

namespace protocols::http {
namespace {

// The codings of all Transfer-Encoding fields together. A list with `chunked` anywhere but once at its end leaves the
// length of the message open (RFC 9112 section 6.3, 400); a well-formed one with another coding is merely not served.
Fault judge_codings(std::string_view list) {
  bool chunked = false;
  bool other = false;
  while (true) {
    const auto comma = list.find(',');
    const auto coding = trimmed(list.substr(0, comma));
    if (chunked || !is_token(coding.substr(0, coding.find_first_of("; \t")))) return Fault::BadCoding;
    chunked = equals_ignoring_case(coding, "chunked");
    other = other || !chunked;
    if (comma == list.npos) break;
    list.remove_prefix(comma + 1);
  }
  return other ? Fault::CodingNotServed : Fault::None;
}

Parsed<Framing> stated_framing(const Fields& fields, Version version, BodyKind unstated) {
  const auto lengths = fields.count("content-length");
  if (fields.count("transfer-encoding") > 0) {
    if (version == Version::Http10) return std::unexpected(Fault::CodingBeforeHttp11);
    if (lengths > 0) return std::unexpected(Fault::LengthAndCoding);
    if (const Fault fault = judge_codings(fields.joined("transfer-encoding")); fault != Fault::None) {
      return std::unexpected(fault);
    }
    return Framing{.kind = BodyKind::Chunked};
  }
  if (lengths == 0) return Framing{.kind = unstated};
  if (lengths > 1) return std::unexpected(Fault::RepeatedLength);
  const auto length = decimal(*fields.field("content-length"));
  if (!length) return std::unexpected(Fault::BadLength);
  if (*length == 0) return Framing{};
  return Framing{.kind = BodyKind::Length, .length = *length};
}

}  // namespace

Parsed<Framing> request_framing(const Fields& fields, Version version) {
  return stated_framing(fields, version, BodyKind::None);
}

Parsed<Framing> response_framing(const Fields& fields, Version version, int status, Answers answers) {
  const auto framing = stated_framing(fields, version, BodyKind::UntilClose);
  if (!framing) return framing;
  // "Any response to a HEAD request and any response with a 1xx, 204 or 304 status code is always terminated by the
  // first empty line after the header fields, regardless of the header fields."
  if (answers == Answers::Head || status < 200 || status == 204 || status == 304) return Framing{};
  return framing;
}

bool keeps_alive(const Fields& fields, Version version) {
  if (fields.has_token("connection", "close")) return false;
  return version == Version::Http11 || fields.has_token("connection", "keep-alive");
}

}  // namespace protocols::http
