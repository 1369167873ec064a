// SPDX-License-Identifier: Apache-2.0
#include "codec/base32hex.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace codec {
namespace {

std::string base32hex(std::uint64_t value, std::size_t digits = kBase32hexDigitsMax) {
  std::string out;
  append_base32hex(out, value, digits);
  return out;
}

TEST(Base32hex, numbers_are_thirteen_digits_with_a_pad_bit) {
  EXPECT_EQ(base32hex(0), "0000000000000");
  EXPECT_EQ(base32hex(1), "0000000000001");
  EXPECT_EQ(base32hex(31), "000000000000v");
  EXPECT_EQ(base32hex(32), "0000000000010");
  EXPECT_EQ(base32hex(0x0123456789abcdef), "028q5cu4qnjff");
  EXPECT_EQ(base32hex(std::numeric_limits<std::uint64_t>::max()), "fvvvvvvvvvvvv");
  EXPECT_EQ(base32hex(0xfffff, 4), "vvvv");
  EXPECT_EQ(base32hex(0x12345678, 4), "8ljo");
}

TEST(Base32hex, numbers_are_read_back_and_texts_sort_like_them) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 2000; ++round) {
    const std::uint64_t a = random() >> (random() % 64);
    const std::uint64_t b = random() >> (random() % 64);
    ASSERT_EQ(parse_base32hex(base32hex(a)).value(), a);
    ASSERT_EQ(base32hex(a) < base32hex(b), a < b);
  }
  EXPECT_EQ(parse_base32hex("vvvv").value(), 0xfffffU);
}

TEST(Base32hex, other_characters_lengths_and_a_set_pad_bit_are_refused) {
  for (const std::string_view text : {"", "00000000000000", "g000000000000", "V", "w", "-1", " 1", "000000000000V"}) {
    EXPECT_FALSE(parse_base32hex(text)) << text;
  }
}

}  // namespace
}  // namespace codec
