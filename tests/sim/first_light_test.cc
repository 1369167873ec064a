// SPDX-License-Identifier: Apache-2.0
// The proof of the seam: the whole server (two worker loops, the lane's loop, a control loop) and its clients (a
// publisher and readers of an event stream) in one thread from one seed. Two runs of a seed leave the same trace; every
// seed ends well; and the same check finds a wake-up that was lost on purpose.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "contract/load_testing.h"
#include "protocols/http/client/client.h"
#include "server/server.h"
#include "tests/support/sim_world.h"

namespace {

using protocols::http::Client;
using protocols::http::ResponseHead;

constexpr std::uint64_t kPatienceNs = 10 * sim::kSecondNs;  // less than a heartbeat, which would wake a loop by itself
constexpr std::size_t kEvents = 20;
constexpr std::size_t kReaders = 3;

constexpr std::string_view kContract = R"(
asyncapi: 3.0.0
info: {title: first light, version: 1.0.0}
channels:
  ticks: {address: 'ticks/{id}', parameters: {id: {}}, messages: {tick: {}}}
operations:
  send: {action: send, channel: {$ref: '#/channels/ticks'}}
)";

// Sends one event after the other; each must be answered 201.
class Publisher final : public Client::Receiver {
 public:
  Publisher(net::Connections& connections, const io::Endpoint& to) : client_(connections, to, *this) {}
  void publish_next() {
    if (published_ == kEvents) return;
    const std::string body = std::to_string(published_ + 1);
    client_.send({.method = "POST",
                  .target = "/ticks/1",
                  .host = "localhost",
                  .fields = {{"Content-Type", "application/json"}},
                  .body = body});
  }
  void on_response(const ResponseHead& head, std::string) override {
    if (head.status() != 201) failure = "a publish was answered " + std::to_string(head.status());
    ++published_;
    publish_next();
  }
  void on_failed(base::Error error) override { failure = error.text; }
  std::size_t published() const { return published_; }

  std::string failure;

 private:
  Client client_;
  std::size_t published_ = 0;
};

// Reads the stream from the beginning, and notes the data.
class Reader final : public Client::Receiver {
 public:
  Reader(net::Connections& connections, const io::Endpoint& to) : client_(connections, to, *this) {
    client_.send({.method = "GET",
                  .target = "/ticks/1?after=earliest",
                  .host = "localhost",
                  .fields = {{"Accept", "text/event-stream"}},
                  .body = std::nullopt});
  }
  Client::Body on_head(const ResponseHead& head) override {
    if (head.status() != 200) failure = "a stream was answered " + std::to_string(head.status());
    return Client::Body::Stream;
  }
  void on_body(base::Bytes bytes) override { text += bytes; }
  void on_response(const ResponseHead&, std::string) override { ended = true; }
  void on_failed(base::Error error) override { failure = error.text; }

  // The `data:` lines of events.
  std::vector<std::string> ticks() const {
    std::vector<std::string> all;
    for (std::size_t at = 0; (at = text.find("event: tick\n", at)) != std::string::npos; ++at) {
      const std::size_t data = text.find("data: ", at), end = text.find('\n', data);
      if (end == std::string::npos) break;
      all.push_back(text.substr(data + 6, end - data - 6));
    }
    return all;
  }
  bool has_everything() const { return ticks().size() >= kEvents; }

  std::string text;
  std::string failure;
  bool ended = false;

 private:
  Client client_;
};

struct Outcome {
  std::string wrong;  // empty: all is well
  std::uint64_t trace = 0;
  std::uint64_t transfers = 0;
  std::string text;
};

class Show {
 public:
  Show(std::uint64_t seed, std::uint64_t lose_wakeup_at, sim::Trace::Text text)
      : world_({.seed = seed, .trace_text = text}),
        control_(world_.world(), "control"),
        clients_loop_(world_.world(), "clients"),
        connections_(clients_loop_) {
    if (lose_wakeup_at != 0) world_.threads().lose_wakeup_at(lose_wakeup_at);
    auto built = engine::Topics::build(
        {{std::make_shared<const contract::Contract>(contract::loaded(kContract)), engine::Role::Application}},
        engine::ServerSelection::AsTheContractSays);
    server::Settings settings;
    settings.data = std::nullopt;
    server_ = std::move(*server::Server::open(world_.world(), settings, 2, std::move(built.topics)));
  }

  Outcome run() {
    Outcome outcome{act(), world_.trace().hash(), world_.threads().transfers(), world_.trace().text()};
    end();
    return outcome;
  }

 private:
  std::string act() {
    world_.world().threads.start(control_);
    world_.world().threads.start(clients_loop_);
    bool ready = false;
    control_.post([&] { server_->start(control_, [&](const auto& failure) { ready = !failure; }); });
    if (!world_.run_until([&] { return ready; }, kPatienceNs)) return "the server never became ready";
    clients_loop_.post([&] {
      for (std::size_t i = 0; i < kReaders; ++i)
        readers_.push_back(std::make_unique<Reader>(connections_, server_->listeners()[0].endpoint));
      publisher_ = std::make_unique<Publisher>(connections_, server_->listeners()[1].endpoint);
      publisher_->publish_next();
    });
    const auto done = [&] {
      return publisher_ && publisher_->published() == kEvents &&
             std::ranges::all_of(readers_, [](const auto& reader) { return reader->has_everything(); });
    };
    if (!world_.run_until(done, kPatienceNs)) return "not everything arrived";
    if (std::string wrong = judge(); !wrong.empty()) return wrong;
    bool stopped = false;
    control_.post([&] { server_->stop([&] { stopped = true; }); });
    const auto over = [&] {
      return stopped && std::ranges::all_of(readers_, [](const auto& reader) { return reader->ended; });
    };
    if (!world_.run_until(over, kPatienceNs)) return "the server never stopped";
    return {};
  }

  std::string judge() const {
    std::vector<std::string> expected;
    for (std::size_t i = 1; i <= kEvents; ++i) expected.push_back(std::to_string(i));
    if (!publisher_->failure.empty()) return publisher_->failure;
    for (const auto& reader : readers_) {
      if (!reader->failure.empty()) return reader->failure;
      if (reader->ticks() != expected) return "a reader has other events than were published";
      if (!reader->text.starts_with("retry: 2000\nid: ")) return "a stream begins otherwise";
    }
    return {};
  }

  // Also after a failure everything can be taken apart: nobody runs any more.
  void end() {
    readers_.clear();
    publisher_.reset();
    connections_.close_all();
    clients_loop_.turn(io::Loop::Wait::No);
    server_.reset();
  }

  sim::SimWorld world_;
  io::Loop control_;
  io::Loop clients_loop_;
  net::Connections connections_;
  std::unique_ptr<server::Server> server_;
  std::vector<std::unique_ptr<Reader>> readers_;
  std::unique_ptr<Publisher> publisher_;
};

Outcome show(std::uint64_t seed, std::uint64_t lose_wakeup_at = 0, sim::Trace::Text text = sim::Trace::Text::No) {
  return Show(seed, lose_wakeup_at, text).run();
}

TEST(FirstLight, delivers_everything_and_stops_from_every_seed) {
  constexpr std::uint64_t kSeeds = 200;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) ASSERT_EQ(show(seed).wrong, "") << "seed " << seed;
}

TEST(FirstLight, leaves_the_same_trace_twice_and_another_for_another_seed) {
  const Outcome once = show(7, 0, sim::Trace::Text::Yes), again = show(7, 0, sim::Trace::Text::Yes);
  EXPECT_EQ(once.trace, again.trace);
  EXPECT_EQ(once.text, again.text);
  EXPECT_FALSE(once.text.empty());
  EXPECT_NE(once.trace, show(8).trace);
}

TEST(FirstLightCheck, finds_a_lost_wake_up) {
  const std::uint64_t transfers = show(1).transfers;
  ASSERT_GT(transfers, kEvents);
  std::uint64_t found = 0;
  for (std::uint64_t at = 1; at <= transfers; ++at) found += show(1, at).wrong.empty() ? 0 : 1;
  EXPECT_GT(found, 0u) << "none of " << transfers << " lost wake-ups was noticed";
  RecordProperty("transfers", std::to_string(transfers));
  RecordProperty("found", std::to_string(found));
}

}  // namespace
