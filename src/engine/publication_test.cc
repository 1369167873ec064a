// SPDX-License-Identifier: Apache-2.0
#include "engine/publication.h"

#include "engine/page.h"
#include "tests/support/engine_stage.h"

namespace engine {
namespace {

struct Wish {
  std::string_view content_type = {};
  std::string_view type = {};
  std::string_view message = {};
};

// The name of the message, or the code of the error.
std::string choice(const Channel& channel, const Wish& wish, Side side = Side::Application) {
  Publication publication{channel, "x", side, {}, {}};
  publication.content.datacontenttype = wish.content_type;
  publication.content.type = wish.type;
  publication.content.message = wish.message;
  const auto message = message_of(publication);
  return message ? (*message)->name : std::string("! ") + base::name(message.error().code);
}

class MessageChoice : public testing::Test {
 protected:
  std::unique_ptr<Topics> topics_ = build_topics(R"(
asyncapi: 3.0.0
info: {title: t, version: 1.0.0}
channels:
  one: {address: one, messages: {only: {}}}
  kinds: {address: kinds, messages: {one: {}, two: {contentType: application/vnd.two+json}, three: {}, text: {contentType: text/plain}}}
  part: {address: part, messages: {mine: {}, theirs: {}}}
operations:
  one: {action: send, channel: {$ref: '#/channels/one'}}
  kinds: {action: send, channel: {$ref: '#/channels/kinds'}}
  mine: {action: send, channel: {$ref: '#/channels/part'}, messages: [{$ref: '#/channels/part/messages/mine'}]}
  theirs: {action: receive, channel: {$ref: '#/channels/part'}, messages: [{$ref: '#/channels/part/messages/theirs'}]}
)");
  const Channel& one_ = *topics_->channels()[0];
  const Channel& kinds_ = *topics_->channels()[1];
  const Channel& part_ = *topics_->channels()[2];
};

TEST_F(MessageChoice, takes_the_only_one_that_fits) {
  EXPECT_EQ(choice(one_, {}), "only");
  EXPECT_EQ(choice(one_, {.content_type = "application/json; charset=utf-8"}), "only");
  EXPECT_EQ(choice(one_, {.content_type = "application/hal+json"}), "only");
  EXPECT_EQ(choice(kinds_, {.content_type = "TEXT/plain"}), "text");
}

TEST_F(MessageChoice, says_so_when_several_fit) {
  EXPECT_EQ(choice(kinds_, {.content_type = "application/json"}), "! invalid");
  EXPECT_EQ(choice(kinds_, {}), "! invalid");
}

TEST_F(MessageChoice, follows_the_name_that_the_event_has) {
  EXPECT_EQ(choice(kinds_, {.content_type = "application/json", .type = "three"}), "three");
  EXPECT_EQ(choice(kinds_, {.content_type = "application/json", .message = "one"}), "one");
  EXPECT_EQ(choice(kinds_, {.content_type = "application/json", .type = "three", .message = "two"}), "two");
  EXPECT_EQ(choice(one_, {.type = "com.example.other"}), "only") << "a type of somebody else decides nothing";
}

TEST_F(MessageChoice, refuses_a_name_that_is_none) { EXPECT_EQ(choice(one_, {.message = "other"}), "! invalid"); }

TEST_F(MessageChoice, refuses_another_content_type) {
  EXPECT_EQ(choice(one_, {.content_type = "text/plain"}), "! unsupported");
  EXPECT_EQ(choice(kinds_, {.content_type = "text/plain", .message = "one"}), "! unsupported");
  EXPECT_EQ(choice(one_, {.content_type = "json"}), "! unsupported");
}

TEST_F(MessageChoice, leaves_to_each_side_its_own_messages) {
  EXPECT_EQ(choice(part_, {}, Side::Application), "mine");
  EXPECT_EQ(choice(part_, {}, Side::Counterpart), "theirs");
  EXPECT_EQ(choice(part_, {.message = "theirs"}, Side::Application), "! invalid");
}

class RepeatOf : public testing::Test {
 protected:
  struct Said {
    std::string_view id = {};
    std::string_view source = "/s";
    std::string_view data = "{}";
    std::string_view key = {};
    std::string_view message = "m";
    std::string_view content_type = "application/json";
    std::string_view address = "a";
  };
  std::optional<storage::Repeat> of(const Said& said) {
    Publication publication{channel_, said.address, Side::Application, {}, said.key};
    publication.content.id = said.id;
    codec::CloudEvent complete;
    complete.id = said.id.empty() ? "generated" : said.id;
    complete.source = said.source;
    complete.data = said.data;
    complete.message = said.message;
    complete.datacontenttype = said.content_type;
    return repeat_of(publication, complete, identity_);
  }
  bool same_key(const Said& a, const Said& b) { return of(a)->key == of(b)->key; }
  bool same_content(const Said& a, const Said& b) { return of(a)->content == of(b)->content; }

  Channel channel_;
  storage::Identity identity_{1, {2}};
};

TEST_F(RepeatOf, is_nothing_without_id_and_key) { EXPECT_FALSE(of({}).has_value()); }

TEST_F(RepeatOf, tells_ids_sources_addresses_and_topics_apart) {
  EXPECT_TRUE(same_key({.id = "1"}, {.id = "1", .data = "[]"}));
  EXPECT_FALSE(same_key({.id = "1"}, {.id = "2"}));
  EXPECT_FALSE(same_key({.id = "1"}, {.id = "1", .source = "/t"}));
  EXPECT_FALSE(same_key({.id = "1"}, {.id = "1", .address = "b"}));
  EXPECT_FALSE(same_key({.id = "b", .source = "a"}, {.id = "", .source = "", .key = "ab"}));
  EXPECT_FALSE(same_key({.id = "bc", .source = "a"}, {.id = "c", .source = "ab"}));
  const auto before = of({.id = "1"});
  channel_.topic = 9;
  EXPECT_FALSE(before->key == of({.id = "1"})->key);
}

TEST_F(RepeatOf, uses_the_key_where_no_id_was_given) {
  EXPECT_TRUE(same_key({.key = "k"}, {.source = "/other", .key = "k"}));
  EXPECT_FALSE(same_key({.key = "k"}, {.key = "l"}));
  EXPECT_TRUE(same_key({.id = "1", .key = "k"}, {.id = "1", .key = "l"}));
  EXPECT_FALSE(same_key({.id = "1"}, {.key = "1"}));
}

TEST_F(RepeatOf, compares_values_of_json_and_bytes_of_the_rest) {
  EXPECT_TRUE(same_content({.id = "1", .data = "{\"a\": 1}"}, {.id = "1", .data = " {\"a\":1}\n"}));
  EXPECT_FALSE(same_content({.id = "1", .data = "{\"a\":1}"}, {.id = "1", .data = "{\"a\":1.0}"}));
  EXPECT_FALSE(same_content({.id = "1", .data = "a b", .content_type = "text/plain"},
                            {.id = "1", .data = "a  b", .content_type = "text/plain"}));
  EXPECT_FALSE(same_content({.id = "1"}, {.id = "1", .message = "n"}));
}

TEST_F(RepeatOf, depends_on_the_secret_of_the_history) {
  const auto before = of({.id = "1"});
  identity_.deduplication_key[0] ^= 1;
  EXPECT_FALSE(before->key == of({.id = "1"})->key);
  EXPECT_FALSE(before->content == of({.id = "1"})->content);
}

TEST(Publish, is_new_once_and_then_a_repeat_with_the_cursor_of_the_first) {
  Stage stage;
  const PublishReply first = stage.publish("a/1", "{\"a\":1}", 0, "key");
  stage.publish("a/1", "{}");
  const PublishReply again = stage.publish("a/1", " {\"a\" : 1}", 0, "key");
  EXPECT_FALSE(first.duplicate);
  EXPECT_TRUE(again.duplicate);
  EXPECT_EQ(again.cursor, first.cursor);
  EXPECT_EQ(stage.publish("a/1", "{\"a\":2}", 0, "key").status, storage::AppendStatus::Conflict);
  EXPECT_EQ(stage.engine().counters().published, 2u);
  EXPECT_EQ(stage.engine().counters().repeated, 1u);
  EXPECT_EQ(stage.engine().counters().refused, 1u);
}

TEST(Publish, completes_what_the_client_left_out) {
  Stage stage;
  struct Whole final : PageSink {
    void on_event(const Event& event) override { codec::append_event_json(json, event.content, ""); }
    void on_page(Cursor) override { done = true; }
    void on_refusal(const Reset&) override {}
    std::string json;
    bool done = false;
  } sink;
  const std::string id = stage.publish("a/1", "{\"n\": 1}").id;
  PageReader reader(stage.engine(), {AddressSet({stage.member("a/1")}), Earliest{}, 10}, sink);
  stage.on_loop([&] { reader.start(); });
  ASSERT_TRUE(stage.world.run_until([&] { return sink.done; }, kPatienceNs));
  EXPECT_EQ(sink.json.substr(0, sink.json.find("\"time\":\"2023-11-14T22:13:2")),
            "{\"specversion\":\"1.0\",\"id\":\"" + id + "\",\"source\":\"/a/1\",\"type\":\"happened\",");
  EXPECT_TRUE(
      sink.json.ends_with("\"datacontenttype\":\"application/json\",\"channel\":\"a/1\",\"message\":\"happened\","
                          "\"data\":{\"n\":1}}"))
      << sink.json;
}

TEST(Publish, refuses_what_claims_to_be_json_and_is_not) {
  Stage stage;
  const Member member = stage.member("a/1");
  for (const std::string data : {"", "{", "{}{}", "\"\xff\"", "nul"}) {
    Publication publication{*member.channel, "a/1", Side::Application, {}, {}};
    publication.content.data = data;
    const auto accepted = stage.engine().publish(publication, [](const PublishReply&) { FAIL() << "it was refused"; });
    ASSERT_FALSE(accepted.has_value()) << data;
    EXPECT_EQ(accepted.error().code, base::Errc::Invalid);
  }
  stage.settle();
  EXPECT_EQ(stage.lane.durable(), 0u);
}

TEST(Publish, refuses_a_content_type_that_is_no_text) {
  Stage stage;
  const Member member = stage.member("a/1");
  for (const std::string_view type :
       {"application/json; a=\"\xff\"", "application/json; \xff", "application/json;;;=", "application/json x"}) {
    Publication publication{*member.channel, "a/1", Side::Application, {}, {}};
    publication.content.datacontenttype = type;
    publication.content.data = "{}";
    EXPECT_FALSE(stage.engine().publish(publication, [](const PublishReply&) {}).has_value()) << type;
  }
}

}  // namespace
}  // namespace engine
