// SPDX-License-Identifier: Apache-2.0
#include "base/varint.h"

#include <limits>

namespace base {

void append_uvarint(std::string& out, std::uint64_t value) {
  char buffer[kVarintBytesMax];
  std::size_t size = 0;
  for (; value >= 0x80; value >>= 7) buffer[size++] = static_cast<char>(value | 0x80);
  buffer[size++] = static_cast<char>(value);
  out.append(buffer, size);
}

void append_varint(std::string& out, std::int64_t value) { append_uvarint(out, zigzag(value)); }

namespace detail {

Result<std::uint64_t> take_long_uvarint(Bytes& in) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (i == kVarintBytesMax) return fail(Errc::BadInput, "a varint is longer than ten bytes");
    const auto byte = static_cast<std::uint8_t>(in[i]);
    if (i == kVarintBytesMax - 1 && byte > 1) return fail(Errc::BadInput, "a varint exceeds 64 bits");
    value |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      in.remove_prefix(i + 1);
      return value;
    }
  }
  return fail(Errc::BadInput, "a varint ends early");
}

Result<std::int32_t> take_long_varint32(Bytes& in) {
  Bytes rest = in;
  const std::int64_t value = TRY(take_varint(rest));
  if (value < std::numeric_limits<std::int32_t>::min() || value > std::numeric_limits<std::int32_t>::max()) {
    return fail(Errc::BadInput, "a varint exceeds 32 bits");
  }
  in = rest;
  return static_cast<std::int32_t>(value);
}

}  // namespace detail
}  // namespace base
