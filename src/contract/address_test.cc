// SPDX-License-Identifier: Apache-2.0
#include "contract/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace contract {
namespace {

using testing::ElementsAre;
using Values = std::vector<std::string_view>;

AddressTemplate parsed(std::string_view text) {
  auto address = AddressTemplate::parse(text);
  EXPECT_TRUE(address) << text << ": " << (address ? "" : address.error().text);
  return *address;
}

// The values joined by '|', or "no".
std::string match(std::string_view pattern, std::string_view address, Wildcards wildcards = Wildcards::Refuse) {
  const AddressTemplate parsed_pattern = parsed(pattern);
  const auto values = parsed_pattern.match(address, wildcards);
  if (!values) return "no";
  std::string out;
  for (const std::string_view value : *values) out += std::string(value) + "|";
  return out;
}

base::Errc refusal(std::string_view text) {
  const auto address = AddressTemplate::parse(text);
  EXPECT_FALSE(address) << text;
  return address ? base::Errc::System : address.error().code;
}

TEST(Address, has_parameters_segments_and_an_identity) {
  const AddressTemplate address = parsed("/comments/{commentId}/likes-{a}.{b}");
  EXPECT_EQ(address.text(), "comments/{commentId}/likes-{a}.{b}");
  EXPECT_EQ(address.identity(), "comments/*/likes-*.*");
  EXPECT_THAT(address.parameters(), ElementsAre("commentId", "a", "b"));
  ASSERT_EQ(address.segments().size(), 3u);
  EXPECT_EQ(address.segments()[0].kind(), Segment::Kind::Literal);
  EXPECT_EQ(address.segments()[1].kind(), Segment::Kind::Whole);
  EXPECT_EQ(address.segments()[2].kind(), Segment::Kind::Mixed);
}

TEST(Address, drops_exactly_one_leading_slash) {
  EXPECT_EQ(parsed("/a").text(), "a");
  EXPECT_EQ(parsed("//a").text(), "/a");
  EXPECT_EQ(match("a", "/a"), "");
  EXPECT_EQ(match("a", "a"), "");
  EXPECT_EQ(match("a", "//a"), "no");
  EXPECT_EQ(match("/", ""), "");
  EXPECT_EQ(match("/", "/"), "");
  EXPECT_EQ(match("/", "//"), "no");
}

TEST(Address, refuses_templates_that_cannot_be_served) {
  for (const char* text : {"a/{",      "a/}",     "{}",      "{a b}",   "{a/b}",         "{a{b}}", "a?b",    "a#b",
                           "a*",       "*",       "a\tb",    "a\x7f",   "a\xc2\x85",     ".",      "a/../b", "{a}{b}",
                           "x{a}{b}y", "{a}/{a}", "{a}-{a}", "caf\xe9", "{caf\xc3\xa9}", "a}{b"}) {
    EXPECT_EQ(refusal(text), base::Errc::BadInput) << text;
  }
}

TEST(Address, accepts_what_looks_strange_but_is_an_address) {
  for (const char* text : {"", "/", "https://example.com/books/{id}", "a//b", "a/", "...", ".a", "{a}.", "caf\xc3\xa9",
                           "a b", "%7B", "$SYS/x", "{a}-{b}_{c}"}) {
    EXPECT_TRUE(AddressTemplate::parse(text)) << text;
  }
}

TEST(Address, has_at_most_1_kib_and_8_parameters) {
  EXPECT_TRUE(AddressTemplate::parse("/" + std::string(1'024, 'a')));
  EXPECT_EQ(refusal(std::string(1'025, 'a')), base::Errc::TooLarge);
  EXPECT_TRUE(AddressTemplate::parse("{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}"));
  EXPECT_EQ(refusal("{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}"), base::Errc::TooLarge);
  EXPECT_EQ(match(std::string(1'020, 'a') + "{x}", std::string(1'024, 'a')), "aaaa|");
  EXPECT_EQ(match(std::string(1'020, 'a') + "{x}", std::string(1'025, 'a')), "no");
}

TEST(Address, a_parameter_is_one_whole_segment) {
  EXPECT_EQ(match("comments/{id}/likes", "comments/42/likes"), "42|");
  EXPECT_EQ(match("comments/{id}/likes", "comments/42"), "no");
  EXPECT_EQ(match("comments/{id}/likes", "comments/42/likes/x"), "no");
  EXPECT_EQ(match("comments/{id}/likes", "comments//likes"), "no");
  EXPECT_EQ(match("comments/{id}/likes", "comments/4/2/likes"), "no");
  EXPECT_EQ(match("{id}", "caf\xc3\xa9 %41"), "caf\xc3\xa9 %41|");
}

TEST(Address, refuses_values_that_are_none) {
  for (const char* value : {"", ".", "..", "a*", "{", "}", "a?b", "a#b", "\x01", "a\x7f", "\xc2\x80", "\xff", "a/b"}) {
    EXPECT_FALSE(is_parameter_value(value)) << value;
    EXPECT_EQ(match("a/{id}", "a/" + std::string(value)), "no") << value;
  }
  EXPECT_TRUE(is_parameter_value("..."));
  EXPECT_TRUE(is_parameter_value("\xc2\xa0"));
  EXPECT_TRUE(is_parameter_value(std::string(256, 'a')));
  EXPECT_FALSE(is_parameter_value(std::string(257, 'a')));
  EXPECT_EQ(match("{id}", std::string(257, 'a')), "no");
}

TEST(Address, parameters_inside_a_segment_match_shortest) {
  EXPECT_EQ(match("{a}-{b}", "x-y-z"), "x|y-z|");
  EXPECT_EQ(match("{a}-{b}", "-y-z"), "-y|z|");  // a value has a byte at least
  EXPECT_EQ(match("{a}-{b}", "x-"), "no");
  EXPECT_EQ(match("{a}-{b}", "xy"), "no");
  EXPECT_EQ(match("{a}.json", "x.json.json"), "x.json|");
  EXPECT_EQ(match("v{major}.{minor}.x", "v1.2.3.x"), "1|2.3|");
  EXPECT_EQ(match("v{major}.{minor}.x", "v1..x"), "no");
  EXPECT_EQ(match("a{x}a", "aa"), "no");
  EXPECT_EQ(match("a{x}a", "aba"), "b|");
  EXPECT_EQ(match("adeo-{env}-COSTING-{version}", "adeo-dev-COSTING-v1"), "dev|v1|");
  EXPECT_EQ(match("{a}-{b}", ".-x"), "no");
}

TEST(Address, a_star_stands_for_a_whole_parameter_in_subscriptions_only) {
  EXPECT_EQ(match("comments/{id}/likes", "comments/*/likes"), "no");
  EXPECT_EQ(match("comments/{id}/likes", "comments/*/likes", Wildcards::Allow), "*|");
  EXPECT_EQ(match("comments/{id}/likes", "*/42/likes", Wildcards::Allow), "no");
  EXPECT_EQ(match("comments/{id}/likes", "comments/4*/likes", Wildcards::Allow), "no");
  EXPECT_EQ(match("{a}-{b}", "*", Wildcards::Allow), "no");
  EXPECT_EQ(match("{a}-{b}", "*-b", Wildcards::Allow), "no");
}

TEST(Address, fill_is_the_inverse_of_match) {
  const AddressTemplate address = parsed("a/{x}/v{y}.{z}/b");
  const auto filled = address.fill(Values{"1", "2", "3"});
  ASSERT_TRUE(filled);
  EXPECT_EQ(*filled, "a/1/v2.3/b");
  EXPECT_THAT(*address.match(*filled), ElementsAre("1", "2", "3"));
  EXPECT_FALSE(address.fill(Values{"1", "2"}));
  EXPECT_FALSE(address.fill(Values{"1", "2", "a/b"}));
  EXPECT_FALSE(address.fill(Values{"1", "2", "*"}));
  const AddressTemplate long_one = parsed(std::string(1'000, 'a') + "/{x}");
  EXPECT_EQ(long_one.fill(Values{std::string_view("0123456789012345678901234")}).error().code, base::Errc::TooLarge);
}

TEST(Address, literal_segments_beat_mixed_ones_and_those_beat_whole_parameters) {
  const auto before = [](std::string_view a, std::string_view b) {
    return precedence(parsed(a), parsed(b)) < 0 && precedence(parsed(b), parsed(a)) > 0;
  };
  EXPECT_TRUE(before("a/b", "a/{x}"));
  EXPECT_TRUE(before("a/{x}/c", "{x}/b/c"));  // leftmost first
  EXPECT_TRUE(before("a/v{x}", "a/{x}"));
  EXPECT_TRUE(before("user-{x}", "u{x}-a"));
  EXPECT_TRUE(before("u{x}-a", "u{x}"));
  EXPECT_TRUE(before("{x}-long-{y}", "{x}-{y}"));
  EXPECT_TRUE(before("{x}-{y}", "{x}"));
  EXPECT_EQ(precedence(parsed("a/{x}"), parsed("a/{y}")), std::strong_ordering::equal);
}

TEST(Address, segments_overlap_if_some_text_matches_both) {
  const auto both = [](std::string_view a, std::string_view b) {
    const bool one_way = overlap(*Segment::parse(a), *Segment::parse(b));
    EXPECT_EQ(one_way, overlap(*Segment::parse(b), *Segment::parse(a))) << a << " " << b;
    return one_way;
  };
  EXPECT_TRUE(both("a", "a"));
  EXPECT_FALSE(both("a", "b"));
  EXPECT_TRUE(both("a", "{x}"));
  EXPECT_FALSE(both("", "{x}"));
  EXPECT_TRUE(both("v1", "v{x}"));
  EXPECT_FALSE(both("v", "v{x}"));
  EXPECT_TRUE(both("v{x}", "{y}1"));
  EXPECT_TRUE(both("v{x}", "{y}"));
  EXPECT_FALSE(both("v{x}", "w{x}"));
  EXPECT_FALSE(both("{x}.a", "{x}.b"));
  EXPECT_TRUE(both("a{x}b{y}c", "a{z}c"));
  EXPECT_TRUE(both("ab{x}", "a{y}c{z}d"));
  EXPECT_FALSE(both("ab{x}d", "a{y}c{z}e"));
  EXPECT_TRUE(both("{x}-{y}", "a{z}"));
}

}  // namespace
}  // namespace contract
