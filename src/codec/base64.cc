// SPDX-License-Identifier: Apache-2.0
#include "codec/base64.h"

#include <array>
#include <cstdint>
#include <string_view>

namespace codec {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNone = 0xff;

constexpr std::array<std::uint8_t, 256> make_values() {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNone);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}

constexpr std::array<std::uint8_t, 256> kValues = make_values();

std::uint32_t octet(base::Bytes bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }

}  // namespace

void append_base64(std::string& out, base::Bytes bytes) {
  const std::size_t before = out.size();
  out.resize(before + base64_size(bytes.size()));
  char* to = out.data() + before;
  std::size_t at = 0;
  for (; at + 3 <= bytes.size(); at += 3) {
    const std::uint32_t group = octet(bytes, at) << 16 | octet(bytes, at + 1) << 8 | octet(bytes, at + 2);
    for (int shift = 18; shift >= 0; shift -= 6) *to++ = kAlphabet[group >> shift & 0x3f];
  }
  const std::size_t left = bytes.size() - at;
  if (left == 0) return;
  const std::uint32_t group = octet(bytes, at) << 16 | (left == 2 ? octet(bytes, at + 1) << 8 : 0);
  *to++ = kAlphabet[group >> 18];
  *to++ = kAlphabet[group >> 12 & 0x3f];
  *to++ = left == 2 ? kAlphabet[group >> 6 & 0x3f] : '=';
  *to++ = '=';
}

base::Result<void> decode_base64(std::string& out, base::Bytes text) {
  if (text.size() % 4 != 0) return base::fail(base::Errc::BadInput, "base64 is not a multiple of four characters");
  const std::size_t before = out.size();
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  const base::Bytes digits = text.substr(0, text.size() - padding);
  out.reserve(before + text.size() / 4 * 3);
  std::uint32_t bits = 0;
  int bit_count = 0;
  for (const char c : digits) {
    const std::uint8_t value = kValues[static_cast<unsigned char>(c)];
    if (value == kNone) {
      out.resize(before);
      return base::fail(base::Errc::BadInput, "base64 holds a character outside of its alphabet");
    }
    bits = bits << 6 | value;
    bit_count += 6;
    if (bit_count < 8) continue;
    bit_count -= 8;
    out += static_cast<char>(bits >> bit_count);
    bits &= (1U << bit_count) - 1;
  }
  if (bits != 0) {
    out.resize(before);
    return base::fail(base::Errc::BadInput, "base64 ends in bits that belong to no byte");
  }
  return {};
}

}  // namespace codec
