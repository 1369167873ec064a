// SPDX-License-Identifier: Apache-2.0
#include "codec/utf8.h"

#include <cstring>

#include "base/result.h"

namespace codec {
namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080;

bool is_tail(base::Bytes bytes, std::size_t at) { return (static_cast<unsigned char>(bytes[at]) & 0xc0) == 0x80; }

// The second byte carries what makes a form overlong, a surrogate or too large; all others are 80..BF.
bool is_second(unsigned char first, unsigned char second) {
  switch (first) {
    case 0xe0: return second >= 0xa0 && second <= 0xbf;
    case 0xed: return second >= 0x80 && second <= 0x9f;
    case 0xf0: return second >= 0x90 && second <= 0xbf;
    case 0xf4: return second >= 0x80 && second <= 0x8f;
    default: return second >= 0x80 && second <= 0xbf;
  }
}

}  // namespace

std::size_t utf8_character_size(base::Bytes bytes) {
  if (bytes.empty()) return 0;
  const auto first = static_cast<unsigned char>(bytes[0]);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const std::size_t size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (bytes.size() < size || !is_second(first, static_cast<unsigned char>(bytes[1]))) return 0;
  for (std::size_t i = 2; i < size; ++i) {
    if (!is_tail(bytes, i)) return 0;
  }
  return size;
}

bool is_utf8(base::Bytes bytes) {
  while (!bytes.empty()) {
    while (bytes.size() >= 8) {
      std::uint64_t word;
      std::memcpy(&word, bytes.data(), sizeof word);
      if ((word & kHighBits) != 0) break;
      bytes.remove_prefix(8);
    }
    while (!bytes.empty() && static_cast<unsigned char>(bytes[0]) < 0x80) bytes.remove_prefix(1);
    while (!bytes.empty() && static_cast<unsigned char>(bytes[0]) >= 0x80) {
      const std::size_t size = utf8_character_size(bytes);
      if (size == 0) return false;
      bytes.remove_prefix(size);
    }
  }
  return true;
}

std::size_t utf8_length(base::Bytes bytes) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) length += is_tail(bytes, i) ? 0 : 1;
  return length;
}

void append_utf8(std::string& out, std::uint32_t code_point) {
  CHECK(code_point <= 0x10ffff && (code_point < 0xd800 || code_point > 0xdfff), "not a Unicode scalar value");
  const auto tail = [code_point](int shift) { return static_cast<char>(0x80 | (code_point >> shift & 0x3f)); };
  if (code_point < 0x80) {
    out += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    out += {static_cast<char>(0xc0 | code_point >> 6), tail(0)};
  } else if (code_point < 0x10000) {
    out += {static_cast<char>(0xe0 | code_point >> 12), tail(6), tail(0)};
  } else {
    out += {static_cast<char>(0xf0 | code_point >> 18), tail(12), tail(6), tail(0)};
  }
}

}  // namespace codec
