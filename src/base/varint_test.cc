// SPDX-License-Identifier: Apache-2.0
#include "base/varint.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace base {
namespace {

std::string uvarint(std::uint64_t value) {
  std::string out;
  append_uvarint(out, value);
  return out;
}

std::string varint(std::int64_t value) {
  std::string out;
  append_varint(out, value);
  return out;
}

std::vector<std::uint64_t> interesting() {
  std::vector<std::uint64_t> values = {0, std::numeric_limits<std::uint64_t>::max()};
  for (int bit = 0; bit < 64; ++bit) {
    const std::uint64_t power = std::uint64_t{1} << bit;
    values.insert(values.end(), {power - 1, power, power + 1});
  }
  return values;
}

TEST(Varint, unsigned_numbers_have_the_bytes_of_leb128) {
  EXPECT_EQ(uvarint(0), std::string(1, '\0'));
  EXPECT_EQ(uvarint(127), "\x7f");
  EXPECT_EQ(uvarint(128), "\x80\x01");
  EXPECT_EQ(uvarint(624485), "\xe5\x8e\x26");
  EXPECT_EQ(uvarint(std::numeric_limits<std::uint64_t>::max()), "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
}

TEST(Varint, signed_numbers_are_zig_zag_coded) {
  EXPECT_EQ(varint(-1), "\x01");
  EXPECT_EQ(varint(1), "\x02");
  EXPECT_EQ(varint(-64), "\x7f");
  EXPECT_EQ(varint(64), "\x80\x01");
  EXPECT_EQ(varint(std::numeric_limits<std::int64_t>::min()), "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
}

TEST(Varint, every_number_is_read_back_and_its_size_is_known) {
  for (const std::uint64_t value : interesting()) {
    const auto as_signed = static_cast<std::int64_t>(value);
    const std::string bytes = uvarint(value) + varint(as_signed) + "rest";
    EXPECT_EQ(uvarint_size(value), uvarint(value).size());
    EXPECT_EQ(varint_size(as_signed), varint(as_signed).size());
    Bytes in = bytes;
    EXPECT_EQ(take_uvarint(in).value(), value);
    EXPECT_EQ(take_varint(in).value(), as_signed);
    EXPECT_EQ(in, "rest");
  }
}

TEST(Varint, no_prefix_of_a_number_is_a_number) {
  for (const std::uint64_t value : interesting()) {
    const std::string bytes = uvarint(value);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      Bytes in = Bytes(bytes).substr(0, size);
      const auto result = take_uvarint(in);
      ASSERT_FALSE(result);
      EXPECT_EQ(result.error().code, Errc::BadInput);
      EXPECT_EQ(in.size(), size);
    }
  }
}

TEST(Varint, more_than_64_bits_are_refused) {
  Bytes too_long = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
  EXPECT_FALSE(take_uvarint(too_long));
  Bytes too_large = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02";
  EXPECT_FALSE(take_uvarint(too_large));
}

TEST(Varint, a_32_bit_number_beyond_its_range_is_refused_and_nothing_is_taken) {
  for (const std::int64_t good : {std::int64_t{INT32_MIN}, std::int64_t{INT32_MAX}, std::int64_t{-1}}) {
    const std::string bytes = varint(good);
    Bytes in = bytes;
    EXPECT_EQ(take_varint32(in).value(), good);
    EXPECT_TRUE(in.empty());
  }
  for (const std::int64_t bad : {std::int64_t{INT32_MIN} - 1, std::int64_t{INT32_MAX} + 1}) {
    const std::string bytes = varint(bad);
    Bytes in = bytes;
    EXPECT_FALSE(take_varint32(in));
    EXPECT_EQ(in, bytes);
  }
}

TEST(Varint, needless_zero_groups_are_accepted) {
  Bytes in("\x81\x80\x00", 3);
  EXPECT_EQ(take_uvarint(in).value(), 1U);
  EXPECT_TRUE(in.empty());
}

}  // namespace
}  // namespace base
