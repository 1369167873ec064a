// SPDX-License-Identifier: Apache-2.0
#include "codec/mime.h"

#include <gtest/gtest.h>

#include <array>

namespace codec {
namespace {

using base::Errc;

constexpr std::array<std::string_view, 3> kOffered = {"application/json", "text/event-stream", "application/x-ndjson"};

std::string chosen(std::string_view accept) {
  const auto best = best_offered(accept, kOffered);
  return best ? std::string(kOffered[*best]) : "none";
}

TEST(Mime, a_media_type_is_parsed_with_its_parameters) {
  const MediaType media = parse_media_type("Application/CloudEvents+JSON ; Charset=UTF-8;x=\"a; \\\"b\"").value();
  EXPECT_EQ(media.essence(), "application/cloudevents+json");
  EXPECT_EQ(media.parameter("charset"), "UTF-8");
  EXPECT_EQ(media.parameter("x"), "a; \"b");
  EXPECT_EQ(media.parameter("y"), std::nullopt);
  EXPECT_TRUE(parse_media_type("text/plain;").value().parameters.empty());
}

TEST(Mime, what_is_no_media_type_is_refused) {
  for (const std::string_view text : {"", "text", "text/", "/plain", "text /plain", "text/plain x", "text/plain;a",
                                      "text/plain;a=", "text/plain;a=\"x", "text/plain;a=\"x\\", "text/plain,b/c",
                                      "text/plain;a=\"\x01\"", " text/plain", "t\xc3\xa9xt/plain"}) {
    EXPECT_FALSE(parse_media_type(text)) << text;
  }
  EXPECT_EQ(parse_media_type("a/" + std::string(kMediaTypeBytesMax, 'b')).error().code, Errc::TooLarge);
  std::string many = "a/b";
  for (std::size_t i = 0; i <= kMediaTypeParametersMax; ++i) many += ";x=1";
  EXPECT_EQ(parse_media_type(many).error().code, Errc::TooLarge);
}

TEST(Mime, json_and_text_are_recognised_by_the_type_alone) {
  for (const std::string_view type :
       {"application/json", "APPLICATION/JSON", "application/json; charset=utf-8", "application/json\t;a=b",
        "text/json", "application/problem+json", "Image/Svg+JSON;x=1"}) {
    EXPECT_TRUE(is_json(type)) << type;
  }
  for (const std::string_view type : {"", "application/jsonx", "json", "+json", "/+json", "text/plain",
                                      "application/xml;a=+json", "application/x-ndjson", "application/+jso"}) {
    EXPECT_EQ(is_json(type), false) << type;
  }
  EXPECT_TRUE(is_text("text/plain"));
  EXPECT_TRUE(is_text("TEXT/html; charset=x"));
  EXPECT_FALSE(is_text("text/"));
  EXPECT_FALSE(is_text("application/text"));
}

TEST(Accept, an_empty_field_or_anything_takes_the_first_offer) {
  EXPECT_EQ(chosen(""), "application/json");
  EXPECT_EQ(chosen("  "), "application/json");
  EXPECT_EQ(chosen("*/*"), "application/json");
  EXPECT_EQ(chosen("text/html, */*;q=0.1"), "application/json");
}

TEST(Accept, the_largest_weight_wins_and_the_first_offer_among_equals) {
  EXPECT_EQ(chosen("text/event-stream"), "text/event-stream");
  EXPECT_EQ(chosen("application/json;q=0.5, text/event-stream"), "text/event-stream");
  EXPECT_EQ(chosen("application/json;q=0.5,application/x-ndjson;q=0.501"), "application/x-ndjson");
  EXPECT_EQ(chosen("application/x-ndjson, text/event-stream"), "text/event-stream");
  EXPECT_EQ(chosen("Text/Event-Stream;Q=1"), "text/event-stream");
}

TEST(Accept, the_most_specific_range_decides) {
  EXPECT_EQ(chosen("*/*, application/json;q=0"), "text/event-stream");
  EXPECT_EQ(chosen("application/*;q=0.9, application/json;q=0.1, text/*;q=0.5"), "application/x-ndjson");
  EXPECT_EQ(chosen("application/json;q=0, application/*"), "application/x-ndjson");
}

TEST(Accept, nothing_is_chosen_when_nothing_is_acceptable) {
  EXPECT_EQ(chosen("text/html"), "none");
  EXPECT_EQ(chosen("*/*;q=0"), "none");
  EXPECT_EQ(chosen("application/json;q=0"), "none");
  EXPECT_EQ(best_offered("*/*", {}), std::nullopt);
}

TEST(Accept, malformed_ranges_count_for_nothing) {
  EXPECT_EQ(chosen("application/json;q=2, text/event-stream;q=0.1"), "text/event-stream");
  EXPECT_EQ(chosen("@@;x=\",\", application/x-ndjson"), "application/x-ndjson");
  EXPECT_EQ(chosen(",, ,application/x-ndjson,"), "application/x-ndjson");
  EXPECT_EQ(chosen("application/json;q=0.1234, text/event-stream;q=0.2"), "text/event-stream");
  EXPECT_EQ(chosen("*/json, text"), "none");
  EXPECT_EQ(chosen("/"), "none");
}

TEST(Accept, parameters_before_the_weight_must_be_offered) {
  constexpr std::array<std::string_view, 2> offered = {"text/plain", "text/plain;format=flowed"};
  EXPECT_EQ(best_offered("text/plain;format=flowed, text/plain;q=0.5", offered), 1U);
  EXPECT_EQ(best_offered("text/plain;q=0.5, text/plain;format=flowed", offered), 1U);
  EXPECT_EQ(best_offered("text/plain;format=fixed", offered), std::nullopt);
  EXPECT_EQ(chosen("application/json; charset=UTF-8"), "application/json");
  EXPECT_EQ(chosen("application/json; charset=latin1"), "none");
}

TEST(Accept, every_prefix_of_a_field_is_harmless) {
  const std::string field = R"(text/html;a="x\",y";q=0.9, application/json;q=0.8, */*;q=0.001)";
  for (std::size_t size = 0; size <= field.size(); ++size) {
    EXPECT_NE(chosen(std::string(field, 0, size)), "application/x-ndjson");
  }
}

}  // namespace
}  // namespace codec
