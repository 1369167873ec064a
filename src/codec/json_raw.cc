// SPDX-License-Identifier: Apache-2.0
#include "codec/json_raw.h"

#include <algorithm>
#include <vector>

#include "codec/utf8.h"

namespace codec::json {

using base::Bytes;

namespace {

constexpr std::uint32_t kReplacement = 0xfffd;

void skip_space(Bytes& in) { in.remove_prefix(std::min(in.find_first_not_of(" \t\r\n"), in.size())); }

bool take_character(Bytes& in, char c) {
  if (!in.starts_with(c)) return false;
  in.remove_prefix(1);
  return true;
}

// The bytes of the string at the front, quotes included; npos if it does not end.
std::size_t string_size(Bytes in) {
  for (std::size_t at = 1; at < in.size(); ++at) {
    if (in[at] == '"') return at + 1;
    if (in[at] == '\\') ++at;
  }
  return Bytes::npos;
}

// The bytes of the object or array at the front; npos if it does not end.
std::size_t container_size(Bytes in) {
  std::size_t depth = 0;
  for (std::size_t at = 0; at < in.size(); ++at) {
    const char c = in[at];
    if (c == '"') {
      const std::size_t size = string_size(in.substr(at));
      if (size == Bytes::npos) return size;
      at += size - 1;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (--depth == 0) return at + 1;
    }
  }
  return Bytes::npos;
}

// Empty if there is no value.
Bytes take_value(Bytes& in) {
  if (in.empty()) return {};
  std::size_t size = 0;
  switch (in[0]) {
    case '"': size = string_size(in); break;
    case '{':
    case '[': size = container_size(in); break;
    default: size = std::min(in.find_first_of(",]} \t\r\n"), in.size()); break;
  }
  if (size == Bytes::npos) return {};
  const Bytes value = in.substr(0, size);
  in.remove_prefix(size);
  return value;
}

// Behind an element: the comma before the next, or nothing more.
void pass_comma(Bytes& in) {
  skip_space(in);
  if (!take_character(in, ',')) in = {};
}

// Four hexadecimal digits; a value above 0xffff if they are none.
std::uint32_t hex4(Bytes digits) {
  if (digits.size() < 4) return 0x10000;
  std::uint32_t value = 0;
  for (const char c : digits.substr(0, 4)) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return 0x10000;
    value = value << 4 | static_cast<std::uint32_t>(digit);
  }
  return value;
}

// RFC 8259 section 7: characters beyond the Basic Multilingual Plane are two \u escapes, a surrogate pair.
void take_unicode_escape(std::string& out, Bytes& in) {
  std::uint32_t code = hex4(in);
  in.remove_prefix(std::min<std::size_t>(4, in.size()));
  if (code >= 0xd800 && code < 0xdc00 && in.starts_with("\\u")) {
    const std::uint32_t low = hex4(in.substr(2));
    if (low >= 0xdc00 && low < 0xe000) {
      in.remove_prefix(6);
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      return append_utf8(out, code);
    }
  }
  const bool scalar = code < 0xd800 || (code >= 0xe000 && code <= 0xffff);
  append_utf8(out, scalar ? code : kReplacement);
}

}  // namespace

void append_unescaped(std::string& out, Bytes raw) {
  while (true) {
    const std::size_t run = std::min(raw.find('\\'), raw.size());
    out.append(raw.substr(0, run));
    raw.remove_prefix(run);
    if (raw.size() < 2) return;
    const char c = raw[1];
    raw.remove_prefix(2);
    switch (c) {
      case 'b': out += '\b'; break;
      case 'f': out += '\f'; break;
      case 'n': out += '\n'; break;
      case 'r': out += '\r'; break;
      case 't': out += '\t'; break;
      case 'u': take_unicode_escape(out, raw); break;
      default: out += c; break;
    }
  }
}

RawMembers::RawMembers(Bytes object) : rest_(object) {
  skip_space(rest_);
  if (!take_character(rest_, '{')) rest_ = {};
}

bool RawMembers::next() {
  skip_space(rest_);
  if (!rest_.starts_with('"')) return false;
  const Bytes quoted = take_value(rest_);
  skip_space(rest_);
  if (quoted.size() < 2 || !take_character(rest_, ':')) return false;
  name_ = quoted.substr(1, quoted.size() - 2);
  skip_space(rest_);
  value_ = take_value(rest_);
  pass_comma(rest_);
  return !value_.empty();
}

bool RawMembers::name_is(std::string_view name) const {
  if (!name_.contains('\\')) return name_ == name;
  std::string unescaped;
  append_unescaped(unescaped, name_);
  return unescaped == name;
}

RawItems::RawItems(Bytes array) : rest_(array) {
  skip_space(rest_);
  if (!take_character(rest_, '[')) rest_ = {};
}

bool RawItems::next() {
  skip_space(rest_);
  if (rest_.starts_with(']')) rest_ = {};
  value_ = take_value(rest_);
  pass_comma(rest_);
  return !value_.empty();
}

std::optional<Bytes> raw_member(Bytes object, std::string_view name) {
  RawMembers members(object);
  while (members.next()) {
    if (members.name_is(name)) return members.value();
  }
  return std::nullopt;
}

bool has_duplicate_names(Bytes object) {
  std::vector<std::string> names;
  RawMembers members(object);
  while (members.next()) append_unescaped(names.emplace_back(), members.name());
  std::ranges::sort(names);
  return std::ranges::adjacent_find(names) != names.end();
}

}  // namespace codec::json
