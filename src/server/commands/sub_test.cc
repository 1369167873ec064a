// SPDX-License-Identifier: Apache-2.0
#include "server/commands/sub.h"

#include <gtest/gtest.h>

#include <functional>
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

constexpr std::uint64_t kPatienceNs = 300 * sim::kSecondNs;

std::string event(const std::string& cursor, const std::string& data) {
  return "event: Liked\nid: " + cursor + "\ndata: {\"specversion\":\"1.0\",\"id\":\"e\",\"data\":" + data + "}\n\n";
}
std::string line(const std::string& data) { return "{\"specversion\":\"1.0\",\"id\":\"e\",\"data\":" + data + "}\n"; }

// The command and a scripted server in one world.
class Trial {
 public:
  Trial(SubOptions options, const ScriptedServer::Serve& serve, std::uint64_t seed = 0)
      : world_({.seed = seed}),
        options_(std::move(options)),
        loop_(world_.world(), "sub"),
        server_loop_(world_.world(), "server"),
        server(server_loop_, serve),
        following_(std::make_unique<Following>(loop_, options_, terminal, [this](int code) {
          EXPECT_FALSE(exit_code) << "finished twice";
          exit_code = code;
        })) {
    if (serve) server.listen(io::Endpoint::parse("127.0.0.1:8080").value());
    world_.world().threads.start(loop_);
    world_.world().threads.start(server_loop_);
    loop_.post([this] { following_->start(); });
  }
  ~Trial() {
    server.stop_listening();
    server.connections().close_all();
    for (io::Loop* each : {&loop_, &server_loop_}) {
      each->stop();
      world_.world().threads.join(*each);
    }
  }

  bool until(const std::function<bool()>& done) { return world_.run_until(done, kPatienceNs); }
  bool until_end() {
    return until([&] { return exit_code.has_value(); });
  }
  bool until_output(const std::string& text) {
    return until([&] { return terminal.output == text; });
  }
  void interrupt() {
    loop_.post([this] { following_->interrupt(); });
    EXPECT_TRUE(until_end());
  }

  TestTerminal terminal;
  std::optional<int> exit_code;

 private:
  sim::SimWorld world_;
  SubOptions options_;
  io::Loop loop_;
  io::Loop server_loop_;

 public:
  ScriptedServer server;

 private:
  std::unique_ptr<Following> following_;
};

ScriptedServer::Serve streams(std::vector<std::string> texts) {
  return [texts = std::move(texts)](net::Connection& connection, const auto&, std::size_t number) {
    connection.send(ScriptedServer::stream_head() + texts.at(number));
    if (number + 1 < texts.size()) connection.close_after_sending();
  };
}

const std::string kUrl = "http://127.0.0.1:8080/likes";

TEST(Sub, prints_one_cloud_event_a_line) {
  Trial run({.urls = {kUrl}, .after = "earliest"},
            streams({"retry: 2000\nid: 0a\n\n" + event("0b", "1") + "id: 0c\n\n"}));
  ASSERT_TRUE(run.until_output(line("1")));
  EXPECT_EQ(run.server.requests().at(0).line, "GET /likes?format=cloudevent&after=earliest");
  EXPECT_FALSE(run.exit_code);
  EXPECT_EQ(run.terminal.error, "");
}

TEST(Sub, stops_after_so_many_events) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Trial run({.urls = {kUrl}, .format = EventText::Data, .count = 3},
              streams({event("1", "1") + event("2", "2") + event("3", "3") + event("4", "4")}), seed);
    ASSERT_TRUE(run.until_end());
    EXPECT_EQ(run.exit_code, kExitOk);
    EXPECT_EQ(run.terminal.output, "1\n2\n3\n");
  }
}

TEST(Sub, comes_back_with_the_last_cursor_and_says_so) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Trial run({.urls = {kUrl}, .format = EventText::Data, .count = 2},
              streams({event("0b", "1") + "id: 0c\n\n", event("0d", "2")}), seed);
    ASSERT_TRUE(run.until_end());
    EXPECT_EQ(run.terminal.output, "1\n2\n");
    EXPECT_EQ(run.server.requests().at(1).field("Last-Event-ID"), "0c");
    EXPECT_TRUE(run.terminal.error.starts_with("tidewire: the server ended the stream; trying again in "));
    EXPECT_TRUE(run.terminal.error.ends_with(" s\ntidewire: connected again\n")) << run.terminal.error;
  }
}

TEST(Sub, a_reset_is_told_and_is_no_event) {
  Trial run({.urls = {kUrl}, .count = 1},
            streams({"event: tidewire.reset\nid: 0b\ndata: {\"reason\":\"trimmed\",\"cursor\":\"0b\"}\n\n" +
                     event("0c", "1")}));
  ASSERT_TRUE(run.until_end());
  EXPECT_EQ(run.terminal.output, line("1"));
  EXPECT_EQ(run.terminal.error, "tidewire: reset (trimmed): events may be missing; going on from cursor 0b\n");
}

TEST(Sub, a_closing_says_why_and_when) {
  Trial run({.urls = {kUrl}, .count = 1},
            streams({"event: tidewire.closing\nid: 0b\ndata: "
                     "{\"reason\":\"draining\",\"cursor\":\"0b\",\"retry_after_ms\":8000}\n\n",
                     event("0c", "1")}));
  ASSERT_TRUE(run.until_end());
  EXPECT_EQ(run.server.requests().at(1).field("Last-Event-ID"), "0b");
  EXPECT_TRUE(run.terminal.error.starts_with("tidewire: the server closes the stream (draining); trying again in "));
  const double seconds = std::stod(run.terminal.error.substr(run.terminal.error.find(" in ") + 4));
  EXPECT_GE(seconds, 8.0);
  EXPECT_LE(seconds, 10.0);
}

TEST(Sub, a_refusal_ends_it) {
  Trial run({.urls = {kUrl}}, [](net::Connection& connection, const auto&, std::size_t) {
    connection.send(ScriptedServer::response(405, "application/problem+json",
                                             R"({"title":"Not here","detail":"ask 127.0.0.1:8082"})"));
  });
  ASSERT_TRUE(run.until_end());
  EXPECT_EQ(run.exit_code, kExitFinding);
  EXPECT_EQ(run.terminal.error, "tidewire: Not here (405): ask 127.0.0.1:8082\n");
  EXPECT_EQ(run.server.requests().size(), 1U);
}

TEST(Sub, a_channel_that_is_removed_ends_it_on_the_way_back) {
  Trial run({.urls = {kUrl}}, [](net::Connection& connection, const auto&, std::size_t number) {
    if (number == 0) {
      connection.send(ScriptedServer::stream_head() +
                      "event: tidewire.closing\ndata: {\"reason\":\"channel-removed\"}\n\n");
      connection.close_after_sending();
    } else {
      connection.send(ScriptedServer::response(404, "application/problem+json", "{\"title\":\"No such channel\"}"));
    }
  });
  ASSERT_TRUE(run.until_end());
  EXPECT_EQ(run.exit_code, kExitFinding);
  EXPECT_NE(run.terminal.error.find("(channel-removed)"), std::string::npos);
  EXPECT_TRUE(run.terminal.error.ends_with("tidewire: No such channel (404)\n")) << run.terminal.error;
}

TEST(Sub, nobody_there_at_first_ends_it) {
  Trial run({.urls = {kUrl}}, nullptr);
  ASSERT_TRUE(run.until_end());
  EXPECT_EQ(run.exit_code, kExitInputOutput);
  EXPECT_NE(run.terminal.error.find("start a server with: tidewire serve"), std::string::npos);
}

TEST(Sub, an_interrupt_is_a_clean_end_and_names_the_cursor_on_a_terminal) {
  for (const bool terminal : {true, false}) {
    Trial run({.urls = {kUrl}}, streams({"id: 0a\n\n" + event("0b", "1")}));
    run.terminal.error_is_terminal = terminal;
    ASSERT_TRUE(run.until_output(line("1")));
    run.interrupt();
    EXPECT_EQ(run.exit_code, kExitOk);
    EXPECT_EQ(run.terminal.error, terminal ? "tidewire: resume with --after 0b\n" : "");
  }
}

TEST(Sub, follows_several_urls_and_says_which_one_is_meant) {
  Trial run({.urls = {kUrl, "http://127.0.0.1:8080/news"}, .format = EventText::Data},
            [](net::Connection& connection, const ScriptedServer::Request& request, std::size_t) {
              const bool likes = request.line.starts_with("GET /likes");
              connection.send(ScriptedServer::stream_head() + (likes ? event("0b", "1") : event("0c", "2")));
            });
  run.terminal.error_is_terminal = true;
  ASSERT_TRUE(run.until([&] { return run.terminal.output.size() == 4; }));
  run.interrupt();
  EXPECT_EQ(run.terminal.error,
            "tidewire: resume of http://127.0.0.1:8080/likes with --after 0b\n"
            "tidewire: resume of http://127.0.0.1:8080/news with --after 0c\n");
}

TEST(Sub, a_reader_that_is_gone_is_a_clean_end) {
  Trial run({.urls = {kUrl}}, streams({event("0b", "1")}));
  run.terminal.output_is_closed = true;
  ASSERT_TRUE(run.until_end());
  EXPECT_EQ(run.exit_code, kExitOk);
}

TEST(Sub, wrong_usage_is_told_before_anything_is_asked) {
  const SubOptions wrong[] = {
      {},
      {.urls = {"likes"}},
      {.urls = {kUrl + "?format=payload"}},
      {.urls = {kUrl + "?after=earliest"}, .after = "latest"},
      {.urls = {kUrl, "http://example.com/"}},
      {.urls = std::vector<std::string>(kFollowedUrlsMax + 1, kUrl)},
  };
  for (const SubOptions& options : wrong) {
    Trial run(options, streams({""}));
    ASSERT_TRUE(run.until_end());
    EXPECT_EQ(run.exit_code, kExitUsage);
    EXPECT_EQ(run.server.requests().size(), 0U);
  }
}

}  // namespace
}  // namespace server
