// SPDX-License-Identifier: Apache-2.0
#include "engine/cursor.h"

#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <sstream>

#include "base/crc32c.h"
#include "codec/base32hex.h"

namespace engine {
namespace {

struct Vector {
  Cursor cursor;
  const char* token;
};
// Computed by an independent implementation; the same five stand in docs/formats/cursor.md.
constexpr Vector kVectors[] = {
    {{0, 0}, "0000000000000000000000000008pa5"},
    {{1, 1}, "000000000000010000000000001hco0"},
    {{0x0123456789abcdef, 42}, "0028q5cu4qnjff000000000001ascf4"},
    {{0xdeadbeefcafef00d, 1'000'000}, "0dtbdutv5fts0d000000000ugi05j3a"},
    {{~0ull, ~0ull}, "0fvvvvvvvvvvvvfvvvvvvvvvvvvqgeu"},
};

std::string with_check(std::string checked) {
  codec::append_base32hex(checked, base::crc32c(checked) & 0xfffff, 4);
  return checked;
}

TEST(Cursor, has_the_tokens_of_the_vectors) {
  for (const Vector& vector : kVectors) {
    EXPECT_EQ(vector.cursor.token(), vector.token);
    EXPECT_EQ(Cursor::parse(vector.token).value(), vector.cursor);
  }
}

TEST(Cursor, has_its_vectors_in_the_format_document) {
  std::ifstream file(TIDEWIRE_SOURCE_DIR "/docs/formats/cursor.md");
  std::ostringstream document;
  document << file.rdbuf();
  for (const Vector& vector : kVectors) EXPECT_NE(document.str().find(vector.token), std::string::npos) << vector.token;
}

TEST(Cursor, survives_the_way_through_its_token) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 1'000; ++i) {
    const Cursor cursor{random() >> random() % 64, random() >> random() % 64};
    const std::string token = cursor.token();
    EXPECT_EQ(token.size(), kCursorBytes);
    EXPECT_EQ(Cursor::parse(token).value(), cursor);
  }
}

TEST(Cursor, is_appended_behind_what_is_there) {
  std::string out = "id: ";
  Cursor{1, 1}.append_token(out);
  EXPECT_EQ(out, "id: 000000000000010000000000001hco0");
}

TEST(Cursor, sorts_like_its_sequence_within_an_epoch) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 1'000; ++i) {
    const Cursor one{7, random() >> random() % 64}, two{7, random() >> random() % 64};
    EXPECT_EQ(one.token() < two.token(), one.sequence < two.sequence);
  }
}

TEST(Cursor, of_which_any_character_was_changed_is_malformed) {
  const std::string good = kVectors[2].token;
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char c : std::string_view("0123456789abcdefghijklmnopqrstuvwxyz-V=% ")) {
      if (c == good[at]) continue;
      std::string bad = good;
      bad[at] = c;
      EXPECT_FALSE(Cursor::parse(bad).has_value()) << bad;
    }
  }
}

TEST(Cursor, is_malformed_in_another_length_version_or_case) {
  const std::string good = kVectors[3].token;
  std::string upper = good;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  for (const std::string& bad :
       {std::string(), std::string("0"), good.substr(1), good.substr(0, 30), good + "0", ' ' + good, good + "\n", upper,
        with_check("1" + good.substr(1, 26)), std::string(31, '\0')}) {
    const auto parsed = Cursor::parse(bad);
    ASSERT_FALSE(parsed.has_value()) << bad;
    EXPECT_EQ(parsed.error().code, base::Errc::BadInput);
  }
}

TEST(Cursor, is_malformed_with_a_pad_bit_although_the_check_holds) {
  EXPECT_TRUE(Cursor::parse(with_check("0" + std::string("fvvvvvvvvvvvv") + "0000000000001")).has_value());
  EXPECT_FALSE(Cursor::parse(with_check("0" + std::string("gvvvvvvvvvvvv") + "0000000000001")).has_value());
  EXPECT_FALSE(Cursor::parse(with_check("0" + std::string("0000000000001") + "g000000000000")).has_value());
}

TEST(Start, is_a_word_or_a_cursor) {
  EXPECT_EQ(parse_start("earliest").value(), Start(Earliest{}));
  EXPECT_EQ(parse_start("latest").value(), Start(Latest{}));
  EXPECT_EQ(parse_start(kVectors[1].token).value(), Start(Cursor{1, 1}));
  for (const char* bad : {"", "Latest", "earliest ", "0", "2026-01-01"})
    EXPECT_FALSE(parse_start(bad).has_value()) << bad;
}

}  // namespace
}  // namespace engine
