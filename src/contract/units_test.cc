// SPDX-License-Identifier: Apache-2.0
#include "contract/units.h"

#include <gtest/gtest.h>

namespace contract {
namespace {

TEST(Units, reads_durations_as_people_write_them) {
  EXPECT_EQ(parse_duration_ms("250ms"), 250);
  EXPECT_EQ(parse_duration_ms("2s"), 2'000);
  EXPECT_EQ(parse_duration_ms("15m"), 900'000);
  EXPECT_EQ(parse_duration_ms("12h"), 43'200'000);
  EXPECT_EQ(parse_duration_ms("7d"), 604'800'000);
  EXPECT_EQ(parse_duration_ms("0s"), 0);
}

TEST(Units, reads_iso_durations) {
  EXPECT_EQ(parse_duration_ms("P7D"), 604'800'000);
  EXPECT_EQ(parse_duration_ms("P2W"), 1'209'600'000);
  EXPECT_EQ(parse_duration_ms("PT12H30M"), 45'000'000);
  EXPECT_EQ(parse_duration_ms("P1DT1S"), 86'401'000);
  EXPECT_EQ(parse_duration_ms("PT0.5S"), 500);
  EXPECT_EQ(parse_duration_ms("PT1,0259S"), 1'025);
  EXPECT_EQ(parse_duration_ms("PT15M"), 900'000);
}

TEST(Units, refuses_what_is_no_duration) {
  for (const char* text :
       {"",    "7",   "d",      "7 d", "7D",   "-7d",    "1.5h",  "7dd",   "P",      "PT",  "P1DT", "P7",   "PD",
        "P1M", "P1Y", "PT1M1H", "P1H", "PT1D", "PT1S1S", "PT.5S", "PT1.S", "PT1.5M", "p7d", "P-7D", "PTT1S"}) {
    const auto parsed = parse_duration_ms(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, base::Errc::BadInput) << text;
  }
}

TEST(Units, refuses_durations_that_do_not_fit) {
  EXPECT_EQ(parse_duration_ms("9223372036854775806ms"), 9223372036854775806);
  for (const char* text : {"9223372036854775807ms", "99999999999999999999s", "106751991168d", "P15250284453W",
                           "P106751991167DT99999999H"}) {
    const auto parsed = parse_duration_ms(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, base::Errc::TooLarge) << text;
  }
}

TEST(Units, reads_sizes) {
  EXPECT_EQ(parse_size_bytes("0"), 0u);
  EXPECT_EQ(parse_size_bytes("1000"), 1'000u);
  EXPECT_EQ(parse_size_bytes("1000B"), 1'000u);
  EXPECT_EQ(parse_size_bytes("64KiB"), 65'536u);
  EXPECT_EQ(parse_size_bytes("8MiB"), 8u << 20);
  EXPECT_EQ(parse_size_bytes("10GiB"), 10ull << 30);
  EXPECT_EQ(parse_size_bytes("1TiB"), 1ull << 40);
}

TEST(Units, refuses_what_is_no_size) {
  for (const char* text : {"", "KiB", "64KB", "64 KiB", "64kib", "-1", "1.5GiB", "64KiBx", "0x10"}) {
    const auto parsed = parse_size_bytes(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, base::Errc::BadInput) << text;
  }
  EXPECT_EQ(parse_size_bytes("18446744073709551615").error().code, base::Errc::TooLarge);
  EXPECT_EQ(parse_size_bytes("16777216TiB").error().code, base::Errc::TooLarge);
}

}  // namespace
}  // namespace contract
