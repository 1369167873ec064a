// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/codec/grammar.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace protocols::http {
namespace {

constexpr std::uint8_t kToken = 1;
constexpr std::uint8_t kValue = 2;
constexpr std::uint8_t kTarget = 4;
constexpr std::uint8_t kHostName = 8;

constexpr bool one_of(int c, std::string_view set) { return c < 128 && set.find(static_cast<char>(c)) != set.npos; }

constexpr std::uint8_t classes_of(int c) {
  const bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  const bool visible = c > 0x20 && c < 0x7f;
  unsigned classes = 0;
  if (alphanumeric || one_of(c, "!#$%&'*+-.^_`|~")) classes |= kToken;
  if (visible || c == ' ' || c == '\t' || c >= 0x80) classes |= kValue;
  if (visible && !one_of(c, "\"#<>")) classes |= kTarget;
  if (alphanumeric || one_of(c, "-._~")) classes |= kHostName;
  return static_cast<std::uint8_t>(classes);
}

constexpr std::array<std::uint8_t, 256> kClasses = [] {
  std::array<std::uint8_t, 256> table{};
  for (int c = 0; c < 256; ++c) table[static_cast<std::size_t>(c)] = classes_of(c);
  return table;
}();

bool is(char c, std::uint8_t wanted) { return (kClasses[static_cast<unsigned char>(c)] & wanted) != 0; }

bool all(std::string_view text, std::uint8_t wanted) {
  return std::all_of(text.begin(), text.end(), [wanted](char c) { return is(c, wanted); });
}

// True if none of eight octets is a control: a subtraction borrows into the high bit of each octet below 0x20, and
// the octet 0x7f is found as the zero of an exclusive or. HTAB counts too and is left to the table.
bool eight_without_controls(const char* at) {
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  constexpr std::uint64_t kHighs = 0x8080808080808080U;
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  const std::uint64_t below_space = (word - kOnes * 0x20) & ~word;
  const std::uint64_t delete_zero = word ^ (kOnes * 0x7f);
  return ((below_space | ((delete_zero - kOnes) & ~delete_zero)) & kHighs) == 0;
}

bool is_port(std::string_view text) {
  constexpr std::uint64_t kPortMax = 65535;
  if (text.empty()) return true;  // RFC 3986 section 3.2.3: port = *DIGIT
  const auto port = decimal(text);
  return port && *port <= kPortMax;
}

bool is_bracketed_address(std::string_view text) {
  constexpr std::size_t kAddressBytesMax = 45;
  const auto inner = text.substr(1, text.size() - 2);
  return inner.size() >= 2 && inner.size() <= kAddressBytesMax && inner.find(':') != inner.npos &&
         std::all_of(inner.begin(), inner.end(), [](char c) { return hex_digit(c) >= 0 || c == ':' || c == '.'; });
}

}  // namespace

std::size_t token_length(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && is(text[length], kToken)) ++length;
  return length;
}

bool is_token(std::string_view text) { return !text.empty() && all(text, kToken); }

bool is_field_value(std::string_view text) {
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    if (!eight_without_controls(text.data() + at) && !all(text.substr(at, 8), kValue)) return false;
  }
  return all(text.substr(at), kValue);
}

bool is_target(std::string_view text) { return !text.empty() && all(text, kTarget); }

bool is_host(std::string_view text) {
  constexpr std::size_t kNameBytesMax = 255;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == text.npos || !is_bracketed_address(text.substr(0, close + 1))) return false;
    const auto rest = text.substr(close + 1);
    return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
  }
  const auto colon = text.find(':');
  const auto name = text.substr(0, colon);
  if (name.empty() || name.size() > kNameBytesMax || !all(name, kHostName)) return false;
  return colon == text.npos || is_port(text.substr(colon + 1));
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [lower](char x, char y) { return lower(x) == lower(y); });
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::uint64_t> decimal(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (UINT64_MAX - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

std::optional<std::uint64_t> hexadecimal(std::string_view text) {
  constexpr std::size_t kDigitsMax = 16;
  if (text.empty() || text.size() > kDigitsMax) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    const int digit = hex_digit(c);
    if (digit < 0) return std::nullopt;
    value = value << 4 | static_cast<std::uint64_t>(digit);
  }
  return value;
}

}  // namespace protocols::http
