// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/codec/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace protocols::http {
namespace {

using testing::ElementsAre;

TEST(Target, decodes_path_and_query) {
  const auto target = Target::parse("/comments/%34%32/l%C3%A4kes?after=0%61&limit=10");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path(), "/comments/42/l\xC3\xA4kes");
  EXPECT_THAT(target->segments(), ElementsAre("comments", "42", "l\xC3\xA4kes"));
  EXPECT_EQ(target->find("after"), "0a");
  EXPECT_EQ(target->find("limit"), "10");
  EXPECT_EQ(target->find("wait"), std::nullopt);
}

TEST(Target, keeps_repeated_parameters_in_order) {
  const auto target = Target::parse("/?channel=b&x&channel=a%2Fc&&y=&channel=d=e");
  ASSERT_TRUE(target);
  std::string seen;
  for (const auto& [name, value, star] : target->query()) seen.append(name).append("=").append(value).append(";");
  EXPECT_EQ(seen, "channel=b;x=;channel=a/c;y=;channel=d=e;");
  EXPECT_EQ(target->count("channel"), 3U);
  EXPECT_EQ(target->find("channel"), "b");
  EXPECT_EQ(target->count("z"), 0U);
}

TEST(Target, a_plus_stays_a_plus) {
  const auto target = Target::parse("/a+b?after=2024-01-01T00:00:00+01:00&b=%2B");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path(), "/a+b");
  EXPECT_EQ(target->find("after"), "2024-01-01T00:00:00+01:00");
  EXPECT_EQ(target->find("b"), "+");
}

TEST(Target, an_absent_path_is_the_root) {
  for (const std::string_view raw : {"", "?a=b", "/", "/?a=b", "/?"}) {
    const auto target = Target::parse(raw);
    ASSERT_TRUE(target) << raw;
    EXPECT_EQ(target->path(), "/") << raw;
    EXPECT_THAT(target->segments(), ElementsAre("")) << raw;
  }
}

TEST(Target, a_second_question_mark_is_content) {
  const auto target = Target::parse("/a?b=c?d");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->find("b"), "c?d");
}

TEST(Target, dot_segments_are_kept_and_told_of) {
  for (const std::string_view raw : {"/..", "/a/../b", "/./a", "/a/.", "/%2e%2E/a", "/a/.%2e"}) {
    const auto target = Target::parse(raw);
    ASSERT_TRUE(target) << raw;
    EXPECT_TRUE(target->has_dot_segment()) << raw;
  }
  EXPECT_EQ(Target::parse("/a/%2E%2e/b")->path(), "/a/../b");
  for (const std::string_view raw : {"/...", "/.a/b..", "/a?b=/../"}) {
    EXPECT_FALSE(Target::parse(raw)->has_dot_segment()) << raw;
  }
}

TEST(Target, an_escaped_star_can_be_told_from_a_wildcard) {
  EXPECT_FALSE(Target::parse("/a/*/b?c=*")->has_escaped_star());
  EXPECT_TRUE(Target::parse("/a/%2A/b")->has_escaped_star());
  EXPECT_TRUE(Target::parse("/a/%2a/b")->has_escaped_star());
  const auto target = Target::parse("/?channel=*&channel=%2a");
  ASSERT_TRUE(target);
  EXPECT_FALSE(target->has_escaped_star());
  EXPECT_FALSE(target->query()[0].escaped_star);
  EXPECT_TRUE(target->query()[1].escaped_star);
  EXPECT_EQ(target->query()[1].value, "*");
}

TEST(Target, an_escape_is_decoded_once) {
  EXPECT_EQ(Target::parse("/%252F")->path(), "/%2F");
  EXPECT_EQ(Target::parse("/%25%32%46")->path(), "/%2F");
  EXPECT_FALSE(Target::parse("/%252A")->has_escaped_star());
}

TEST(Target, broken_and_forbidden_escapes_are_bad_input) {
  for (const std::string_view raw : {"/%",         "/%4",           "/%4g",   "/%g4",  "/a%2",    "/%-1",     "/%2Fa",
                                     "/a%2fb",     "/%00",          "/a%00b", "/%80",  "/%C3",    "/%C3/%A4", "/%C0%AF",
                                     "/%ED%A0%80", "/%F4%90%80%80", "/\xC3",  "/?a=%", "/?%zz=b", "/?a=%00",  "/?a=%FF",
                                     "/?%C3=%A4",  "/a#b",          "/?a#b",  "a",     "*",       "%2F"}) {
    const auto target = Target::parse(raw);
    ASSERT_FALSE(target) << raw;
    EXPECT_EQ(target.error().code, base::Errc::BadInput) << raw;
  }
}

}  // namespace
}  // namespace protocols::http
