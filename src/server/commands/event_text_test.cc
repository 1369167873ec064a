// SPDX-License-Identifier: Apache-2.0
#include "server/commands/event_text.h"

#include <gtest/gtest.h>

namespace server {
namespace {

constexpr base::Bytes kEvent =
    "{ \"specversion\":\"1.0\", \"id\":\"e1\", \"type\":\"Liked\",\n\"time\":\"2026-01-01T00:00:00Z\","
    "\"channel\":\"comments/42/likes\",\"message\":\"Liked\",\"data\":{\"user\":\"a\\\"}, b\",\"n\":[1, 2.50],"
    "\"o\":{},\"l\":[]}}";

std::string text_of(base::Bytes event, EventText form) {
  std::string out;
  append_event_text(out, event, form);
  return out;
}

TEST(EventText, a_cloud_event_is_one_line) {
  EXPECT_EQ(text_of(kEvent, EventText::CloudEvent),
            "{\"specversion\":\"1.0\",\"id\":\"e1\",\"type\":\"Liked\",\"time\":\"2026-01-01T00:00:00Z\","
            "\"channel\":\"comments/42/likes\",\"message\":\"Liked\",\"data\":{\"user\":\"a\\\"}, b\",\"n\":[1,2.50],"
            "\"o\":{},\"l\":[]}}\n");
}

TEST(EventText, pretty_has_a_heading_and_indented_data) {
  EXPECT_EQ(text_of(kEvent, EventText::Pretty),
            "2026-01-01T00:00:00Z  comments/42/likes  Liked  e1\n"
            "  {\n    \"user\": \"a\\\"}, b\",\n    \"n\": [\n      1,\n      2.50\n    ],\n    \"o\": {},\n"
            "    \"l\": []\n  }\n");
}

TEST(EventText, pretty_lets_no_control_character_through) {
  EXPECT_EQ(text_of(R"({"specversion":"1.0","id":"a\u001b[2J","data_base64":"G1szMW0="})", EventText::Pretty),
            "a [2J\n   [31m\n");
  EXPECT_EQ(text_of("\x1b[2J", EventText::Pretty), " [2J\n");
}

TEST(EventText, data_alone_is_what_was_published) {
  EXPECT_EQ(text_of(kEvent, EventText::Data), "{\"user\":\"a\\\"}, b\",\"n\":[1,2.50],\"o\":{},\"l\":[]}\n");
  EXPECT_EQ(text_of(R"({"specversion":"1.0","data":7})", EventText::Data), "7\n");
  EXPECT_EQ(text_of(R"({"specversion":"1.0","data_base64":"aGkKdGhlcmU="})", EventText::Data), "hi\nthere\n");
  EXPECT_EQ(text_of(R"({"specversion":"1.0"})", EventText::Data), "\n");
}

TEST(EventText, what_is_no_cloud_event_is_printed_as_it_is) {
  for (const base::Bytes text : {"plain text", "{\"n\": 1}", "{broken", "7"}) {
    EXPECT_EQ(text_of(text, EventText::CloudEvent), std::string(text) + "\n");
    EXPECT_EQ(text_of(text, EventText::Data), std::string(text) + "\n");
  }
}

}  // namespace
}  // namespace server
