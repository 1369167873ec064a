// SPDX-License-Identifier: Apache-2.0
#include "codec/uuid7.h"

#include <algorithm>

namespace codec {

void append_uuid7(std::string& out, std::int64_t unix_ms, const std::array<std::uint8_t, 10>& random) {
  std::array<std::uint8_t, 16> octets;
  for (std::size_t i = 0; i < 6; ++i) octets[i] = static_cast<std::uint8_t>(unix_ms >> (8 * (5 - i)));
  std::copy(random.begin(), random.end(), octets.begin() + 6);
  octets[6] = static_cast<std::uint8_t>((octets[6] & 0x0f) | 0x70);  // version 7
  octets[8] = static_cast<std::uint8_t>((octets[8] & 0x3f) | 0x80);  // variant 10
  for (std::size_t i = 0; i < octets.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += "0123456789abcdef"[octets[i] >> 4];
    out += "0123456789abcdef"[octets[i] & 15];
  }
}

}  // namespace codec
