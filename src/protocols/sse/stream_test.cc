// SPDX-License-Identifier: Apache-2.0
#include "protocols/sse/stream.h"

#include <gmock/gmock.h>

#include "tests/support/http_house.h"

namespace protocols::sse {
namespace {

using http::FieldList;
using http::House;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class Source {
 public:
  Source(House& house, const std::string& target, FieldList fields = {}, std::string_view version = "HTTP/1.1")
      : peer(house.connect()), version_(version) {
    fields.emplace_back("Accept", "text/event-stream");
    peer->send(http::request("GET", target, fields, {}, version));
  }
  http::Reply reply() const {
    std::string text = peer->received;
    return http::take_reply(text);
  }
  std::string text() const { return version_ == "HTTP/1.1" ? http::dechunked(reply().body) : reply().body; }
  // Everything from the first byte on, once it has come; else what has.
  std::string until(std::string_view end) {
    peer->until([&] { return text().ends_with(end); }, sim::kSecondNs);
    return text();
  }
  // What came since the last call.
  std::string fresh() {
    peer->run_for(500 * sim::kMsNs);
    const std::string all = text();
    return all.substr(std::exchange(told_, all.size()));
  }
  std::unique_ptr<net::Peer> peer;

 private:
  std::string_view version_;
  std::size_t told_ = 0;
};

std::string id(House& house, storage::Sequence sequence) { return "id: " + house.cursor(sequence) + "\n"; }
std::string event(House& house, storage::Sequence sequence, const std::string& data) {
  return "event: happened\n" + id(house, sequence) + "data: " + data + "\n\n";
}

TEST(Stream, begins_with_the_head_and_a_block_that_only_has_its_position) {
  House house;
  house.stage.publish("a/1");
  Source source(house, "/a/1");
  EXPECT_EQ(source.fresh(), "retry: 2000\n" + id(house, 1) + "\n");
  EXPECT_EQ(source.reply().status, 200);
  EXPECT_EQ(source.reply().field("Content-Type"), "text/event-stream");
  EXPECT_EQ(source.reply().field("Cache-Control"), "no-store, no-transform");
  EXPECT_EQ(source.reply().field("X-Accel-Buffering"), "no");
  EXPECT_EQ(source.reply().field("Vary"), "Accept, Origin");
  EXPECT_EQ(source.reply().field("Transfer-Encoding"), "chunked");
  EXPECT_EQ(source.reply().field("Content-Length"), "-");
  EXPECT_EQ(source.reply().field("Tidewire-Cursor"), house.cursor(1));
}

TEST(Stream, has_each_event_with_its_name_its_cursor_and_its_payload) {
  House house;
  house.stage.publish("a/1", "0");
  Source source(house, "/a/1");
  source.fresh();
  house.stage.publish("a/1", "{ \"text\" : \"a\\nb\" , \"n\" : 1.0 }");
  house.stage.publish("a/2", "2");
  house.stage.publish("a/1", "3");
  EXPECT_EQ(source.fresh(), event(house, 2, "{\"text\":\"a\\nb\",\"n\":1.0}") + event(house, 4, "3"));
}

TEST(Stream, resumes_after_the_cursor_and_goes_on_live) {
  House house;
  for (int i = 1; i <= 3; ++i) house.stage.publish("a/1", std::to_string(i));
  Source source(house, "/a/1?after=" + house.cursor(1));
  EXPECT_EQ(source.fresh(), "retry: 2000\n" + id(house, 1) + "\n" + event(house, 2, "2") + event(house, 3, "3"));
  house.stage.publish("a/1", "4");
  EXPECT_EQ(source.fresh(), event(house, 4, "4"));
}

TEST(Stream, tells_its_position_when_all_that_was_behind_it_is_skipped) {
  House house;
  for (int i = 1; i <= 3; ++i) house.stage.publish("a/2");
  Source source(house, "/a/1?after=earliest");
  EXPECT_EQ(source.fresh(), "retry: 2000\n" + id(house, 0) + "\n" + id(house, 3) + "\n");
}

TEST(Stream, follows_last_event_id_rather_than_after) {
  House house;
  for (int i = 1; i <= 3; ++i) house.stage.publish("a/1", std::to_string(i));
  Source wins(house, "/a/1?after=earliest", {{"Last-Event-ID", house.cursor(2)}});
  EXPECT_EQ(wins.fresh(), "retry: 2000\n" + id(house, 2) + "\n" + event(house, 3, "3"));
  Source empty(house, "/a/1?after=" + house.cursor(2), {{"Last-Event-ID", ""}});
  EXPECT_EQ(empty.fresh(), "retry: 2000\n" + id(house, 2) + "\n" + event(house, 3, "3"));
  Source absent(house, "/a/1", {{"Last-Event-ID", ""}});
  EXPECT_EQ(absent.fresh(), "retry: 2000\n" + id(house, 3) + "\n");
  Source bad(house, "/a/1", {{"Last-Event-ID", "17"}});
  bad.fresh();
  EXPECT_EQ(bad.reply().status, 400);
}

TEST(Stream, says_reset_from_where_it_goes_on_so_that_a_browser_does_not_loop) {
  House house;
  for (int i = 1; i <= 2; ++i) house.stage.publish("a/1", std::to_string(i));
  const std::string before = engine::Cursor{house.stage.lane.identity().epoch + 1, 1}.token();
  const auto data = [&](const char* reason, storage::Sequence at) {
    return "data: {\"reason\":\"" + std::string(reason) + "\",\"cursor\":\"" + house.cursor(at) + "\",\"earliest\":\"" +
           house.cursor(0) + "\",\"latest\":\"" + house.cursor(2) + "\"}\n\n";
  };
  Source source(house, "/a/1", {{"Last-Event-ID", before}});
  EXPECT_EQ(source.fresh(), "retry: 2000\nevent: tidewire.reset\n" + id(house, 2) + data("epoch-changed", 2));
  house.stage.publish("a/1", "3");
  EXPECT_EQ(source.fresh(), event(house, 3, "3"));
}

TEST(Stream, begins_again_at_the_earliest_after_a_reset_if_asked) {
  House house;
  house.stage.publish("a/1", "1");
  Source source(house, "/a/1?on_reset=earliest&after=" + house.cursor(9));
  EXPECT_EQ(source.fresh(), "retry: 2000\nevent: tidewire.reset\n" + id(house, 0) +
                                "data: {\"reason\":\"ahead\",\"cursor\":\"" + house.cursor(0) + "\",\"earliest\":\"" +
                                house.cursor(0) + "\",\"latest\":\"" + house.cursor(1) + "\"}\n\n" +
                                event(house, 1, "1"));
}

TEST(Stream, names_what_lives_only_now) {
  House house;
  Source source(house, "/typing/1");
  EXPECT_EQ(source.fresh(), "retry: 2000\nevent: tidewire.resumed\n" + id(house, 0) + "data: {\"cursor\":\"" +
                                house.cursor(0) + "\",\"live_only\":[\"typing/1\"]}\n\n");
  house.stage.publish("typing/1", "1");
  EXPECT_EQ(source.fresh(), "event: typed\ndata: 1\n\n") << "an ephemeral event has no position";
  Source back(house, "/typing/1?after=" + house.cursor(0));
  EXPECT_THAT(back.fresh(),
              HasSubstr("event: tidewire.reset\n" + id(house, 0) + "data: {\"reason\":\"not-retained\","));
}

// An id that a client gives is unique for its source at most, and nothing recognises repeats of what is not kept.
TEST(Stream, has_each_ephemeral_event_also_if_ids_are_equal) {
  House house;
  Source one(house, "/typing/1"), two(house, "/typing/2");
  one.fresh();
  two.fresh();
  const FieldList fields = {{"ce-specversion", "1.0"},
                            {"ce-id", "1"},
                            {"ce-source", "/s"},
                            {"ce-type", "typed"},
                            {"Content-Type", "application/json"}};
  EXPECT_EQ(house.post("/typing/1", "1", fields).status, 201);
  EXPECT_EQ(house.post("/typing/2", "2", fields).status, 201);
  EXPECT_EQ(house.post("/typing/1", "3", fields).status, 201);
  EXPECT_EQ(one.fresh(), "event: typed\ndata: 1\n\nevent: typed\ndata: 3\n\n");
  EXPECT_EQ(two.fresh(), "event: typed\ndata: 2\n\n");
}

TEST(Stream, beats_with_a_comment_or_with_its_progress) {
  House house;
  house.stage.publish("a/1", "1");
  Source source(house, "/a/1");
  source.fresh();
  source.peer->run_for(kHeartbeatNs);
  EXPECT_EQ(source.fresh(), ":\n\n");
  house.stage.publish("a/2");
  source.peer->run_for(kHeartbeatNs);
  EXPECT_EQ(source.fresh(), id(house, 2) + "\n");
  source.peer->run_for(kHeartbeatNs);
  EXPECT_EQ(source.fresh(), ":\n\n");
}

TEST(Stream, says_goodbye_with_its_cursor_and_a_time_to_come_back) {
  House house;
  Source source(house, "/a/1");
  source.fresh();
  house.stage.publish("a/2");
  house.stage.settle();
  house.shut_down();
  ASSERT_TRUE(source.peer->until_end());
  EXPECT_TRUE(source.peer->ended);
  EXPECT_THAT(source.fresh(), testing::MatchesRegex("event: tidewire.closing\n" + id(house, 1) +
                                                    "data: \\{\"reason\":\"shutdown\",\"cursor\":\"" + house.cursor(1) +
                                                    "\",\"retry_after_ms\":[0-9]+\\}\n\n"));
  EXPECT_THAT(source.peer->received, EndsWith("\r\n0\r\n\r\n")) << "the last chunk";
}

TEST(Stream, loses_nothing_to_a_reader_that_stalls) {
  House house;
  Source source(house, "/a/1");
  source.fresh();
  source.peer->reading = false;
  constexpr int kEvents = 60;
  for (int i = 1; i <= kEvents; ++i)
    house.stage.publish("a/1", '"' + std::string(20'000, static_cast<char>('a' + i % 26)) + '"');
  house.stage.settle();
  source.peer->reading = true;
  std::string expected;
  for (int i = 1; i <= kEvents; ++i)
    expected += event(house, static_cast<storage::Sequence>(i),
                      '"' + std::string(20'000, static_cast<char>('a' + i % 26)) + '"');
  source.peer->run_for(20 * sim::kSecondNs);
  EXPECT_THAT(source.fresh(), StartsWith(expected));
}

TEST(Stream, ends_for_a_reader_that_takes_nothing_for_minutes) {
  House house;
  Source source(house, "/a/1");
  source.fresh();
  source.peer->reading = false;
  const std::string payload = '"' + std::string(900'000, 'x') + '"';
  house.stage.publish("a/1", payload);
  source.peer->run_for((kStalledHeartbeatsMax - 2) * kHeartbeatNs);
  EXPECT_EQ(house.connections().open(), 1u) << "a pause of a minute or two is no reason";
  source.peer->run_for(4 * kHeartbeatNs);
  EXPECT_EQ(house.connections().open(), 0u);
}

TEST(Stream, goes_on_for_a_reader_that_is_slow_but_reads) {
  House house;
  Source source(house, "/a/1");
  source.fresh();
  const std::string payload = '"' + std::string(900'000, 'x') + '"';
  for (int i = 0; i < 4; ++i) house.stage.publish("a/1", payload);
  for (int i = 0; i < 2 * kStalledHeartbeatsMax; ++i) {
    source.peer->reading = false;
    source.peer->run_for(kHeartbeatNs);
    source.peer->reading = true;
    const std::size_t had = source.peer->received.size();
    source.peer->until([&] { return source.peer->received.size() > had; });
  }
  EXPECT_EQ(house.connections().open(), 1u);
  EXPECT_LT(source.peer->received.size(), 4 * payload.size()) << "it was behind all the time";
}

TEST(Stream, is_not_framed_for_http_1_0) {
  House house;
  Source source(house, "/a/1", {}, "HTTP/1.0");
  EXPECT_EQ(source.fresh(), "retry: 2000\n" + id(house, 0) + "\n");
  EXPECT_EQ(source.reply().field("Transfer-Encoding"), "-");
  EXPECT_EQ(source.reply().field("Connection"), "close");
}

TEST(Stream, leaves_names_out_for_clients_that_want_none) {
  House house;
  Source source(house, "/a/1?events=unnamed");
  source.fresh();
  house.stage.publish("a/1", "1");
  EXPECT_EQ(source.fresh(), id(house, 1) + "data: 1\n\n");
}

TEST(Stream, has_whole_cloudevents_if_asked) {
  House house;
  Source source(house, "/a/1?format=cloudevent");
  source.fresh();
  const engine::PublishReply reply = house.stage.publish("a/1", " [1]");
  EXPECT_THAT(source.fresh(),
              testing::MatchesRegex("event: happened\n" + id(house, 1) + "data: \\{\"specversion\":\"1.0\",\"id\":\"" +
                                    reply.id + "\",.*\"cursor\":\"" + house.cursor(1) + "\",\"data\":\\[1\\]\\}\n\n"));
}

TEST(Stream, ends_its_subscription_with_the_connection) {
  House house;
  {
    Source source(house, "/a/1");
    source.fresh();
    EXPECT_EQ(house.stage.engine().subscriptions(), 1u);
  }
  house.stage.settle(sim::kSecondNs);
  EXPECT_EQ(house.stage.engine().subscriptions(), 0u);
}

}  // namespace
}  // namespace protocols::sse
