// SPDX-License-Identifier: Apache-2.0
#include "codec/utf8.h"

#include <gtest/gtest.h>

namespace codec {
namespace {

TEST(Utf8, every_scalar_value_is_well_formed_and_nothing_else_of_up_to_three_bytes) {
  for (std::uint32_t code = 0; code <= 0x10ffff; ++code) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    std::string text;
    append_utf8(text, code);
    ASSERT_EQ(utf8_character_size(text), text.size());
    ASSERT_EQ(utf8_length(text), 1U);
  }
  std::size_t good = 0;
  for (unsigned first = 0xe0; first < 0xf0; ++first) {
    for (unsigned second = 0; second < 256; ++second) {
      for (unsigned third = 0; third < 256; ++third) {
        good += is_utf8(std::string{char(first), char(second), char(third)}) && second >= 0x80 && third >= 0x80 ? 1 : 0;
      }
    }
  }
  EXPECT_EQ(good, 0x10000U - 0x800U - 0x800U);
}

TEST(Utf8, overlong_forms_surrogates_and_stray_bytes_are_refused_at_every_place) {
  for (const std::string_view bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf",
                                     "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xc3",
                                     "\xe2\x82", "\xf0\x9f\x98", "\xc3\x41", "\xe2\x82\x41"}) {
    for (std::size_t place = 0; place < 20; ++place) {
      EXPECT_FALSE(is_utf8(std::string(place, 'a') + std::string(bad)));
      EXPECT_FALSE(is_utf8(std::string(place, 'a') + std::string(bad) + "tail of text"));
    }
  }
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("plain text, é, €, 😀 and a \xef\xbb\xbf mark"));
}

}  // namespace
}  // namespace codec
