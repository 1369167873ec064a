// SPDX-License-Identifier: Apache-2.0
#include "codec/rfc3339.h"

#include <gtest/gtest.h>

#include <random>

namespace codec {
namespace {

std::string rfc3339(std::int64_t unix_ms) {
  std::string out;
  append_rfc3339(out, unix_ms);
  return out;
}

TEST(Rfc3339, the_examples_of_section_5_8_are_read) {
  EXPECT_EQ(parse_rfc3339("1985-04-12T23:20:50.52Z").value(), (UnixTime{482196050, 520'000'000}));
  EXPECT_EQ(parse_rfc3339("1996-12-19T16:39:57-08:00").value(), parse_rfc3339("1996-12-20T00:39:57Z").value());
  EXPECT_EQ(parse_rfc3339("1937-01-01T12:00:27.87+00:20").value().seconds, -1041337173);
  EXPECT_EQ(parse_rfc3339("1970-01-01t00:00:00.1234567899z").value(), (UnixTime{0, 123'456'789}));
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00-00:00").value(), UnixTime{});
}

TEST(Rfc3339, a_leap_second_is_the_second_that_follows) {
  EXPECT_EQ(parse_rfc3339("1990-12-31T23:59:60Z").value(), parse_rfc3339("1991-01-01T00:00:00Z").value());
  EXPECT_EQ(parse_rfc3339("1990-12-31T15:59:60-08:00").value(), parse_rfc3339("1991-01-01T00:00:00Z").value());
  EXPECT_FALSE(parse_rfc3339("1990-12-31T22:59:60Z"));
  EXPECT_FALSE(parse_rfc3339("1990-12-30T23:59:60Z"));
  EXPECT_FALSE(parse_rfc3339("1990-12-31T23:59:61Z"));
}

TEST(Rfc3339, dates_that_do_not_exist_are_refused) {
  EXPECT_TRUE(parse_rfc3339("2024-02-29T00:00:00Z"));
  EXPECT_TRUE(parse_rfc3339("2000-02-29T00:00:00Z"));
  for (const std::string_view text :
       {"2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2023-04-31T00:00:00Z", "2023-00-01T00:00:00Z",
        "2023-13-01T00:00:00Z", "2023-01-00T00:00:00Z", "2023-01-01T24:00:00Z", "2023-01-01T00:60:00Z",
        "2023-01-01T00:00:00+24:00", "2023-01-01T00:00:00+00:60"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

TEST(Rfc3339, other_forms_are_refused) {
  for (const std::string_view text :
       {"", "2023-01-01", "2023-01-01 00:00:00Z", "2023-01-01T00:00:00", "2023-01-01T00:00Z", "2023-1-01T00:00:00Z",
        "2023-01-01T00:00:00.Z", "2023-01-01T00:00:00,5Z", "2023-01-01T00:00:00+0000", "2023-01-01T00:00:00+00",
        "2023-01-01T00:00:00Z ", " 2023-01-01T00:00:00Z", "20230101T000000Z", "+2023-01-01T00:00:00Z",
        "2023-01-01T00:00:00ZZ", "2023-01-01T00:00:-1Z"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
  const std::string text = "2026-11-23T17:09:47.123+01:00";
  for (std::size_t size = 0; size < text.size(); ++size) EXPECT_FALSE(parse_rfc3339(text.substr(0, size))) << size;
}

TEST(Rfc3339, milliseconds_are_written_in_24_characters) {
  EXPECT_EQ(rfc3339(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(rfc3339(1'795'453'787'123), "2026-11-23T17:09:47.123Z");
  EXPECT_EQ(rfc3339(-1), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(rfc3339(INT64_MIN), "0000-01-01T00:00:00.000Z");
  EXPECT_EQ(rfc3339(INT64_MAX), "9999-12-31T23:59:59.999Z");
}

TEST(Rfc3339, what_is_written_is_read_back) {
  std::mt19937_64 random(9);
  for (int round = 0; round < 5000; ++round) {
    const auto unix_ms = static_cast<std::int64_t>(random() % 315'569'519'999'000) - 62'167'219'200'000;
    ASSERT_EQ(parse_rfc3339(rfc3339(unix_ms)).value().ms(), unix_ms);
  }
}

}  // namespace
}  // namespace codec
