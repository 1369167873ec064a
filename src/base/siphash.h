// SPDX-License-Identifier: Apache-2.0
#pragma once
// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, "SipHash: a fast short-input PRF"): a keyed hash that
// a peer who does not know the key cannot make collide. Values are owned by their user, any thread; no allocation.
//
// For several fields use SipHash::update_field, which puts the length in front: ("a", "bc") and ("ab", "c") differ.
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "base/bytes.h"

namespace base {

struct Hash128 {
  std::uint64_t lo = 0;  // octets 0 to 7 of the standard output, little-endian
  std::uint64_t hi = 0;  // octets 8 to 15

  bool operator==(const Hash128&) const = default;
};

using SipHashKey = std::array<std::uint8_t, 16>;

class SipHash final {
 public:
  explicit SipHash(const SipHashKey& key);

  void update(Bytes);        // the same as the octets in one piece
  void update_field(Bytes);  // 64-bit little-endian length, then the octets
  Hash128 finish();          // once; nothing may be added afterwards

 private:
  void compress(std::uint64_t word);
  void rounds(int count);

  std::uint64_t v0_, v1_, v2_, v3_;
  std::uint64_t pending_ = 0;  // the size_ % 8 octets that do not fill a word yet
  std::uint64_t size_ = 0;
};

Hash128 siphash128(const SipHashKey& key, Bytes);

}  // namespace base

template <>
struct std::hash<base::Hash128> {
  std::size_t operator()(const base::Hash128& value) const noexcept { return value.lo; }
};
