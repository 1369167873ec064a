// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/codec/head_reader.h"

namespace protocols::http {

Parsed<HeadReader::Line> HeadReader::next_line(base::Bytes head, const Limits& limits) {
  CHECK(head.size() >= scanned_, "a connection shows unconsumed bytes again");
  const auto found = head.find('\n', scanned_);
  const auto end = found == head.npos ? head.size() : found;  // no line feed stands before it
  // One octet beyond the longest line may be its CR.
  if (line_at_ == 0 && end > std::size_t{limits.request_line_bytes_max} + 1) {
    return std::unexpected(Fault::TargetTooLong);
  }
  if (end >= limits.head_bytes_max) return std::unexpected(Fault::HeadTooLarge);
  scanned_ = static_cast<std::uint32_t>(end);
  if (found == head.npos) return Line{};
  if (end == line_at_ || head[end - 1] != '\r') return std::unexpected(Fault::BareLineFeed);
  const Span line{line_at_, static_cast<std::uint32_t>(end - 1) - line_at_};
  line_at_ = scanned_ = static_cast<std::uint32_t>(end + 1);
  return Line{.complete = true, .span = line};
}

Parsed<Version> parse_version(std::string_view text) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  // RFC 9112 section 2.3: HTTP-version = %s"HTTP" "/" DIGIT "." DIGIT, with regard to case.
  if (text.size() != 8 || !text.starts_with("HTTP/") || !digit(text[5]) || text[6] != '.' || !digit(text[7])) {
    return std::unexpected(Fault::BadVersion);
  }
  if (text[5] != '1') return std::unexpected(Fault::VersionNotServed);
  return text[7] == '0' ? Version::Http10 : Version::Http11;
}

}  // namespace protocols::http
