// SPDX-License-Identifier: Apache-2.0
#include "base/siphash.h"

#include <bit>
#include <cstring>

namespace base {
namespace {

constexpr int kCompressionRounds = 2;
constexpr int kFinalizationRounds = 4;

std::uint64_t load_little_endian(const void* from) {
  std::uint64_t word;
  std::memcpy(&word, from, sizeof word);
  if constexpr (std::endian::native == std::endian::big) word = std::byteswap(word);
  return word;
}

}  // namespace

// The constants are "somepseudorandomlygeneratedbytes"; 0xee marks the 128-bit variant.
SipHash::SipHash(const SipHashKey& key) {
  const std::uint64_t k0 = load_little_endian(key.data());
  const std::uint64_t k1 = load_little_endian(key.data() + 8);
  v0_ = k0 ^ 0x736f6d6570736575;
  v1_ = k1 ^ 0x646f72616e646f6d ^ 0xee;
  v2_ = k0 ^ 0x6c7967656e657261;
  v3_ = k1 ^ 0x7465646279746573;
}

void SipHash::rounds(int count) {
  for (int i = 0; i < count; ++i) {
    v0_ += v1_;
    v2_ += v3_;
    v1_ = std::rotl(v1_, 13) ^ v0_;
    v3_ = std::rotl(v3_, 16) ^ v2_;
    v0_ = std::rotl(v0_, 32);
    v2_ += v1_;
    v0_ += v3_;
    v1_ = std::rotl(v1_, 17) ^ v2_;
    v3_ = std::rotl(v3_, 21) ^ v0_;
    v2_ = std::rotl(v2_, 32);
  }
}

void SipHash::compress(std::uint64_t word) {
  v3_ ^= word;
  rounds(kCompressionRounds);
  v0_ ^= word;
}

void SipHash::update(Bytes bytes) {
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  while (left > 0) {
    if (size_ % 8 == 0 && left >= 8) {
      compress(load_little_endian(at));
      at += 8, left -= 8, size_ += 8;
      continue;
    }
    pending_ |= std::uint64_t{static_cast<unsigned char>(*at)} << (8 * (size_ % 8));
    ++at, --left, ++size_;
    if (size_ % 8 == 0) {
      compress(pending_);
      pending_ = 0;
    }
  }
}

void SipHash::update_field(Bytes bytes) {
  char length[8];
  for (std::size_t i = 0; i < 8; ++i) length[i] = static_cast<char>(std::uint64_t{bytes.size()} >> (8 * i));
  update(Bytes(length, sizeof length));
  update(bytes);
}

Hash128 SipHash::finish() {
  compress(pending_ | size_ << 56);
  v2_ ^= 0xee;
  rounds(kFinalizationRounds);
  Hash128 hash;
  hash.lo = v0_ ^ v1_ ^ v2_ ^ v3_;
  v1_ ^= 0xdd;
  rounds(kFinalizationRounds);
  hash.hi = v0_ ^ v1_ ^ v2_ ^ v3_;
  return hash;
}

Hash128 siphash128(const SipHashKey& key, Bytes bytes) {
  SipHash hash(key);
  hash.update(bytes);
  return hash.finish();
}

}  // namespace base
