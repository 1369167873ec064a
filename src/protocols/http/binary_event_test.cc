// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/binary_event.h"

#include <gtest/gtest.h>

#include <vector>

#include "protocols/http/codec/request_parser.h"

namespace protocols::http {
namespace {

class BinaryEventTest : public testing::Test {
 protected:
  const Fields& fields(const std::string& lines) {
    const std::string request = "POST / HTTP/1.1\r\nHost: a\r\n" + lines + "Content-Length: 0\r\n\r\n";
    parser_ = std::make_unique<RequestParser>(limits_);
    std::size_t used = 0;
    while (parser_->stage() != Stage::Complete) used += parser_->feed(std::string_view(request).substr(used)).value();
    return parser_->head().fields();
  }

  // 0 for success, else the status of the answer.
  int read(const std::string& lines) {
    event_ = {};
    attributes_ = std::make_unique<EventAttributes>(event_, kBinaryPrefix);
    const auto done = read_binary_event(fields(lines), *attributes_);
    return done ? 0 : done.error().status;
  }

  Limits limits_;
  std::unique_ptr<RequestParser> parser_;
  std::unique_ptr<EventAttributes> attributes_;
  codec::CloudEvent event_;
};

const std::string kRequired = "ce-specversion: 1.0\r\nCE-Id: 7\r\nce-source: /a\r\nce-type: liked\r\n";

TEST_F(BinaryEventTest, any_ce_field_makes_a_request_binary) {
  EXPECT_TRUE(is_binary_event(fields("Ce-X: 1\r\n")));
  EXPECT_FALSE(is_binary_event(fields("Cex: 1\r\nce-: 1\r\n")));
}

TEST_F(BinaryEventTest, attributes_are_decoded_and_extensions_kept) {
  ASSERT_EQ(read(kRequired + "ce-time: 2026-01-31T12:00:00Z\r\nce-subject: caf%C3%A9\r\nce-message: m\r\n"), 0);
  EXPECT_EQ(event_.id, "7");
  EXPECT_EQ(event_.source, "/a");
  EXPECT_EQ(event_.type, "liked");
  EXPECT_EQ(event_.message, "m");
  EXPECT_EQ(event_.time, "2026-01-31T12:00:00Z");
  EXPECT_EQ(event_.extensions.find("subject"), "caf\xC3\xA9");
}

TEST_F(BinaryEventTest, cursor_and_channel_of_an_event_that_was_read_are_dropped) {
  ASSERT_EQ(read(kRequired + "ce-cursor: x\r\nce-channel: y\r\n"), 0);
  EXPECT_TRUE(event_.address.empty());
  EXPECT_TRUE(event_.extensions.all().empty());
}

TEST_F(BinaryEventTest, each_required_attribute_is_missed) {
  for (const std::string name : {"ce-specversion: 1.0", "CE-Id: 7", "ce-source: /a", "ce-type: liked"}) {
    std::string lines = kRequired;
    lines.erase(lines.find(name), name.size() + 2);
    EXPECT_EQ(read(lines), 400) << name;
  }
}

TEST_F(BinaryEventTest, what_cannot_be_is_refused) {
  EXPECT_EQ(read(kRequired + "ce-datacontenttype: text/plain\r\n"), 400);
  EXPECT_EQ(read(kRequired + "ce-time: yesterday\r\n"), 400);
  EXPECT_EQ(read(kRequired + "ce-x: %zz\r\n"), 400);
  EXPECT_EQ(read(kRequired + "ce-x: %FF\r\n"), 400);
  EXPECT_EQ(read(kRequired + "ce-x_y: 1\r\n"), 400);
  EXPECT_EQ(read(kRequired + "ce-id: 8\r\n"), 400);
  EXPECT_EQ(read("ce-specversion: 0.3\r\nce-id: 7\r\nce-source: /a\r\nce-type: liked\r\n"), 400);
  EXPECT_EQ(read("ce-specversion: 1.0\r\nce-id: 7\r\nce-source: /a\r\nce-type: tidewire.reset\r\n"), 422);
}

// They would be a second `data` member of the event as JSON.
TEST_F(BinaryEventTest, the_data_is_no_attribute) {
  EXPECT_EQ(read(kRequired + "ce-data: evil\r\n"), 400);
  EXPECT_EQ(read(kRequired + "ce-data_base64: ZXZpbA==\r\n"), 400);
}

TEST_F(BinaryEventTest, control_characters_are_refused) {
  for (const char* value : {"%00", "a%0Ab", "%1F", "%7F"}) EXPECT_EQ(read(kRequired + "ce-x: " + value + "\r\n"), 400);
}

TEST_F(BinaryEventTest, a_seventeenth_extension_is_refused) {
  std::string lines = kRequired;
  for (int i = 0; i < 16; ++i) lines += "ce-x" + std::to_string(i) + ": 1\r\n";
  EXPECT_EQ(read(lines), 0);
  EXPECT_EQ(read(lines + "ce-y: 1\r\n"), 400);
}

}  // namespace
}  // namespace protocols::http
