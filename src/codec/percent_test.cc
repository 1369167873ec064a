// SPDX-License-Identifier: Apache-2.0
#include "codec/percent.h"

#include <gtest/gtest.h>

namespace codec {
namespace {

TEST(Percent, escapes_are_decoded_and_broken_ones_refused) {
  std::string out = "x";
  EXPECT_TRUE(decode_percent(out, "a%20b%C3%a9+%2Fc%00"));
  EXPECT_EQ(out, std::string("xa b\xc3\xa9+/c\0", 10));
  for (const std::string_view text : {"%", "a%2", "%g0", "%0g", "abc%%20", "%+1"}) {
    out = "before";
    EXPECT_FALSE(decode_percent(out, text)) << text;
    EXPECT_EQ(out, "before");
  }
}

TEST(Percent, what_is_encoded_depends_on_where_it_goes) {
  const std::string text = "a-z/:@?#% \"\xc3\xa9~{}";
  const auto encoded = [&](PercentKeep keep) {
    std::string out;
    append_percent_encoded(out, text, keep);
    std::string back;
    EXPECT_TRUE(decode_percent(back, out));
    EXPECT_EQ(back, text);
    return out;
  };
  EXPECT_EQ(encoded(PercentKeep::Unreserved), "a-z%2F%3A%40%3F%23%25%20%22%C3%A9~%7B%7D");
  EXPECT_EQ(encoded(PercentKeep::Path), "a-z/:@%3F%23%25%20%22%C3%A9~%7B%7D");
  EXPECT_EQ(encoded(PercentKeep::HeaderValue), "a-z/:@?#%25%20%22%C3%A9~{}");
}

}  // namespace
}  // namespace codec
