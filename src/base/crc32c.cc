// SPDX-License-Identifier: Apache-2.0
#include "base/crc32c.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace base {
namespace {

constexpr std::uint32_t kPolynomialReflected = 0x82f63b78;
constexpr std::size_t kSlices = 8;
constexpr std::size_t kLongStretchBytes = 2048;  // of which three are checked at once
constexpr std::size_t kShortStretchBytes = 128;

using Tables = std::array<std::array<std::uint32_t, 256>, kSlices>;

// tables[k][b] is the effect of byte b followed by k zero bytes.
constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomialReflected : 0);
    tables[0][byte] = crc;
  }
  for (std::size_t slice = 1; slice < kSlices; ++slice) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[slice - 1][byte];
      tables[slice][byte] = (before >> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

std::uint64_t load_little_endian(const char* from) {
  std::uint64_t word;
  std::memcpy(&word, from, sizeof word);
  if constexpr (std::endian::native == std::endian::big) word = std::byteswap(word);
  return word;
}

#if defined(__x86_64__)

// x^n modulo the polynomial, reflected: the highest bit is x^0.
constexpr std::uint32_t power_of_x(std::size_t n) {
  std::uint32_t power = 0x80000000;
  for (std::size_t i = 0; i < n; ++i) power = (power >> 1) ^ ((power & 1) != 0 ? kPolynomialReflected : 0);
  return power;
}

// The checksum state after `Zeros` more zero bytes: a product with x^(8 * Zeros). The product of two reflected numbers
// is one bit short, and the instruction that reduces it multiplies by x^32.
template <std::size_t Zeros>
[[gnu::target("sse4.2,pclmul")]] std::uint64_t shift(std::uint64_t crc) {
  constexpr std::uint32_t kFactor = power_of_x(8 * Zeros - 33);
  const __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<long long>(crc)),
                                               _mm_cvtsi64_si128(static_cast<long long>(kFactor)), 0);
  return _mm_crc32_u64(0, static_cast<std::uint64_t>(_mm_cvtsi128_si64(product)));
}

// The instruction takes three cycles and can begin in each: three neighbouring stretches at once, and then their sum
// ("Fast CRC Computation for iSCSI Polynomial Using CRC32 Instruction", Gopal and others, 2011).
template <std::size_t Stretch>
[[gnu::target("sse4.2,pclmul")]] std::uint64_t three_at_once(std::uint64_t crc, const char*& at, std::size_t& left) {
  for (; left >= 3 * Stretch; left -= 3 * Stretch, at += 3 * Stretch) {
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (std::size_t i = 0; i < Stretch; i += 8) {
      crc = _mm_crc32_u64(crc, load_little_endian(at + i));
      second = _mm_crc32_u64(second, load_little_endian(at + Stretch + i));
      third = _mm_crc32_u64(third, load_little_endian(at + 2 * Stretch + i));
    }
    crc = shift<2 * Stretch>(crc) ^ shift<Stretch>(second) ^ third;
  }
  return crc;
}

[[gnu::target("sse4.2,pclmul")]] std::uint32_t crc32c_instruction(Bytes bytes, std::uint32_t seed) {
  std::uint64_t crc = static_cast<std::uint32_t>(~seed);
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  crc = three_at_once<kLongStretchBytes>(crc, at, left);
  crc = three_at_once<kShortStretchBytes>(crc, at, left);
  for (; left >= 8; left -= 8, at += 8) crc = _mm_crc32_u64(crc, load_little_endian(at));
  auto narrow = static_cast<std::uint32_t>(crc);
  for (; left > 0; --left, ++at) narrow = _mm_crc32_u8(narrow, static_cast<unsigned char>(*at));
  return ~narrow;
}

bool has_instructions() { return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul"); }
#endif

}  // namespace

std::uint32_t crc32c_portable(Bytes bytes, std::uint32_t seed) {
  std::uint32_t crc = ~seed;
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    const std::uint64_t word = load_little_endian(at) ^ crc;
    crc = 0;
    for (std::size_t i = 0; i < kSlices; ++i) crc ^= kTables[kSlices - 1 - i][(word >> (8 * i)) & 0xff];
  }
  for (; left > 0; --left, ++at) crc = (crc >> 8) ^ kTables[0][(crc ^ static_cast<unsigned char>(*at)) & 0xff];
  return ~crc;
}

std::uint32_t crc32c(Bytes bytes, std::uint32_t seed) {
#if defined(__x86_64__)
  if (has_instructions()) return crc32c_instruction(bytes, seed);
#endif
  return crc32c_portable(bytes, seed);
}

}  // namespace base
