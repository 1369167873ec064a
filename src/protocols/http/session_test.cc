// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/session.h"

#include "tests/support/http_house.h"

namespace protocols::http {
namespace {

constexpr auto kApp = House::Door::Application;

std::vector<int> statuses(std::string text) {
  std::vector<int> all;
  for (Reply reply = take_reply(text); reply.status != 0; reply = take_reply(text)) all.push_back(reply.status);
  EXPECT_EQ(text, "");
  return all;
}

TEST(Session, keeps_the_connection_for_the_next_request) {
  House house;
  const auto peer = house.connect();
  for (int i = 0; i < 3; ++i) {
    peer->send(request("GET", "/a/1"));
    ASSERT_TRUE(peer->until_received("up_to_date\":true}"));
    const Reply reply = take_reply(peer->received);
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.field("Connection"), "-");
  }
  EXPECT_EQ(house.connections().counters().accepted, 1u);
}

TEST(Session, closes_when_the_client_asked_for_it) {
  House house;
  const auto peer = house.connect();
  peer->send(request("GET", "/a/1", {{"Connection", "close"}}) + request("GET", "/a/2"));
  ASSERT_TRUE(peer->until_end());
  const Reply reply = take_reply(peer->received);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.field("Connection"), "close");
  EXPECT_EQ(peer->received, "") << "what follows a last request is not answered";
}

TEST(Session, answers_pipelined_requests_in_their_order) {
  House house;
  const auto peer = house.connect(kApp);
  // A publish waits for its commit; what is behind it could be answered at once, and waits too.
  peer->send(request("POST", "/a/1", {}, "1") + request("GET", "/nowhere") + request("POST", "/a/1", {}, "2") +
             request("OPTIONS", "*") + request("POST", "/a/1", {}, "{") +
             request("GET", "/nowhere", {{"Connection", "close"}}));
  ASSERT_TRUE(peer->until_end());
  EXPECT_EQ(statuses(peer->received), (std::vector<int>{201, 404, 201, 204, 422, 404}));
  EXPECT_EQ(house.stage.lane.durable(), 2u);
}

TEST(Session, closes_behind_an_http_1_0_answer_unless_asked_to_stay) {
  House house;
  auto peer = house.connect();
  peer->send(request("GET", "/a/1", {}, {}, "HTTP/1.0"));
  ASSERT_TRUE(peer->until_end());
  EXPECT_EQ(take_reply(peer->received).field("Connection"), "close");
  peer = house.connect();
  peer->send(request("GET", "/a/1", {{"Connection", "keep-alive"}}, {}, "HTTP/1.0"));
  ASSERT_TRUE(peer->until_received("up_to_date\":true}"));
  EXPECT_EQ(take_reply(peer->received).field("Connection"), "keep-alive");
  peer->send(request("GET", "/a/1", {}, {}, "HTTP/1.0"));
  ASSERT_TRUE(peer->until_end());
  EXPECT_EQ(take_reply(peer->received).status, 200);
}

TEST(Session, tells_a_client_that_waits_for_it_to_go_on_with_the_body) {
  House house;
  const auto peer = house.connect(kApp);
  peer->send("POST /a/1 HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  ASSERT_TRUE(peer->until_received("\r\n\r\n"));
  EXPECT_EQ(peer->received, "HTTP/1.1 100 Continue\r\n\r\n");
  peer->received.clear();
  peer->send("{}");
  ASSERT_TRUE(peer->until_received("cursor"));
  EXPECT_EQ(take_reply(peer->received).status, 201);
}

TEST(Session, refuses_a_body_that_is_too_large_before_it_comes) {
  House house({.shared = with_event_bytes_max(100)});
  const auto peer = house.connect(kApp);
  peer->send("POST /a/1 HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 101\r\n\r\n");
  ASSERT_TRUE(peer->until_end());
  EXPECT_EQ(statuses(peer->received), (std::vector<int>{413}));
}

TEST(Session, refuses_what_is_no_request_and_closes) {
  House house;
  const std::pair<std::string, int> cases[] = {
      {"GET /a/1\r\n\r\n", 400},
      {"GET /a/1 HTTP/1.1\r\n\r\n", 400},
      {"GET /a/1 HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400},
      {"GET /a/1 HTTP/1.1\r\nHost : localhost\r\n\r\n", 400},
      {"POST /a/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
      {"POST /a/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"POST /a/1 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
      {"GET /" + std::string(9'000, 'x') + " HTTP/1.1\r\nHost: localhost\r\n\r\n", 414},
      {"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n", 431},
      {"GET / HTTP/1.1\r\nHost: localhost\r\nExpect: magic\r\n\r\n", 417},
      {"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", 505},
  };
  for (const auto& [text, status] : cases) {
    const auto peer = house.connect();
    peer->send(text + request("GET", "/a/1"));
    ASSERT_TRUE(peer->until_end());
    const Reply reply = take_reply(peer->received);
    EXPECT_EQ(reply.status, status) << text.substr(0, 80);
    EXPECT_EQ(reply.field("Content-Type"), "application/problem+json");
    EXPECT_EQ(reply.field("Connection"), "close");
    EXPECT_NE(reply.field("Date"), "-") << "RFC 9110 section 6.6.1";
    EXPECT_EQ(peer->received, "") << "nothing behind it is believed";
  }
}

TEST(Session, reads_the_same_however_the_bytes_arrive) {
  const std::string texts[] = {
      request("GET", "/a/1?after=earliest&limit=7", {{"Accept", "application/json"}}) + request("HEAD", "/a/1") +
          request("GET", "/nowhere") + request("OPTIONS", "/a/1", {{"Connection", "close"}}),
      "\r\n" + request("POST", "/a/1", {}, "{\"a\": [1, 2") + request("GET", "/a/1", {{"Connection", "close"}}),
      "POST /a/1 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
      "3;x=y\r\n{\"a\r\n1\r\n\"\r\n0\r\nTrailer: t\r\n\r\n",
      "GET /a/1 HTTP/1.1\r\nHost: localhost\r\nX : y\r\n\r\n",
  };
  House house;
  for (const std::string& text : texts) {
    const auto answer_to = [&](std::size_t cut) {
      const auto peer = house.connect(kApp);
      peer->send(text.substr(0, cut));
      peer->run_for(sim::kMsNs);
      peer->send(text.substr(cut));
      EXPECT_TRUE(peer->until_end()) << cut;
      // Time goes on between the runs.
      std::string received = peer->received;
      for (std::size_t at = 0; (at = received.find("Date: ", at)) != std::string::npos; at += 6)
        received.replace(at + 6, 29, 29, '.');
      return received;
    };
    const std::string whole = answer_to(text.size());
    EXPECT_TRUE(whole.starts_with("HTTP/1.1 ")) << text;
    for (std::size_t cut = 0; cut < text.size(); ++cut) ASSERT_EQ(answer_to(cut), whole) << text.substr(0, cut);
  }
  EXPECT_EQ(house.stage.lane.durable(), 0u);
}

TEST(Session, answers_a_client_that_has_finished_sending) {
  House house;
  for (int i = 0; i < 3; ++i) house.stage.publish("a/1", std::to_string(i));
  for (int i = 0; i < 20; ++i) {
    const auto peer = house.connect();
    peer->send(request("GET", "/a/1"));
    peer->finish_sending();
    ASSERT_TRUE(peer->until_end());
    const Reply reply = take_reply(peer->received);
    EXPECT_EQ(reply.field("Tidewire-Cursor"), house.cursor(3));
    EXPECT_NE(reply.body.find("\"data\":2}"), std::string::npos) << "the page is read and not cut off: " << reply.body;
  }
}

TEST(Session, answers_all_that_was_pipelined_before_the_client_finished_sending) {
  House house;
  for (int i = 0; i < 20; ++i) {
    const auto peer = house.connect(kApp);
    peer->send(request("POST", "/a/1", {}, "1") + request("POST", "/a/1", {}, "2") + request("GET", "/nowhere") +
               "GET /unfinished");
    peer->finish_sending();
    ASSERT_TRUE(peer->until_end(30 * sim::kSecondNs));
    EXPECT_TRUE(peer->ended);
    EXPECT_EQ(statuses(peer->received), (std::vector<int>{201, 201, 404}));
  }
}

TEST(Session, answers_no_faster_than_the_client_reads) {
  House house;
  const auto peer = house.connect();
  peer->reading = false;
  constexpr std::size_t kRequests = 20'000;
  std::string many;
  for (std::size_t i = 0; i < kRequests; ++i) many += request("GET", "/x");
  peer->send(many);
  peer->run_for(10 * sim::kSecondNs);
  // What it reads is its kernel buffers, its input and what it answered already.
  EXPECT_LT(house.connections().counters().received_bytes, 500'000u) << "it stops reading, and keeps no answers";
  peer->reading = true;
  std::size_t answered = 0;
  const auto count = [&] {
    for (std::size_t at; (at = peer->received.find("no-such-channel")) != std::string::npos;) {
      ++answered;
      peer->received.erase(0, at + 1);
    }
    return answered == kRequests;
  };
  EXPECT_TRUE(peer->until(count)) << answered;
}

TEST(Session, refuses_requests_while_too_many_answers_wait_for_slow_readers) {
  SurfaceSettings settings;
  settings.loop_output_bytes_max = 100'000;
  settings.origins = {"https://app.example"};
  House house({.shared = settings});
  house.stage.publish("a/1", '"' + std::string(800'000, 'x') + '"');
  house.stage.settle();
  const auto slow = house.connect();
  slow->reading = false;
  slow->send(request("GET", "/a/1"));
  slow->run_for(sim::kSecondNs);
  const Reply refused = house.get("/a/2", {{"Origin", "https://app.example"}});
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.field("Retry-After"), "1");
  EXPECT_EQ(refused.field("Access-Control-Allow-Origin"), "https://app.example");
  slow->reading = true;
  ASSERT_TRUE(slow->until_received("up_to_date\":true}"));
  EXPECT_EQ(house.get("/a/2").status, 200);
}

TEST(Session, is_not_idle_while_its_answer_is_read_slowly) {
  House house;
  house.stage.publish("a/1", '"' + std::string(900'000, 'x') + '"');
  house.stage.settle();
  const auto slow = house.connect();
  slow->reading = false;
  slow->send(request("GET", "/a/1"));
  for (int i = 0; i < 3; ++i) {
    slow->run_for(kIdleNs - sim::kSecondNs);
    slow->reading = true;
    ASSERT_TRUE(slow->until([&, had = slow->received.size()] { return slow->received.size() > had; }));
    slow->reading = false;
  }
  slow->reading = true;
  EXPECT_TRUE(slow->until_received("up_to_date\":true}"));
}

TEST(Session, answers_nobody_who_has_gone) {
  for (std::uint64_t seed = 1; seed < 40; ++seed) {
    House house({.stage = {.seed = seed}});
    const auto peer = house.connect(kApp);
    peer->send(request("POST", "/a/1", {}, "1") + request("POST", "/a/1", {}, "2"));
    peer->run_for(seed * 10'000);
    if (seed % 2 == 0) house.stage.world.network().reset(peer->handle());
    peer->close();
    house.stage.settle();
    house.stage.settle(5 * sim::kSecondNs);
    EXPECT_EQ(house.connections().open(), 0u);
  }
}

TEST(Session, gives_a_head_ten_seconds) {
  House house;
  const auto peer = house.connect();
  peer->send("GET /a/1 HTTP/1.1\r\n");
  peer->run_for(6 * sim::kSecondNs);
  peer->send("Host: localhost\r\n");
  peer->run_for(3 * sim::kSecondNs);
  EXPECT_FALSE(peer->is_over());
  ASSERT_TRUE(peer->until_end(3 * sim::kSecondNs)) << "more of the head gives no more time";
  EXPECT_EQ(take_reply(peer->received).status, 408);
}

TEST(Session, gives_a_body_time_while_it_makes_progress) {
  House house;
  const auto peer = house.connect(kApp);
  peer->send("POST /a/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n\"");
  for (int i = 0; i < 4; ++i) {
    peer->run_for(8 * sim::kSecondNs);
    ASSERT_FALSE(peer->is_over()) << i;
    peer->send(std::string(kBodyBytesPerPeriodMin, 'x'));
  }
  ASSERT_TRUE(peer->until_end(25 * sim::kSecondNs)) << "then it stands still";
  EXPECT_EQ(take_reply(peer->received).status, 408);
}

TEST(Session, closes_silently_when_nothing_is_asked) {
  House house;
  const auto fresh = house.connect();
  const auto used = house.connect();
  used->send(request("GET", "/a/1"));
  ASSERT_TRUE(used->until_received("up_to_date\":true}"));
  used->received.clear();
  used->run_for(kIdleNs - 2 * sim::kSecondNs);
  EXPECT_FALSE(used->is_over());
  used->run_for(4 * sim::kSecondNs);
  EXPECT_TRUE(used->until_end(0));
  EXPECT_EQ(used->received, "");
  EXPECT_TRUE(fresh->until_end(0)) << "one that never said anything as well";
}

TEST(Session, ends_with_the_program_after_its_answer) {
  House house;
  const auto waiting = house.connect(), idle = house.connect();
  waiting->send(request("GET", "/a/1?after=latest&wait=60"));
  idle->send(request("GET", "/a/1"));
  ASSERT_TRUE(idle->until_received("up_to_date\":true}"));
  waiting->run_for(sim::kSecondNs);
  house.shut_down();
  ASSERT_TRUE(waiting->until_end());
  ASSERT_TRUE(idle->until_end());
  const Reply reply = take_reply(waiting->received);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.field("Tidewire-Cursor"), house.cursor(0));
  EXPECT_EQ(reply.field("Connection"), "close");
}

}  // namespace
}  // namespace protocols::http
