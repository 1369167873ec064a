// SPDX-License-Identifier: Apache-2.0
#include "codec/percent.h"

#include <algorithm>
#include <string_view>

namespace codec {
namespace {

constexpr char kHex[] = "0123456789ABCDEF";

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

bool keeps(PercentKeep keep, char c) {
  switch (keep) {
    case PercentKeep::Unreserved: return is_unreserved(c);
    case PercentKeep::Path: return is_unreserved(c) || std::string_view("/:@!$&'()*+,;=").contains(c);
    case PercentKeep::HeaderValue: return c >= '!' && c <= '~' && c != '"' && c != '%';
  }
  return false;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

void append_percent_encoded(std::string& out, base::Bytes bytes, PercentKeep keep) {
  for (const char c : bytes) {
    if (keeps(keep, c)) {
      out += c;
      continue;
    }
    const auto octet = static_cast<unsigned char>(c);
    out += {'%', kHex[octet >> 4], kHex[octet & 15]};
  }
}

base::Result<void> decode_percent(std::string& out, base::Bytes text) {
  const std::size_t before = out.size();
  while (!text.empty()) {
    const std::size_t run = std::min(text.find('%'), text.size());
    out.append(text.substr(0, run));
    text.remove_prefix(run);
    if (text.empty()) break;
    const int high = text.size() >= 3 ? hex_value(text[1]) : -1;
    const int low = text.size() >= 3 ? hex_value(text[2]) : -1;
    if (high < 0 || low < 0) {
      out.resize(before);
      return base::fail(base::Errc::BadInput, "a percent sign is not followed by two hexadecimal digits");
    }
    out += static_cast<char>(high << 4 | low);
    text.remove_prefix(3);
  }
  return {};
}

}  // namespace codec
