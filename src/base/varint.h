// SPDX-License-Identifier: Apache-2.0
#pragma once
// Integers of variable length: unsigned LEB128, and the zig-zag form of it that Kafka records use.
//
// Pure functions, any thread. Appending never fails. Taking removes the number from the front of `in`; on an error
// `in` is unchanged. A number is at most ten bytes; a longer one, or one beyond 64 bits, is Errc::BadInput. Needless
// trailing zero groups are accepted, as Kafka accepts them.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace base {

inline constexpr std::size_t kVarintBytesMax = 10;

// Small numbers map to small codes whatever their sign: 0, -1, 1, -2 become 0, 1, 2, 3.
constexpr std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t code) {
  return static_cast<std::int64_t>((code >> 1) ^ (~(code & 1) + 1));
}

// The number of bytes that append_uvarint writes.
constexpr std::size_t uvarint_size(std::uint64_t value) {
  std::size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}
constexpr std::size_t varint_size(std::int64_t value) { return uvarint_size(zigzag(value)); }

void append_uvarint(std::string& out, std::uint64_t value);
void append_varint(std::string& out, std::int64_t value);  // zig-zag

namespace detail {
Result<std::uint64_t> take_long_uvarint(Bytes& in);
Result<std::int32_t> take_long_varint32(Bytes& in);
}  // namespace detail

// Most numbers in a record are one byte, so that case is decided in place.
inline Result<std::uint64_t> take_uvarint(Bytes& in) {
  if (in.empty() || static_cast<std::uint8_t>(in.front()) >= 0x80) return detail::take_long_uvarint(in);
  const auto value = static_cast<std::uint8_t>(in.front());
  in.remove_prefix(1);
  return value;
}

inline Result<std::int64_t> take_varint(Bytes& in) {  // zig-zag
  const Result<std::uint64_t> code = take_uvarint(in);
  if (!code) return std::unexpected(code.error());
  return unzigzag(*code);
}

inline Result<std::int32_t> take_varint32(Bytes& in) {  // zig-zag; beyond 32 bits is Errc::BadInput
  if (in.empty() || static_cast<std::uint8_t>(in.front()) >= 0x80) return detail::take_long_varint32(in);
  const auto value = static_cast<std::int32_t>(unzigzag(static_cast<std::uint8_t>(in.front())));
  in.remove_prefix(1);
  return value;
}

}  // namespace base
