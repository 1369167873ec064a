// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/client/client.h"

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

constexpr std::uint64_t kPatienceNs = 200 * sim::kSecondNs;
constexpr std::uint64_t kSeeds = 40;

// Notes what it is told as one line each.
class Notes final : public Client::Receiver {
 public:
  Client::Body on_head(const ResponseHead& head) override {
    lines.push_back("head " + std::to_string(head.status()));
    return take;
  }
  void on_body(base::Bytes bytes) override {
    streamed += bytes;
    if (on_piece) on_piece();
  }
  void on_response(const ResponseHead& head, std::string collected) override {
    lines.push_back("response " + std::to_string(head.status()) + " " + collected);
    if (after) after();
  }
  void on_failed(base::Error error) override {
    failure = error;
    lines.push_back(std::string("failed ") + base::name(error.code));
    if (after) after();
  }

  Client::Body take = Client::Body::Collect;
  std::vector<std::string> lines;
  std::string streamed;
  base::Error failure{};
  std::function<void()> on_piece;
  std::function<void()> after;
};

class World {
 public:
  explicit World(std::uint64_t seed, ScriptedServer::Serve serve)
      : world({.seed = seed}),
        loop(world.world(), "client"),
        server_loop(world.world(), "server"),
        connections(loop),
        server(server_loop, std::move(serve)) {
    world.world().threads.start(loop);
    world.world().threads.start(server_loop);
    client = std::make_unique<Client>(connections, endpoint, notes);
  }
  ~World() {
    client.reset();
    connections.close_all();
    server.stop_listening();
    server.connections().close_all();
    for (io::Loop* each : {&loop, &server_loop}) {
      each->stop();
      world.world().threads.join(*each);
    }
  }
  void listen() { server.listen(endpoint); }
  bool until(const std::function<bool()>& done) { return world.run_until(done, kPatienceNs); }
  bool until_lines(std::size_t count) {
    return until([&] { return notes.lines.size() >= count; });
  }

  const io::Endpoint endpoint = io::Endpoint::parse("127.0.0.1:8080").value();
  sim::SimWorld world;
  io::Loop loop;
  io::Loop server_loop;
  net::Connections connections;
  Notes notes;
  ScriptedServer server;
  std::unique_ptr<Client> client;
};

using Lines = std::vector<std::string>;

const ScriptedServer::Serve kSayNothing = [](net::Connection&, const auto&, std::size_t) {};

ScriptedServer::Serve answer(std::string bytes) {
  return [bytes = std::move(bytes)](net::Connection& connection, const auto&, std::size_t) { connection.send(bytes); };
}

TEST(Client, sends_a_request_and_collects_its_response) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    World stage(seed, answer(ScriptedServer::response(201, "application/json", "{}")));
    stage.listen();
    ClientRequest request{.method = "POST", .target = "/a?b=c", .host = "localhost:8080", .body = "{\"n\":1}"};
    request.fields.emplace_back("Content-Type", "application/json");
    stage.client->send(request);
    ASSERT_TRUE(stage.until_lines(2));
    EXPECT_EQ(stage.notes.lines, (Lines{"head 201", "response 201 {}"}));
    const auto& got = stage.server.requests().at(0);
    EXPECT_EQ(got.line, "POST /a?b=c");
    EXPECT_EQ(got.body, "{\"n\":1}");
    EXPECT_EQ(got.field("Host"), "localhost:8080");
    EXPECT_EQ(got.field("Content-Type"), "application/json");
    EXPECT_EQ(got.field("Content-Length"), "7");
  }
}

TEST(Client, answers_to_pipelined_requests_come_in_order) {
  constexpr std::size_t kRequests = 100;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    World stage(seed, [](net::Connection& connection, const ScriptedServer::Request& request, std::size_t) {
      connection.send(ScriptedServer::response(200, "text/plain", request.body));
    });
    stage.listen();
    for (std::size_t i = 0; i < kRequests; ++i) {
      stage.client->send({.method = "POST", .target = "/", .host = "h", .body = std::to_string(i)});
    }
    ASSERT_TRUE(stage.until_lines(2 * kRequests));
    for (std::size_t i = 0; i < kRequests; ++i) {
      ASSERT_EQ(stage.notes.lines[2 * i + 1], "response 200 " + std::to_string(i));
    }
    EXPECT_TRUE(stage.client->can_send());
    EXPECT_EQ(stage.server.connections().counters().accepted, 1U);
  }
}

TEST(Client, streams_a_body_as_it_comes) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    World stage(seed, answer(ScriptedServer::stream_head() + std::string(100'000, 'e')));
    stage.notes.take = Client::Body::Stream;
    stage.listen();
    stage.client->send({.host = "h"});
    ASSERT_TRUE(stage.until([&] { return stage.notes.streamed.size() == 100'000; }));
    EXPECT_EQ(stage.notes.lines, Lines{"head 200"});
  }
}

TEST(Client, may_be_destroyed_in_every_call_of_its_receiver) {
  const auto bytes = ScriptedServer::response(200, "text/plain", "abc");
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    World whole(seed, answer(bytes));
    whole.listen();
    whole.notes.after = [&] { whole.client.reset(); };
    whole.client->send({.host = "h"});
    whole.client->send({.host = "h"});
    ASSERT_TRUE(whole.until([&] { return !whole.client; }));
    whole.world.run_for(sim::kSecondNs);
    EXPECT_EQ(whole.notes.lines, (Lines{"head 200", "response 200 abc"}));
    EXPECT_EQ(whole.connections.open(), 0U);

    World piece(seed, answer(bytes));
    piece.listen();
    piece.notes.take = Client::Body::Stream;
    piece.notes.on_piece = [&] { piece.client.reset(); };
    piece.client->send({.host = "h"});
    ASSERT_TRUE(piece.until([&] { return !piece.client; }));
    piece.world.run_for(sim::kSecondNs);
    EXPECT_EQ(piece.notes.lines, Lines{"head 200"});
  }
}

TEST(Client, a_refused_connection_is_told_with_its_cause) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    World stage(seed, kSayNothing);
    stage.client->send({.host = "h"});
    EXPECT_TRUE(stage.notes.lines.empty()) << "never from within send()";
    ASSERT_TRUE(stage.until_lines(1));
    EXPECT_EQ(stage.notes.lines, Lines{"failed system"});
    EXPECT_EQ(stage.notes.failure.sys_errno, ECONNREFUSED);
    EXPECT_FALSE(stage.client->can_send());
  }
}

TEST(Client, a_server_that_never_answers_times_out) {
  World stage(1, kSayNothing);
  stage.listen();
  const std::uint64_t began_ns = stage.world.now_ns();
  stage.client->send({.host = "h"});
  ASSERT_TRUE(stage.until_lines(1));
  EXPECT_EQ(stage.notes.lines, Lines{"failed timed-out"});
  EXPECT_GE(stage.world.now_ns() - began_ns, ClientLimits{}.head_ns);
}

TEST(Client, a_stream_that_goes_silent_times_out) {
  World stage(1, answer(ScriptedServer::stream_head() + "x"));
  stage.notes.take = Client::Body::Stream;
  stage.listen();
  stage.client->send({.host = "h"});
  ASSERT_TRUE(stage.until_lines(2));
  EXPECT_EQ(stage.notes.lines, (Lines{"head 200", "failed timed-out"}));
  EXPECT_EQ(stage.notes.streamed, "x");
}

TEST(Client, a_server_that_closes_without_an_answer_is_told) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    World stage(seed, [](net::Connection& connection, const auto&, std::size_t) { connection.close_after_sending(); });
    stage.listen();
    stage.client->send({.host = "h"});
    ASSERT_TRUE(stage.until_lines(1));
    EXPECT_EQ(stage.notes.lines, Lines{"failed closed"});
  }
}

TEST(Client, a_response_that_is_cut_short_is_no_response) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    World stage(seed, [](net::Connection& connection, const auto&, std::size_t) {
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc");
      connection.close_after_sending();
    });
    stage.listen();
    stage.client->send({.host = "h"});
    ASSERT_TRUE(stage.until_lines(2));
    EXPECT_EQ(stage.notes.lines, (Lines{"head 200", "failed closed"}));
  }
}

TEST(Client, a_body_may_end_with_the_connection) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    World stage(seed, [](net::Connection& connection, const auto&, std::size_t) {
      connection.send("HTTP/1.0 200 OK\r\n\r\nabc");
      connection.close_after_sending();
    });
    stage.listen();
    stage.client->send({.host = "h"});
    ASSERT_TRUE(stage.until_lines(2));
    EXPECT_EQ(stage.notes.lines, (Lines{"head 200", "response 200 abc"}));
    EXPECT_FALSE(stage.client->can_send());
  }
}

TEST(Client, after_connection_close_nothing_more_is_told) {
  World stage(1, answer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na"));
  stage.listen();
  stage.client->send({.host = "h"});
  stage.client->send({.host = "h"});
  ASSERT_TRUE(stage.until_lines(2));
  stage.world.run_for(100 * sim::kSecondNs);
  EXPECT_EQ(stage.notes.lines, (Lines{"head 200", "response 200 a"}));
  EXPECT_FALSE(stage.client->can_send());
}

TEST(Client, an_idle_connection_ends_in_silence) {
  World stage(1, [](net::Connection& connection, const auto&, std::size_t) {
    connection.send(ScriptedServer::response(200, "text/plain", "a"));
    connection.close_after_sending();
  });
  stage.listen();
  stage.client->send({.host = "h"});
  ASSERT_TRUE(stage.until([&] { return !stage.client->can_send(); }));
  EXPECT_EQ(stage.notes.lines, (Lines{"head 200", "response 200 a"}));
}

TEST(Client, a_collected_body_has_a_limit_and_a_streamed_one_has_none) {
  const std::size_t size = ClientLimits{}.collected_bytes_max + 1;
  for (const auto take : {Client::Body::Collect, Client::Body::Stream}) {
    World stage(1, answer(ScriptedServer::response(200, "text/plain", std::string(size, 'a'))));
    stage.notes.take = take;
    stage.listen();
    stage.client->send({.host = "h"});
    ASSERT_TRUE(stage.until_lines(2));
    EXPECT_EQ(stage.notes.lines[1], take == Client::Body::Collect ? "failed too-large" : "response 200 ");
  }
}

TEST(Client, what_is_no_http_is_refused) {
  World stage(1, answer("SSH-2.0-OpenSSH_9.2\r\n"));
  stage.listen();
  stage.client->send({.host = "h"});
  ASSERT_TRUE(stage.until_lines(1));
  EXPECT_EQ(stage.notes.lines.size(), 1U);
  EXPECT_TRUE(stage.notes.failure.code == base::Errc::BadInput || stage.notes.failure.code == base::Errc::Unsupported);
}

}  // namespace
}  // namespace protocols::http
