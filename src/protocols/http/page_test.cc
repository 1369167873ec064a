// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/page.h"

#include <gmock/gmock.h>

#include "tests/support/http_house.h"

namespace protocols::http {
namespace {

using testing::HasSubstr;

std::string end_of_page(const std::string& cursor, bool up_to_date) {
  return "],\"cursor\":\"" + cursor + "\",\"up_to_date\":" + (up_to_date ? "true" : "false") + "}";
}

// A long poll that has reached the server and waits.
std::unique_ptr<net::Peer> waiting(House& house, const std::string& target) {
  auto peer = house.connect();
  peer->send(request("GET", target));
  peer->run_for(500 * sim::kMsNs);
  EXPECT_EQ(peer->received, "") << "it waits";
  return peer;
}

TEST(Page, of_nothing_is_empty_and_up_to_date) {
  House house;
  const Reply reply = house.get("/a/1");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "{\"events\":[" + end_of_page(house.cursor(0), true));
  EXPECT_EQ(reply.field("Tidewire-Cursor"), house.cursor(0));
  EXPECT_EQ(reply.field("Cache-Control"), "no-store");
  EXPECT_EQ(reply.field("Vary"), "Accept, Origin");
  EXPECT_EQ(reply.field("Content-Type"), "application/json");
}

TEST(Page, has_cloudevents_with_their_cursors) {
  House house;
  const engine::PublishReply event = house.stage.publish("a/1", "{ \"n\" : [1.0, 2] }");
  EXPECT_THAT(
      house.get("/a/1").body,
      testing::MatchesRegex("\\{\"events\":\\[\\{\"specversion\":\"1.0\",\"id\":\"" + event.id +
                            "\",\"source\":\"/a/1\",\"type\":\"happened\",\"time\":\"[^\"]*\",\"datacontenttype\":"
                            "\"application/json\",\"channel\":\"a/1\",\"message\":\"happened\",\"cursor\":\"" +
                            house.cursor(1) + "\",\"data\":\\{\"n\":\\[1.0,2\\]\\}\\}\\],.*"));
}

TEST(Page, has_text_and_bytes_as_base64) {
  House house;
  house.stage.publish("text/1", "a b");
  house.stage.publish("binary/1", std::string("\0\xff", 2));
  EXPECT_THAT(house.get("/text/1").body, HasSubstr("\"data_base64\":\"YSBi\""));
  EXPECT_THAT(house.get("/binary/1").body, HasSubstr("\"data_base64\":\"AP8=\""));
}

TEST(Page, is_cut_by_its_limit_and_goes_on_from_its_cursor) {
  House house;
  for (int i = 1; i <= 5; ++i) house.stage.publish("a/1", std::to_string(i));
  const Reply first = house.get("/a/1?limit=2");
  EXPECT_THAT(first.body, testing::EndsWith("\"data\":2}" + end_of_page(house.cursor(2), false)));
  const Reply second = house.get("/a/1?limit=3&after=" + first.field("Tidewire-Cursor"));
  EXPECT_THAT(second.body, HasSubstr("\"data\":3}"));
  EXPECT_THAT(second.body, testing::EndsWith("\"data\":5}" + end_of_page(house.cursor(5), true)));
}

TEST(Page, is_410_where_events_are_gone_and_says_from_where_to_go_on) {
  House house({.stage = {.limits = {.memory_bytes_max = 3'000}}});
  for (int i = 0; i < 40; ++i) house.stage.publish("a/1");
  const auto check = [&](const std::string& after, const char* reason) {
    const Reply reply = house.get("/a/1?after=" + after);
    EXPECT_EQ(reply.status, 410);
    EXPECT_THAT(reply.body, HasSubstr("\"reason\":\"" + std::string(reason) + "\",\"cursor\":\"" + house.cursor(40) +
                                      "\",\"earliest\":\""));
    EXPECT_THAT(reply.body, HasSubstr("\"latest\":\"" + house.cursor(40) + "\""));
    return reply.body;
  };
  const std::string body = check(house.cursor(0), "trimmed");
  check(house.cursor(41), "ahead");
  const engine::Cursor other{house.stage.lane.identity().epoch + 1, 40};
  check(other.token(), "epoch-changed");
  const std::string earliest = body.substr(body.find("\"earliest\":\"") + 12, engine::kCursorBytes);
  EXPECT_EQ(house.get("/a/1?after=" + earliest).status, 200);
  EXPECT_THAT(house.get("/a/1?on_reset=earliest&after=" + house.cursor(0)).body, HasSubstr("\"cursor\":\"" + earliest));
}

TEST(LongPoll, wakes_with_the_first_event) {
  House house;
  house.stage.publish("a/1", "1");
  const auto peer = waiting(house, "/a/1?after=" + house.cursor(1) + "&wait=60");
  house.stage.publish("a/2", "2");
  house.stage.publish("a/1", "3");
  ASSERT_TRUE(peer->until_received("up_to_date\":true}", sim::kSecondNs));
  const Reply reply = take_reply(peer->received);
  EXPECT_THAT(reply.body, testing::EndsWith("\"data\":3}" + end_of_page(house.cursor(3), true)));
  EXPECT_EQ(house.stage.engine().subscriptions(), 0u);
}

TEST(LongPoll, times_out_empty_with_a_cursor_past_what_it_skipped) {
  House house;
  const auto peer = waiting(house, "/a/1?after=latest&wait=5");
  house.stage.publish("a/2");
  ASSERT_TRUE(peer->until_received("up_to_date\":true}", 6 * sim::kSecondNs));
  const Reply reply = take_reply(peer->received);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "{\"events\":[" + end_of_page(house.cursor(1), true));
}

TEST(LongPoll, does_not_wait_when_there_is_something) {
  House house;
  house.stage.publish("a/1", "1");
  const std::uint64_t before_ns = house.stage.world.now_ns();
  EXPECT_THAT(house.get("/a/1?wait=60").body, HasSubstr("\"data\":1}"));
  EXPECT_LT(house.stage.world.now_ns() - before_ns, sim::kSecondNs);
}

// Whatever else is committed at whatever moment, there is nothing for this client.
TEST(LongPoll, is_not_ended_by_the_traffic_of_others) {
  for (std::uint64_t seed = 1; seed < 20; ++seed) {
    House house({.stage = {.seed = seed}});
    const auto peer = house.connect();
    const std::string text = request("GET", "/a/1?wait=60");
    peer->send(text);
    std::uint64_t steps = seed;  // from the last byte on
    peer->until([&] { return house.connections().counters().received_bytes == text.size() && steps-- == 0; },
                sim::kSecondNs);
    for (int i = 0; i < 20; ++i) house.stage.publish("a/2");
    peer->run_for(5 * sim::kSecondNs);
    EXPECT_EQ(peer->received, "") << seed << ": it waits";
    ASSERT_TRUE(peer->until_received("up_to_date\":true}", 61 * sim::kSecondNs)) << seed;
    EXPECT_EQ(take_reply(peer->received).body, "{\"events\":[" + end_of_page(house.cursor(20), true));
  }
}

TEST(LongPoll, goes_on_behind_a_bounded_scan) {
  House house({.stage = {.limits = {.memory_bytes_max = 64 << 20}}});
  const std::string large = '"' + std::string(1 << 20, 'x') + '"';
  for (int i = 0; i < 18; ++i) house.stage.publish("a/2", large);
  house.stage.publish("a/1", "1");
  EXPECT_EQ(house.get("/a/1").body, "{\"events\":[" + end_of_page(house.cursor(16), false)) << "without waiting";
  const Reply reply = house.get("/a/1?wait=60");
  EXPECT_THAT(reply.body, testing::EndsWith("\"data\":1}" + end_of_page(house.cursor(19), true)));
}

// Several runs of one commit reach a subscription in one turn, and the answer takes the first only.
TEST(LongPoll, is_answered_once_by_a_commit_with_much_for_it) {
  for (std::uint64_t seed = 1; seed < 10; ++seed) {
    House house({.stage = {.seed = seed, .loops = 2}});
    const auto peer = waiting(house, "/a/1?after=latest&wait=60&limit=1");
    house.stage.on_loop(
        [&] {
          for (int i = 1; i <= 10; ++i)
            house.stage.begin_publish(i % 3 == 0 ? "a/2" : "a/1", std::to_string(i), [](const auto&) {}, 1);
        },
        1);
    ASSERT_TRUE(peer->until_received("up_to_date"));
    house.stage.settle();
    peer->run_for(sim::kSecondNs);
    const Reply reply = take_reply(peer->received);
    EXPECT_EQ(peer->received, "");
    EXPECT_THAT(reply.body, HasSubstr("\"data\":1}],\"cursor\":\"" + house.cursor(1)));
    EXPECT_THAT(house.get("/a/1?limit=1&after=" + reply.field("Tidewire-Cursor")).body, HasSubstr("\"data\":2}"))
        << "what it did not take is behind its cursor";
  }
}

TEST(LongPoll, ends_when_the_client_goes) {
  House house;
  {
    const auto peer = waiting(house, "/a/1?after=latest&wait=60");
    EXPECT_EQ(house.stage.engine().subscriptions(), 1u);
  }
  house.stage.settle(5 * sim::kSecondNs);
  EXPECT_EQ(house.stage.engine().subscriptions(), 0u);
}

// At any moment: while it is read, before its subscription has begun, while it waits.
TEST(LongPoll, never_takes_its_client_back) {
  for (std::uint64_t seed = 1; seed < 60; ++seed) {
    House house({.stage = {.seed = seed}});
    for (int i = 0; i < 3; ++i) house.stage.publish("a/2");
    const auto peer = house.connect();
    const std::string text = request("GET", "/a/1?wait=60&after=" + house.cursor(2));
    peer->send(text);
    if (seed % 2 == 0) peer->finish_sending();
    std::uint64_t steps = seed / 2;  // from the last byte on
    peer->until([&] { return house.connections().counters().received_bytes == text.size() && steps-- == 0; },
                sim::kSecondNs);
    if (seed % 2 == 1) house.shut_down();
    ASSERT_TRUE(peer->until_end(2 * sim::kSecondNs)) << seed;
    const Reply reply = take_reply(peer->received);
    EXPECT_EQ(reply.field("Tidewire-Cursor"), house.cursor(3)) << seed << reply.head << reply.body;
  }
}

TEST(EphemeralPage, has_what_arrives_while_it_waits) {
  House house;
  const auto peer = waiting(house, "/typing/1?wait=60");
  house.stage.publish("typing/1", "1");
  ASSERT_TRUE(peer->until_received("live_only\":[\"typing/1\"]}"));
  const Reply reply = take_reply(peer->received);
  EXPECT_THAT(reply.body, HasSubstr("\"message\":\"typed\",\"data\":1}],"));
  EXPECT_THAT(reply.body, testing::EndsWith("\"up_to_date\":true,\"live_only\":[\"typing/1\"]}"));
  EXPECT_EQ(house.get("/typing/1").body,
            "{\"events\":[],\"cursor\":\"" + house.cursor(0) + "\",\"up_to_date\":true,\"live_only\":[\"typing/1\"]}");
}

TEST(EphemeralPage, is_up_to_date_whatever_others_do) {
  House house;
  const auto peer = waiting(house, "/typing/1?wait=60");
  house.stage.on_loop([&] {
    house.stage.begin_publish("a/1", "1", [](const auto&) {});
    house.stage.begin_publish("a/1", "2", [](const auto&) {});
  });
  peer->run_for(sim::kSecondNs);
  house.stage.publish("typing/1", "1");
  ASSERT_TRUE(peer->until_received("live_only\":[\"typing/1\"]}"));
  EXPECT_THAT(take_reply(peer->received).body, HasSubstr("\"up_to_date\":true,\"live_only\""));
}

TEST(EphemeralPage, cannot_begin_at_a_cursor) {
  House house;
  house.stage.publish("a/1");
  for (const std::string& after : {house.cursor(1), std::string("earliest")}) {
    const Reply reply = house.get("/typing/1?after=" + after);
    EXPECT_EQ(reply.status, 410);
    EXPECT_THAT(reply.body, HasSubstr("\"reason\":\"not-retained\""));
  }
  EXPECT_EQ(house.get("/typing/1?after=latest").status, 200);
}

}  // namespace
}  // namespace protocols::http
