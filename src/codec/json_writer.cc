// SPDX-License-Identifier: Apache-2.0
#include "codec/json_writer.h"

#include <charconv>
#include <cstring>

#include "codec/base64.h"

namespace codec::json {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kHighBits = 0x8080808080808080;

// RFC 8259 section 7: quotation mark, reverse solidus and U+0000 to U+001F.
bool must_escape(char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; }

// The high bit of every byte that equals zero; bytes behind the first such byte may be marked wrongly.
constexpr std::uint64_t zero_bytes(std::uint64_t word) { return (word - kOnes) & ~word & kHighBits; }

// May one of eight bytes need an escape? No false negatives.
bool may_need_escape(const char* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  const std::uint64_t control = (word - kOnes * 0x20) & ~word & kHighBits;
  return (control | zero_bytes(word ^ (kOnes * '"')) | zero_bytes(word ^ (kOnes * '\\'))) != 0;
}

std::size_t clean_run(std::string_view text) {
  std::size_t at = 0;
  while (at + 8 <= text.size() && !may_need_escape(text.data() + at)) at += 8;
  while (at < text.size() && !must_escape(text[at])) ++at;
  return at;
}

void append_escape(std::string& out, char c) {
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  const auto octet = static_cast<unsigned char>(c);
  out += "\\u00";
  out += "0123456789abcdef"[octet >> 4];
  out += "0123456789abcdef"[octet & 15];
}

}  // namespace

void append_escaped(std::string& out, std::string_view text) {
  while (true) {
    const std::size_t run = clean_run(text);
    out.append(text.data(), run);
    if (run == text.size()) return;
    append_escape(out, text[run]);
    text.remove_prefix(run + 1);
  }
}

void append_string(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(out, text);
  out += '"';
}

Writer& Writer::integer(std::int64_t value) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return raw(base::Bytes(buffer, static_cast<std::size_t>(end - buffer)));
}

Writer& Writer::unsigned_integer(std::uint64_t value) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return raw(base::Bytes(buffer, static_cast<std::size_t>(end - buffer)));
}

Writer& Writer::base64(base::Bytes bytes) {
  comma();
  out_ += '"';
  append_base64(out_, bytes);
  out_ += '"';
  return *this;
}

}  // namespace codec::json
