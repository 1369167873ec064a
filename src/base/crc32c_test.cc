// SPDX-License-Identifier: Apache-2.0
#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace base {
namespace {

// RFC 3720 appendix B.4 prints the checksums as octets in transmission order, least significant first.
TEST(Crc32c, gives_the_vectors_of_rfc_3720) {
  std::string rising;
  for (int i = 0; i < 32; ++i) rising += static_cast<char>(i);
  const std::string falling(rising.rbegin(), rising.rend());
  const std::string read10 = {0x01, char(0xc0), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,    0, 0, 0, 0,
                              0x14, 0,          0, 0, 0, 0, 4, 0, 0, 0, 0, 0x14, 0, 0, 0, 0x18,
                              0x28, 0,          0, 0, 0, 0, 0, 0, 2, 0, 0, 0,    0, 0, 0, 0};
  for (const auto function : {&crc32c, &crc32c_portable}) {
    EXPECT_EQ(function(std::string(32, '\0'), 0), 0x8a9136aaU);
    EXPECT_EQ(function(std::string(32, '\xff'), 0), 0x62a8ab43U);
    EXPECT_EQ(function(rising, 0), 0x46dd794eU);
    EXPECT_EQ(function(falling, 0), 0x113fdb5cU);
    EXPECT_EQ(function(read10, 0), 0xd9963a56U);
    EXPECT_EQ(function("123456789", 0), 0xe3069283U);
    EXPECT_EQ(function("", 0), 0U);
  }
}

TEST(Crc32c, the_instruction_and_the_portable_twin_agree_at_every_size_and_alignment) {
  std::mt19937 random(7);
  std::string pool(1 << 14, '\0');
  for (char& c : pool) c = static_cast<char>(random());
  for (std::uint32_t start = 0; start < 16; ++start) {
    for (std::size_t size = 0; size < 300; ++size) {
      const Bytes part = Bytes(pool).substr(start, size);
      ASSERT_EQ(crc32c(part, start), crc32c_portable(part, start)) << start << "+" << size;
    }
  }
  for (int round = 0; round < 500; ++round) {
    const Bytes part = Bytes(pool).substr(random() % 4096, random() % 8192);
    const auto seed = static_cast<std::uint32_t>(random());
    ASSERT_EQ(crc32c(part, seed), crc32c_portable(part, seed));
  }
}

TEST(Crc32c, a_checksum_goes_on_where_the_seed_ended) {
  const Bytes text = "the quick brown fox jumps over the lazy dog";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    EXPECT_EQ(crc32c(text.substr(cut), crc32c(text.substr(0, cut))), crc32c(text));
    EXPECT_EQ(crc32c_portable(text.substr(cut), crc32c_portable(text.substr(0, cut))), crc32c(text));
  }
}

TEST(Crc32c, another_seed_gives_another_checksum) { EXPECT_NE(crc32c("event", 1), crc32c("event", 2)); }

}  // namespace
}  // namespace base
