// SPDX-License-Identifier: Apache-2.0
#include "contract/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace contract {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Routes {
  explicit Routes(const std::vector<std::string>& templates) {
    for (const std::string& text : templates) {
      parsed.push_back(*AddressTemplate::parse(text));
      EXPECT_TRUE(router.add(parsed.back(), parsed.size() - 1)) << text;
    }
  }
  // The template that wins, and the values behind it.
  std::string match(std::string_view address, Wildcards wildcards = Wildcards::Refuse) const {
    const auto found = router.match(address, wildcards);
    if (!found) return "none";
    std::string out = parsed[found->channel].text();
    for (const std::string_view value : found->values) out += " " + std::string(value);
    return out;
  }
  std::vector<AddressTemplate> parsed;
  AddressRouter router;
};

TEST(Router, finds_the_channel_and_the_values) {
  const Routes routes({"user/signedup", "comments/{id}/likes", "a/{x}/b/{y}"});
  EXPECT_EQ(routes.match("user/signedup"), "user/signedup");
  EXPECT_EQ(routes.match("/user/signedup"), "user/signedup");
  EXPECT_EQ(routes.match("comments/42/likes"), "comments/{id}/likes 42");
  EXPECT_EQ(routes.match("a/1/b/2"), "a/{x}/b/{y} 1 2");
  for (const char* address : {"", "user", "user/", "user/signedup/", "comments//likes", "comments/./likes",
                              "//user/signedup", "comments/a*/likes", "comments/\xff/likes", "comments/*/likes"}) {
    EXPECT_EQ(routes.match(address), "none") << address;
  }
}

TEST(Router, an_empty_router_and_the_root_address_work) {
  EXPECT_EQ(Routes({}).match("a"), "none");
  const Routes routes({"/", "a/", "b"});
  EXPECT_EQ(routes.match("/"), "");
  EXPECT_EQ(routes.match(""), "");
  EXPECT_EQ(routes.match("a/"), "a/");
  EXPECT_EQ(routes.match("a"), "none");
}

TEST(Router, literals_win_leftmost_first) {
  const Routes routes({"{a}/b", "a/{b}", "a/b", "x/{y}", "{x}/y"});
  EXPECT_EQ(routes.match("a/b"), "a/b");
  EXPECT_EQ(routes.match("a/c"), "a/{b} c");
  EXPECT_EQ(routes.match("c/b"), "{a}/b c");
  EXPECT_EQ(routes.match("x/y"), "x/{y} y");
  EXPECT_EQ(routes.match("x/b"), "x/{y} b");
}

TEST(Router, leaves_a_branch_that_leads_nowhere_and_forgets_its_values) {
  const Routes routes({"a/b/c", "a/{x}/d", "{p}/{q}/e", "v{m}/z/1", "{n}/z/2"});
  EXPECT_EQ(routes.match("a/b/d"), "a/{x}/d b");
  EXPECT_EQ(routes.match("a/b/e"), "{p}/{q}/e a b");
  EXPECT_EQ(routes.match("v7/z/1"), "v{m}/z/1 7");
  EXPECT_EQ(routes.match("v7/z/2"), "{n}/z/2 v7");
  EXPECT_EQ(routes.match("a/b/f"), "none");
}

TEST(Router, mixed_segments_with_longer_ends_win) {
  const Routes routes({"{a}", "v{a}", "v{a}.x", "ver{a}", "{a}.x", "{a}-{b}", "{a}-mid-{b}", "verb"});
  EXPECT_EQ(routes.match("verb"), "verb");
  EXPECT_EQ(routes.match("verb1"), "ver{a} b1");
  EXPECT_EQ(routes.match("ver.x"), "ver{a} .x");
  EXPECT_EQ(routes.match("v1.x"), "v{a}.x 1");
  EXPECT_EQ(routes.match("v1"), "v{a} 1");
  EXPECT_EQ(routes.match("w.x"), "{a}.x w");
  EXPECT_EQ(routes.match("p-mid-q"), "{a}-mid-{b} p q");
  EXPECT_EQ(routes.match("p-q"), "{a}-{b} p q");
  EXPECT_EQ(routes.match("p"), "{a} p");
  EXPECT_EQ(routes.match("v"), "{a} v");
}

TEST(Router, a_star_means_a_whole_parameter_never_a_literal_or_a_part) {
  const Routes routes({"comments/{id}/likes", "comments/latest/likes", "a/v{x}", "b/{x}/{y}"});
  EXPECT_EQ(routes.match("comments/*/likes", Wildcards::Allow), "comments/{id}/likes *");
  EXPECT_EQ(routes.match("comments/latest/likes", Wildcards::Allow), "comments/latest/likes");
  EXPECT_EQ(routes.match("a/*", Wildcards::Allow), "none");
  EXPECT_EQ(routes.match("b/*/7", Wildcards::Allow), "b/{x}/{y} * 7");
  EXPECT_EQ(routes.match("b/*/7"), "none");
  EXPECT_EQ(routes.match("b/**/7", Wildcards::Allow), "none");
}

TEST(Router, refuses_the_same_identity_and_keeps_the_first) {
  AddressRouter router;
  ASSERT_TRUE(router.add(*AddressTemplate::parse("a/{x}/v{y}"), 1));
  const auto again = router.add(*AddressTemplate::parse("/a/{other}/v{z}"), 2);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, base::Errc::Conflict);
  EXPECT_EQ(router.match("a/b/v1")->channel, 1u);
}

TEST(Router, finds_overlapping_templates_but_not_the_same) {
  const Routes routes({"a/{x}", "a/b", "{y}/b", "a/b/c", "v{x}/b", "q"});
  const auto overlapping = [&](std::string_view text, std::size_t count_max = 10) {
    return routes.router.overlapping(*AddressTemplate::parse(text), count_max);
  };
  EXPECT_THAT(overlapping("a/b"), ElementsAre(0, 2));
  EXPECT_THAT(overlapping("a/{z}"), ElementsAre(1, 2));
  EXPECT_THAT(overlapping("{z}/b"), ElementsAre(0, 1, 4));
  EXPECT_THAT(overlapping("{z}/{w}"), ElementsAre(0, 1, 2, 4));
  EXPECT_THAT(overlapping("{z}/{w}", 2).size(), 2u);
  EXPECT_THAT(overlapping("zz/zz"), IsEmpty());
  EXPECT_THAT(overlapping("a/b/c/d"), IsEmpty());
}

// A small generator of its own keeps the cases the same everywhere.
struct Dice {
  std::uint32_t state;
  std::uint32_t roll(std::uint32_t sides) {
    state = state * 1'664'525u + 1'013'904'223u;
    return (state >> 16) % sides;
  }
};

TEST(Router, equals_trying_all_templates_in_order_of_precedence) {
  const std::vector<std::string> segments{"a", "b", "ab", "{%}", "a{%}", "{%}b", "a{%}b", "{%}-{%}", "a{%}-{%}", "-"};
  const std::vector<std::string> texts{"a", "b", "ab", "aab", "abb", "a-b", "aa-b", "-", "a-", "x", "", "a--b", "*"};
  Dice dice{7};
  std::size_t matched = 0;
  for (int round = 0; round < 300; ++round) {
    std::set<std::string> identities;
    std::vector<std::string> templates;
    for (std::uint32_t i = 0, count = 1 + dice.roll(30); i < count; ++i) {
      std::string text;
      for (std::uint32_t j = 0, length = 1 + dice.roll(3); j < length; ++j) {
        text += (j ? "/" : "") + segments[dice.roll(static_cast<std::uint32_t>(segments.size()))];
      }
      for (char name = 'p'; text.find('%') != std::string::npos; ++name) text[text.find('%')] = name;
      if (identities.insert(AddressTemplate::parse(text)->identity()).second) templates.push_back(text);
    }
    const Routes routes(templates);
    for (int k = 0; k < 100; ++k) {
      std::string address;
      for (std::uint32_t j = 0, length = 1 + dice.roll(3); j < length; ++j) {
        address += (j ? "/" : "") + texts[dice.roll(static_cast<std::uint32_t>(texts.size()))];
      }
      const Wildcards wildcards = dice.roll(2) ? Wildcards::Allow : Wildcards::Refuse;
      const AddressTemplate* best = nullptr;
      for (const AddressTemplate& candidate : routes.parsed) {
        if (candidate.match(address, wildcards) && (!best || precedence(candidate, *best) < 0)) best = &candidate;
      }
      std::string expected = best ? best->text() : "none";
      if (best) {
        ++matched;
        const auto values = best->match(address, wildcards);
        for (const std::string_view value : *values) expected += " " + std::string(value);
      }
      ASSERT_EQ(routes.match(address, wildcards), expected) << address;
    }
  }
  EXPECT_GT(matched, 5'000u);
}

// 20,000 channels of one shape: were the cost linear in them, this would be 4 * 10^8 comparisons.
TEST(Router, cost_does_not_follow_the_number_of_channels) {
  std::vector<std::string> templates;
  for (int i = 0; i < 5'000; ++i) {
    const std::string n = std::to_string(i);
    templates.push_back("fixed" + n + "/x");
    templates.push_back("tenant/" + n + "/{id}");
    templates.push_back("user" + n + "-{id}");
    templates.push_back("{id}.kind" + n);
  }
  const Routes routes(templates);
  for (int i = 0; i < 5'000; ++i) {
    const std::string n = std::to_string(i);
    ASSERT_EQ(routes.match("fixed" + n + "/x"), "fixed" + n + "/x");
    ASSERT_EQ(routes.match("tenant/" + n + "/7"), "tenant/" + n + "/{id} 7");
    ASSERT_EQ(routes.match("user" + n + "-7"), "user" + n + "-{id} 7");
    ASSERT_EQ(routes.match("7.kind" + n), "{id}.kind" + n + " 7");
  }
}

}  // namespace
}  // namespace contract
