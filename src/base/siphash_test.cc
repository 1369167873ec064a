// SPDX-License-Identifier: Apache-2.0
#include "base/siphash.h"

#include <gtest/gtest.h>

#include <string>
#include <unordered_set>

namespace base {
namespace {

constexpr SipHashKey kKey = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

std::string rising(std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(i);
  return bytes;
}

std::string hex(const Hash128& hash) {
  std::string out;
  for (const std::uint64_t half : {hash.lo, hash.hi}) {
    for (int shift = 0; shift < 64; shift += 4) out += "0123456789ABCDEF"[half >> (shift ^ 4) & 15];
  }
  return out;
}

// As printed by `openssl mac -macopt hexkey:000102030405060708090a0b0c0d0e0f -macopt size:16 -in FILE SIPHASH`.
TEST(SipHash, gives_the_reference_values) {
  EXPECT_EQ(hex(siphash128(kKey, rising(0))), "A3817F04BA25A8E66DF67214C7550293");
  EXPECT_EQ(hex(siphash128(kKey, rising(1))), "DA87C1D86B99AF44347659119B22FC45");
  EXPECT_EQ(hex(siphash128(kKey, rising(7))), "A1F1EBBED8DBC153C0B84AA61FF08239");
  EXPECT_EQ(hex(siphash128(kKey, rising(8))), "3B62A9BA6258F5610F83E264F31497B4");
  EXPECT_EQ(hex(siphash128(kKey, rising(15))), "5493E99933B0A8117E08EC0F97CFC3D9");
  EXPECT_EQ(hex(siphash128(kKey, rising(16))), "6EE2A4CA67B054BBFD3315BF85230577");
  EXPECT_EQ(hex(siphash128(kKey, rising(63))), "5150D1772F50834A503E069A973FBD7C");
}

TEST(SipHash, pieces_of_any_size_hash_like_the_whole) {
  const std::string text = rising(40);
  for (std::size_t first = 0; first <= text.size(); ++first) {
    for (std::size_t second = first; second <= text.size(); ++second) {
      SipHash hash(kKey);
      hash.update(Bytes(text).substr(0, first));
      hash.update(Bytes(text).substr(first, second - first));
      hash.update(Bytes(text).substr(second));
      ASSERT_EQ(hash.finish(), siphash128(kKey, text)) << first << ' ' << second;
    }
  }
}

TEST(SipHash, fields_that_are_cut_elsewhere_differ) {
  SipHash left(kKey);
  left.update_field("a");
  left.update_field("bc");
  SipHash right(kKey);
  right.update_field("ab");
  right.update_field("c");
  EXPECT_NE(left.finish(), right.finish());
}

TEST(SipHash, another_key_gives_another_hash) {
  SipHashKey other = kKey;
  other[15] ^= 1;
  EXPECT_NE(siphash128(kKey, "event"), siphash128(other, "event"));
}

TEST(SipHash, a_hash_is_the_key_of_an_unordered_set) {
  std::unordered_set<Hash128> seen;
  for (std::size_t size = 0; size < 64; ++size) EXPECT_TRUE(seen.insert(siphash128(kKey, rising(size))).second);
  EXPECT_TRUE(seen.contains(siphash128(kKey, rising(5))));
}

}  // namespace
}  // namespace base
