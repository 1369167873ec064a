// SPDX-License-Identifier: Apache-2.0
#include "server/commands/pub.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "protocols/http/client/scripted_server.h"
#include "server/commands/test_terminal.h"
#include "server/exit_code.h"
#include "tests/support/sim_world.h"

namespace server {
namespace {

using protocols::http::ScriptedServer;
constexpr std::uint64_t kSeeds = 20;

struct Outcome {
  std::optional<int> exit_code;
  std::string output;
  std::string error;
};

// One run of the command against a scripted server.
class Trial {
 public:
  explicit Trial(std::uint64_t seed = 0) : world_({.seed = seed}) {}

  Outcome operator()(PubOptions options, const ScriptedServer::Serve& serve) {
    io::Loop loop(world_.world(), "pub");
    io::Loop server_loop(world_.world(), "server");
    ScriptedServer server(server_loop, serve);
    if (serve) server.listen(io::Endpoint::parse("127.0.0.1:8080").value());
    world_.world().threads.start(loop);
    world_.world().threads.start(server_loop);
    Outcome outcome;
    if (options.url.empty()) options.url = "http://127.0.0.1:8080/likes";
    {
      auto publishing = std::make_unique<Publishing>(loop, options, terminal, [&](int code) {
        EXPECT_FALSE(outcome.exit_code) << "finished twice";
        outcome.exit_code = code;
      });
      loop.post([&] { publishing->start(); });
      world_.run_until([&] { return outcome.exit_code.has_value(); }, 300 * sim::kSecondNs);
      server.stop_listening();
      server.connections().close_all();
      for (io::Loop* each : {&loop, &server_loop}) {
        each->stop();
        world_.world().threads.join(*each);
      }
    }
    requests = server.requests();
    accepted = server.connections().counters().accepted;
    outcome.output = terminal.output;
    outcome.error = terminal.error;
    return outcome;
  }

  TestTerminal terminal;
  std::vector<ScriptedServer::Request> requests;
  std::uint64_t accepted = 0;

 private:
  sim::SimWorld world_;
};

std::string created(const std::string& id) {
  return ScriptedServer::response(201, "application/json", "{\"id\":\"" + id + "\",\"cursor\":\"c\"}\n");
}

const ScriptedServer::Serve kCreate = [](net::Connection& connection, const auto& request, std::size_t) {
  connection.send(created(request.body));
};

TEST(Pub, publishes_its_argument_and_prints_the_answer) {
  Trial run;
  const auto outcome = run({.data = "7", .id_key = "k1"}, kCreate);
  EXPECT_EQ(outcome.exit_code, kExitOk);
  EXPECT_EQ(outcome.output, "{\"id\":\"7\",\"cursor\":\"c\"}\n");
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(run.requests.at(0).line, "POST /likes");
  EXPECT_EQ(run.requests.at(0).field("Content-Type"), "application/json");
  EXPECT_EQ(run.requests.at(0).field("Idempotency-Key"), "k1");
}

TEST(Pub, publishes_the_whole_of_standard_input_as_one_event) {
  Trial run;
  run.terminal.input = {"{\"n\":\n", "1}"};
  const auto outcome = run({.content_type = "text/plain", .method = "PUT", .quiet = true}, kCreate);
  EXPECT_EQ(outcome.exit_code, kExitOk);
  EXPECT_EQ(outcome.output, "");
  EXPECT_EQ(run.requests.at(0).line, "PUT /likes");
  EXPECT_EQ(run.requests.at(0).body, "{\"n\":\n1}");
  EXPECT_EQ(run.requests.at(0).field("Content-Type"), "text/plain");
  EXPECT_EQ(run.requests.at(0).field("Idempotency-Key"), "");
}

TEST(Pub, lines_are_events_in_order_over_one_connection) {
  constexpr int kLines = 1'000;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    Trial run(seed);
    std::string text;
    std::string answers;
    for (int i = 0; i < kLines; ++i) {
      text += std::to_string(i) + (i % 2 == 0 ? "\n" : "\r\n");
      answers += "{\"id\":\"" + std::to_string(i) + "\",\"cursor\":\"c\"}\n";
    }
    run.terminal.input = {text.substr(0, 5), text.substr(5, 1'000), "", text.substr(1'005)};
    run.terminal.input.erase(run.terminal.input.begin() + 2);
    const auto outcome = run({.id_key = "k", .lines = true}, kCreate);
    ASSERT_EQ(outcome.exit_code, kExitOk) << outcome.error;
    EXPECT_EQ(outcome.output, answers);
    EXPECT_EQ(run.accepted, 1U);
    EXPECT_EQ(run.requests.at(41).field("Idempotency-Key"), "k-42");
  }
}

TEST(Pub, the_last_line_needs_no_end_and_empty_ones_are_passed_over) {
  Trial run;
  run.terminal.input = {"a\n\n\r\nb"};
  EXPECT_EQ(run({.lines = true}, kCreate).exit_code, kExitOk);
  ASSERT_EQ(run.requests.size(), 2U);
  EXPECT_EQ(run.requests[1].body, "b");
  Trial empty;
  EXPECT_EQ(empty({.lines = true}, kCreate).exit_code, kExitOk);
  EXPECT_EQ(empty.requests.size(), 0U);
}

TEST(Pub, a_server_that_closes_after_each_answer_gets_every_line_once) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    Trial run(seed);
    run.terminal.input = {"a\nb\nc\nd\n"};
    std::string stored;
    const auto outcome = run({.lines = true}, [&](net::Connection& connection, const auto& request, std::size_t) {
      stored += request.body;
      connection.send("HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}");
      connection.close_after_sending();
    });
    ASSERT_EQ(outcome.exit_code, kExitOk) << outcome.error;
    EXPECT_EQ(stored, "abcd");
    EXPECT_EQ(outcome.output, "{}\n{}\n{}\n{}\n");
  }
}

TEST(Pub, a_refusal_is_one_clear_sentence) {
  Trial run;
  const auto outcome = run({.data = "7"}, [](net::Connection& connection, const auto&, std::size_t) {
    connection.send(ScriptedServer::response(404, "application/problem+json",
                                             R"({"title":"No such channel","detail":"nothing is at likes"})"));
  });
  EXPECT_EQ(outcome.exit_code, kExitFinding);
  EXPECT_EQ(outcome.error, "tidewire: No such channel (404): nothing is at likes\n");
  EXPECT_EQ(outcome.output, "");
}

TEST(Pub, a_refused_line_is_named_and_stops_the_reading) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    Trial run(seed);
    for (int i = 1; i <= 2'000; ++i) run.terminal.input.push_back(std::to_string(i) + "\n");
    const auto outcome = run({.lines = true}, [](net::Connection& connection, const auto& request, std::size_t) {
      if (request.body == "3") {
        connection.send(ScriptedServer::response(422, "application/problem+json", "{\"title\":\"Invalid\"}"));
      } else {
        connection.send(created(request.body));
      }
    });
    EXPECT_EQ(outcome.exit_code, kExitFinding);
    EXPECT_TRUE(outcome.error.starts_with("tidewire: line 3: Invalid (422)\n")) << outcome.error;
    EXPECT_NE(outcome.error.find("events were published; the rest of the input was not read"), std::string::npos)
        << outcome.error;
    EXPECT_LT(run.requests.size(), 1'000U);
    // Every line that the server took has its answer printed.
    EXPECT_EQ(std::ranges::count(outcome.output, '\n') + 1, static_cast<std::ptrdiff_t>(run.requests.size()));
  }
}

TEST(Pub, nobody_there_says_how_to_start_a_server) {
  Trial run;
  const auto outcome = run({.data = "7"}, nullptr);
  EXPECT_EQ(outcome.exit_code, kExitInputOutput);
  EXPECT_NE(outcome.error.find("127.0.0.1:8080; start a server with: tidewire serve"), std::string::npos)
      << outcome.error;
}

TEST(Pub, an_answer_that_never_comes_leaves_the_outcome_open) {
  Trial one;
  const ScriptedServer::Serve vanish = [](net::Connection& connection, const auto&, std::size_t) {
    connection.close_after_sending();
  };
  const auto outcome = one({.data = "7"}, vanish);
  EXPECT_EQ(outcome.exit_code, kExitInputOutput);
  EXPECT_NE(outcome.error.find("may be stored or not"), std::string::npos) << outcome.error;

  Trial many;
  many.terminal.input = {"a\nb\nc\n"};
  const auto lines = many({.id_key = "k", .lines = true}, vanish);
  EXPECT_EQ(lines.exit_code, kExitInputOutput);
  EXPECT_NE(lines.error.find("of the lines 1 to 3 nobody knows"), std::string::npos) << lines.error;
  EXPECT_NE(lines.error.find("--id-key is safe"), std::string::npos) << lines.error;
}

TEST(Pub, progress_of_long_work_goes_to_a_terminal) {
  Trial run;
  run.terminal.error_is_terminal = true;
  for (int i = 0; i < 5'000; ++i) run.terminal.input.emplace_back("1\n");
  const auto outcome = run({.lines = true, .quiet = true}, kCreate);
  EXPECT_EQ(outcome.exit_code, kExitOk);
  EXPECT_TRUE(outcome.error.ends_with("tidewire: 5000 events published\n")) << outcome.error;
  EXPECT_NE(outcome.error.find('\r'), std::string::npos) << "there was some on the way";
}

TEST(Pub, wrong_usage_is_told_before_anything_is_sent) {
  const PubOptions wrong[] = {
      {.url = "likes", .data = "7"},
      {.url = "https://127.0.0.1/likes", .data = "7"},
      {.data = "7", .method = "P OST"},
      {.data = "7", .content_type = "a\r\nb"},
      {.data = "7", .id_key = std::string(300, 'k')},
      {.data = "7", .lines = true},
  };
  for (const PubOptions& options : wrong) {
    Trial run;
    const auto outcome = run(options, kCreate);
    EXPECT_EQ(outcome.exit_code, kExitUsage);
    EXPECT_TRUE(outcome.error.starts_with("tidewire: ")) << outcome.error;
    EXPECT_EQ(run.requests.size(), 0U);
  }
}

TEST(Pub, an_output_that_nobody_reads_is_an_error) {
  Trial run;
  run.terminal.output_is_closed = true;
  EXPECT_EQ(run({.data = "7"}, kCreate).exit_code, kExitInputOutput);
}

}  // namespace
}  // namespace server
