// SPDX-License-Identifier: Apache-2.0
#include "codec/base64.h"

#include <gtest/gtest.h>

#include <random>

namespace codec {
namespace {

std::string base64(base::Bytes bytes) {
  std::string out;
  append_base64(out, bytes);
  return out;
}

TEST(Base64, gives_the_vectors_of_rfc_4648) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
  EXPECT_EQ(base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xfb\xff"), "+/8=");
}

TEST(Base64, everything_is_read_back) {
  std::mt19937 random(3);
  for (std::size_t size = 0; size < 200; ++size) {
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    std::string out = "x";
    ASSERT_TRUE(decode_base64(out, base64(bytes)));
    ASSERT_EQ(out, "x" + bytes);
    ASSERT_EQ(base64(bytes).size(), base64_size(size));
  }
}

TEST(Base64, what_an_encoder_does_not_write_is_refused) {
  for (const std::string_view text :
       {"Zg", "Zg=", "Z", "Zh==", "Zm9=", "Zg==Zg==", "Zm 9", "Zm9v\n", "====", "Z===", "Zm-_", "=Zg=", "Zg=\0"}) {
    std::string out = "before";
    EXPECT_FALSE(decode_base64(out, text)) << text;
    EXPECT_EQ(out, "before");
  }
}

}  // namespace
}  // namespace codec
