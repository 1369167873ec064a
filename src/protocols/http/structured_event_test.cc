// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/structured_event.h"

#include <gmock/gmock.h>

#include <memory>

namespace protocols::http {
namespace {

using testing::HasSubstr;

class StructuredEventTest : public testing::Test {
 protected:
  // 0 for success, else the status of the answer.
  int read(std::string body) {
    body_ = std::move(body);
    event_ = {};
    reader_ = std::make_unique<StructuredEvent>(event_);
    const auto done = reader_->read(body_);
    problem_ = done ? "" : done.error().body;
    return done ? 0 : done.error().status;
  }
  // With the required attributes in front.
  int read_with(const std::string& members) {
    return read(R"({"specversion":"1.0","id":"7","source":"/a","type":"liked")" + members + "}");
  }

  std::string body_;
  std::string problem_;
  std::unique_ptr<StructuredEvent> reader_;
  codec::CloudEvent event_;
};

TEST_F(StructuredEventTest, attributes_are_read_and_extensions_become_text) {
  ASSERT_EQ(read_with(R"(,"time":"2026-01-31T12:00:00Z","message":"m","subject":"caf\u00e9 \ud83d\ude00","flag":true,)"
                      R"("count":-42,"nothing":null)"),
            0)
      << problem_;
  EXPECT_EQ(event_.id, "7");
  EXPECT_EQ(event_.source, "/a");
  EXPECT_EQ(event_.type, "liked");
  EXPECT_EQ(event_.message, "m");
  EXPECT_EQ(event_.time, "2026-01-31T12:00:00Z");
  EXPECT_EQ(event_.extensions.find("subject"), "caf\xC3\xA9 \xF0\x9F\x98\x80");
  EXPECT_EQ(event_.extensions.find("flag"), "true");
  EXPECT_EQ(event_.extensions.find("count"), "-42");
  EXPECT_EQ(event_.extensions.all().size(), 3u);
  EXPECT_FALSE(event_.data.has_value());
}

TEST_F(StructuredEventTest, data_stays_as_it_was_written) {
  ASSERT_EQ(read_with(R"(,"data": {"b": 1.0, "a": 123456789012345678901234567890} )"), 0);
  EXPECT_EQ(event_.data, R"({"b": 1.0, "a": 123456789012345678901234567890})");
  EXPECT_EQ(event_.datacontenttype, "application/json") << "JSON event format section 3.1";
  ASSERT_EQ(read_with(R"(,"data":null,"datacontenttype":"application/vnd.x+json")"), 0);
  EXPECT_EQ(event_.data, "null");
  EXPECT_EQ(event_.datacontenttype, "application/vnd.x+json");
}

TEST_F(StructuredEventTest, data_of_another_type_is_a_string_wherever_the_type_stands) {
  for (const char* members :
       {R"(,"data":"a\nb","datacontenttype":"text/plain")", R"(,"datacontenttype":"text/plain","data":"a\nb")"}) {
    ASSERT_EQ(read_with(members), 0) << problem_;
    EXPECT_EQ(event_.data, "a\nb");
    EXPECT_EQ(event_.datacontenttype, "text/plain");
  }
  EXPECT_EQ(read_with(R"(,"data":{},"datacontenttype":"text/plain")"), 400);
  EXPECT_THAT(problem_, HasSubstr("data must"));
}

TEST_F(StructuredEventTest, bytes_come_as_base64) {
  ASSERT_EQ(read_with(R"(,"data_base64":"AP8=","datacontenttype":"application/octet-stream")"), 0);
  EXPECT_EQ(event_.data, std::string_view("\0\xff", 2));
  ASSERT_EQ(read_with(R"(,"data_base64":"")"), 0);
  EXPECT_EQ(event_.data, "");
  for (const char* value : {"\"AP8\"", "1", "null", "\"A P8=\""}) {
    EXPECT_EQ(read_with(std::string(",\"data_base64\":") + value), 400) << value;
    EXPECT_THAT(problem_, HasSubstr("data_base64"));
  }
  EXPECT_EQ(read_with(R"(,"data":1,"data_base64":"AP8=")"), 400);
}

TEST_F(StructuredEventTest, cursor_and_channel_of_an_event_that_was_read_are_dropped) {
  ASSERT_EQ(read_with(R"(,"cursor":"x","channel":"y")"), 0);
  EXPECT_TRUE(event_.address.empty());
  EXPECT_TRUE(event_.extensions.all().empty());
}

TEST_F(StructuredEventTest, each_required_attribute_is_missed_by_name) {
  const std::string all[] = {R"("specversion":"1.0")", R"("id":"7")", R"("source":"/a")", R"("type":"liked")"};
  for (const std::string& missing : all) {
    std::string body = "{\"x\":\"1\"";
    for (const std::string& member : all)
      if (member != missing) body += "," + member;
    const std::string name = missing.substr(1, missing.find('"', 1) - 1);
    EXPECT_EQ(read(body + "}"), 400) << name;
    EXPECT_THAT(problem_, HasSubstr("\"detail\":\"" + name + " is missing"));
    EXPECT_EQ(read(body + ",\"" + name + "\":null}"), 400) << "null is as absent";
    EXPECT_EQ(read(body + ",\"" + name + "\":1}"), 400) << "a number is no string";
    EXPECT_THAT(problem_, HasSubstr("\"detail\":\"" + name + " must be a string"));
    EXPECT_EQ(read(body + ",\"" + name + "\":\"\"}"), 400) << "empty";
  }
}

TEST_F(StructuredEventTest, what_cannot_be_is_refused_by_name) {
  const std::pair<const char*, const char*> cases[] = {
      {R"(,"time":"yesterday")", "time"},
      {R"(,"time":5)", "time"},
      {R"(,"message":true)", "message"},
      {R"(,"x":{})", "x"},
      {R"(,"x":[1])", "x"},
      {R"(,"x":1.5)", "x"},
      {R"(,"x":2147483648)", "x"},
      {R"(,"x":"\u0000")", "x"},
      {R"(,"x":"a\nb")", "x"},
      {R"(,"x":"\ud800")", "x"},
      {R"(,"x_y":"1")", "x_y"},
      {R"(,"Xy":"1")", "Xy"},
      {R"(,"datacontenttype":"json")", "datacontenttype"},
  };
  for (const auto& [members, name] : cases) {
    EXPECT_EQ(read_with(members), 400) << members;
    EXPECT_THAT(problem_, HasSubstr("\"detail\":\"" + std::string(name) + " ")) << members;
  }
  EXPECT_EQ(read(R"({"specversion":"0.3","id":"7","source":"/a","type":"liked"})"), 400);
  EXPECT_EQ(read(R"({"specversion":"1.0","id":"7","source":"/a","type":"tidewire.reset"})"), 422);
  EXPECT_EQ(read_with(",\"" + std::string(100'000, 'x') + "\":\"1\""), 400);
  EXPECT_LT(problem_.size(), 1'000u) << "a name beyond all measure is not repeated";
}

TEST_F(StructuredEventTest, what_is_not_one_json_object_is_refused) {
  for (const char* body : {"", "{", "[]", "1", "null", "\"{\"", "{}{}", "{\"id\":\"\xff\"}"})
    EXPECT_EQ(read(body), 400) << body;
  EXPECT_EQ(read_with(R"(,"id":"8")"), 400) << "a name given twice";
  EXPECT_EQ(read_with(R"(,"data":1,"d\u0061ta":2)"), 400) << "also with escapes";
}

TEST_F(StructuredEventTest, a_seventeenth_extension_is_refused) {
  std::string members;
  for (int i = 0; i < 16; ++i) members += ",\"x" + std::to_string(i) + "\":1";
  EXPECT_EQ(read_with(members), 0);
  EXPECT_EQ(read_with(members + ",\"y\":1"), 400);
}

}  // namespace
}  // namespace protocols::http
