// SPDX-License-Identifier: Apache-2.0
#include "codec/http_date.h"

#include <gtest/gtest.h>

#include <random>

namespace codec {
namespace {

std::string http_date(std::int64_t unix_seconds) {
  std::string out;
  append_http_date(out, unix_seconds);
  return out;
}

TEST(HttpDate, the_example_of_rfc_9110_is_written_and_read) {
  EXPECT_EQ(http_date(784'111'777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").value(), 784'111'777);
  EXPECT_EQ(http_date(INT64_MIN), "Sat, 01 Jan 0000 00:00:00 GMT");
  EXPECT_EQ(http_date(INT64_MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
}

TEST(HttpDate, what_is_written_is_read_back) {
  std::mt19937_64 random(9);
  for (int round = 0; round < 5000; ++round) {
    const auto unix_seconds = static_cast<std::int64_t>(random() % 315'569'520'000) - 62'167'219'200;
    ASSERT_EQ(parse_http_date(http_date(unix_seconds)).value(), unix_seconds);
  }
}

TEST(HttpDate, anything_else_is_refused) {
  for (const std::string_view text :
       {"", "Mon, 06 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 31 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994", "Sun, 06 anF 1994 08:49:37 GMT", "Sun, 06 Nov 19x4 08:49:37 GMT",
        "Sun,_06 Nov 1994 08:49:37 GMT", "Sun, 06 Xxx 1994 08:49:37 GMT"}) {
    EXPECT_FALSE(parse_http_date(text)) << text;
  }
}

}  // namespace
}  // namespace codec
