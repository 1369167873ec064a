// SPDX-License-Identifier: Apache-2.0
#include "codec/base32hex.h"

namespace codec {
namespace {

constexpr std::size_t kBitsPerDigit = 5;
constexpr char kDigits[] = "0123456789abcdefghijklmnopqrstuv";

}  // namespace

void append_base32hex(std::string& out, std::uint64_t value, std::size_t digits) {
  CHECK(digits <= kBase32hexDigitsMax, "a 64-bit number has at most 13 digits in base32hex");
  for (std::size_t left = digits; left > 0; --left) out += kDigits[value >> (kBitsPerDigit * (left - 1)) & 31];
}

base::Result<std::uint64_t> parse_base32hex(base::Bytes text) {
  if (text.empty() || text.size() > kBase32hexDigitsMax) {
    return base::fail(base::Errc::BadInput, "base32hex has a wrong number of digits");
  }
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    unsigned digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<unsigned>(c - '0');
    } else if (c >= 'a' && c <= 'v') {
      digit = static_cast<unsigned>(c - 'a') + 10;
    } else {
      return base::fail(base::Errc::BadInput, "base32hex holds a character outside of its alphabet");
    }
    if (i == 0 && text.size() == kBase32hexDigitsMax && digit > 15) {
      return base::fail(base::Errc::BadInput, "base32hex exceeds 64 bits");
    }
    value = value << kBitsPerDigit | digit;
  }
  return value;
}

}  // namespace codec
