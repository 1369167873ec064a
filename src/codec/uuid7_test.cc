// SPDX-License-Identifier: Apache-2.0
#include "codec/uuid7.h"

#include <gtest/gtest.h>

namespace codec {
namespace {

// RFC 9562 appendix A.6.
TEST(Uuid7, gives_the_example_of_rfc_9562) {
  std::string out = "x";
  append_uuid7(out, 0x017f22e279b0, {0x0c, 0xc3, 0xd8, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f});
  EXPECT_EQ(out, "x017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

TEST(Uuid7, version_and_variant_do_not_depend_on_the_random_bits) {
  for (const std::uint8_t fill : {std::uint8_t{0x00}, std::uint8_t{0xff}}) {
    std::array<std::uint8_t, 10> random;
    random.fill(fill);
    std::string out;
    append_uuid7(out, 0, random);
    EXPECT_EQ(out.size(), kUuidChars);
    EXPECT_EQ(out[14], '7');
    EXPECT_TRUE(out[19] == '8' || out[19] == 'b');
  }
}

}  // namespace
}  // namespace codec
