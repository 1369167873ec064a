// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/client/event_source.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "protocols/http/client/scripted_server.h"
#include "tests/support/sim_world.h"

namespace protocols::http {
namespace {

constexpr std::uint64_t kPatienceNs = 1'000 * sim::kSecondNs;
constexpr std::uint64_t kSeeds = 30;

using Lines = std::vector<std::string>;

class Notes final : public EventSource::Receiver {
 public:
  void on_open() override { lines.emplace_back("open"); }
  void on_block(const StreamBlock& block) override {
    lines.push_back(std::string(block.type) + "[" + std::string(block.data) + "]@" + std::string(block.id));
    if (on_each) on_each(block);
  }
  void on_lost(const EventSource::Loss& loss) override {
    lines.push_back("lost " + loss.reason);
    losses.push_back(loss);
    if (on_loss) on_loss();
  }
  void on_refused(const std::string& sentence) override { lines.push_back("refused " + sentence); }

  Lines lines;
  std::vector<EventSource::Loss> losses;
  std::function<void(const StreamBlock&)> on_each;
  std::function<void()> on_loss;
};

class World {
 public:
  explicit World(std::uint64_t seed, ScriptedServer::Serve serve)
      : world({.seed = seed}),
        loop(world.world(), "client"),
        server_loop(world.world(), "server"),
        connections(loop),
        source(connections, Url::parse("http://127.0.0.1:8080/likes").value(), notes),
        server(server_loop, std::move(serve)) {
    world.world().threads.start(loop);
    world.world().threads.start(server_loop);
  }
  ~World() {
    source.close();
    connections.close_all();
    server.stop_listening();
    server.connections().close_all();
    for (io::Loop* each : {&loop, &server_loop}) {
      each->stop();
      world.world().threads.join(*each);
    }
  }
  void listen() { server.listen(io::Endpoint::parse("127.0.0.1:8080").value()); }
  bool until_lines(std::size_t count) {
    return world.run_until([&] { return notes.lines.size() >= count; }, kPatienceNs);
  }

  sim::SimWorld world;
  io::Loop loop;
  io::Loop server_loop;
  net::Connections connections;
  Notes notes;
  EventSource source;
  ScriptedServer server;
};

// The n-th request gets the n-th text behind the head of a stream, then the connection ends; the last one stays open.
ScriptedServer::Serve streams(std::vector<std::string> texts) {
  return [texts = std::move(texts)](net::Connection& connection, const auto&, std::size_t number) {
    connection.send(ScriptedServer::stream_head() + texts.at(number));
    if (number + 1 < texts.size()) connection.close_after_sending();
  };
}

TEST(EventSource, comes_back_with_its_last_position) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    World world(seed, streams({"id: 1\n\nid: 2\ndata: a\n\ndata: cut", "data: b\n\n", "id: 3\ndata: c\n\n"}));
    world.listen();
    world.source.open();
    ASSERT_TRUE(world.until_lines(9));
    EXPECT_EQ(world.notes.lines, (Lines{"open", "[]@1", "message[a]@2", "lost the server ended the stream", "open",
                                        "message[b]@", "lost the server ended the stream", "open", "message[c]@3"}));
    const auto& requests = world.server.requests();
    ASSERT_EQ(requests.size(), 3U);
    EXPECT_EQ(requests[0].line, "GET /likes");
    EXPECT_EQ(requests[0].field("Accept"), "text/event-stream");
    EXPECT_EQ(requests[0].field("Last-Event-ID"), "");
    EXPECT_EQ(requests[1].field("Last-Event-ID"), "2");
    EXPECT_EQ(requests[2].field("Last-Event-ID"), "2") << "an event without a position leaves the last one";
  }
}

TEST(EventSource, waits_as_long_as_the_stream_said_give_or_take_a_half) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    World world(seed, streams({"retry: 4000\n\n", "data: a\n\n"}));
    world.listen();
    world.source.open();
    ASSERT_TRUE(world.until_lines(2));
    const std::uint64_t lost_ns = world.world.now_ns();
    EXPECT_GE(world.notes.losses[0].pause_ns, 2 * sim::kSecondNs);
    EXPECT_LT(world.notes.losses[0].pause_ns, 6 * sim::kSecondNs);
    ASSERT_TRUE(world.until_lines(3));
    EXPECT_GE(world.world.now_ns() - lost_ns, world.notes.losses[0].pause_ns);
  }
}

TEST(EventSource, pauses_grow_while_nobody_is_there_and_shrink_again_with_a_stream) {
  World world(3, streams({"data: a\n\n", "data: b\n\n"}));
  world.source.open();
  ASSERT_TRUE(world.until_lines(8));
  for (const auto& loss : world.notes.losses) {
    EXPECT_EQ(loss.error.sys_errno, ECONNREFUSED);
    EXPECT_LT(loss.pause_ns, kRetryNsMax * 3 / 2);
  }
  EXPECT_GE(world.notes.losses.back().pause_ns, kRetryNsMax / 2);
  world.listen();
  ASSERT_TRUE(world.until_lines(11));
  EXPECT_LT(world.notes.losses.back().pause_ns, kRetryNs * 3 / 2);
}

TEST(EventSource, a_pause_that_the_server_asks_for_is_not_shortened) {
  World world(4, streams({"event: closing\ndata: 20000\n\n", "data: a\n\n"}));
  world.notes.on_each = [&](const StreamBlock& block) {
    if (block.type == "closing") world.source.ask_pause(20'000);
  };
  world.listen();
  world.source.open();
  ASSERT_TRUE(world.until_lines(5));
  EXPECT_GE(world.notes.losses[0].pause_ns, 20 * sim::kSecondNs);
  EXPECT_LE(world.notes.losses[0].pause_ns, 25 * sim::kSecondNs);
}

TEST(EventSource, a_temporary_refusal_is_tried_again) {
  World world(5, [](net::Connection& connection, const auto&, std::size_t number) {
    if (number == 0)
      connection.send("HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
    else
      connection.send(ScriptedServer::stream_head() + "data: a\n\n");
  });
  world.listen();
  world.source.open();
  ASSERT_TRUE(world.until_lines(3));
  EXPECT_EQ(world.notes.lines, (Lines{"lost Busy (503)", "open", "message[a]@"}));
  EXPECT_GE(world.notes.losses[0].pause_ns, 7 * sim::kSecondNs);
}

TEST(EventSource, any_other_refusal_is_the_end) {
  for (const int status : {204, 301, 400, 403, 404, 405, 410, 422, 500}) {
    World world(6, [status](net::Connection& connection, const auto&, std::size_t) {
      connection.send(ScriptedServer::response(status, "application/problem+json", "{\"title\":\"No\"}"));
    });
    world.listen();
    world.source.open();
    ASSERT_TRUE(world.until_lines(1)) << status;
    EXPECT_TRUE(world.notes.lines[0].starts_with("refused ")) << world.notes.lines[0];
    world.world.run_for(100 * sim::kSecondNs);
    EXPECT_EQ(world.server.requests().size(), 1U) << status;
  }
}

TEST(EventSource, a_page_is_no_event_stream) {
  World world(7, [](net::Connection& connection, const auto&, std::size_t) {
    connection.send(ScriptedServer::response(200, "text/html", "<html>"));
  });
  world.listen();
  world.source.open();
  ASSERT_TRUE(world.until_lines(1));
  EXPECT_EQ(world.notes.lines, Lines{"refused this is no event stream; its Content-Type is `text/html`"});
}

TEST(EventSource, a_receiver_may_close_it_at_any_time) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    World world(seed, streams({"data: a\n\ndata: b\n\n"}));
    world.notes.on_each = [&](const StreamBlock&) { world.source.close(); };
    world.listen();
    world.source.open();
    ASSERT_TRUE(world.until_lines(2));
    world.world.run_for(100 * sim::kSecondNs);
    EXPECT_EQ(world.notes.lines, (Lines{"open", "message[a]@"}));

    World gone(seed, streams({"data: a\n\n"}));
    gone.notes.on_loss = [&] { gone.source.close(); };
    gone.source.open();
    ASSERT_TRUE(gone.until_lines(1));
    gone.world.run_for(100 * sim::kSecondNs);
    EXPECT_EQ(gone.notes.lines.size(), 1U);
  }
}

TEST(EventSource, a_position_that_is_no_field_value_is_never_sent_back) {
  World world(8, streams({"id: 1\ndata: a\n\nid: 2\x01\ndata: b\n\n", "data: c\n\n"}));
  world.listen();
  world.source.open();
  ASSERT_TRUE(world.until_lines(6));
  EXPECT_EQ(world.server.requests().at(1).field("Last-Event-ID"), "1");
}

}  // namespace
}  // namespace protocols::http
