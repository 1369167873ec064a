// SPDX-License-Identifier: Apache-2.0
// The simulated world proves itself on a small server: it repeats, it varies, and it finds the bugs it exists to find.
#include "tests/support/sim_world.h"

#include <errno.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "io/loop.h"

namespace io {
namespace {

using base::Errc;
using sim::kSecondNs;
using sim::SimWorld;

constexpr std::uint64_t kPatienceNs = 60 * kSecondNs;
constexpr std::size_t kMessageBytes = 3'000;

enum class Reading : std::uint8_t { UntilAgain, OnceEach };

// Echoes what it reads. Every piece of it takes the way through the other loop, as events do in the server.
class Echo final : public Watcher {
 public:
  Echo(Loop& own, Loop& other, Handle handle, Reading reading)
      : own_(own), other_(other), handle_(handle), reading_(reading) {
    EXPECT_TRUE(own_.poller().watch_edges(handle_, *this));
  }
  ~Echo() {
    if (handle_ != kNoHandle) own_.network().close(handle_);
  }

  void on_ready(Readiness) override {
    if (handle_ == kNoHandle) return;
    char bytes[200];
    while (handle_ != kNoHandle && !ended_) {
      const auto got = own_.network().read(handle_, bytes);
      if (!got && got.error().code == Errc::Again) break;
      if (!got) return close();
      ended_ = *got == 0;
      other_.post([this, piece = std::string(bytes, *got)] {
        own_.post([this, piece] {
          waiting_ += piece;
          if (piece.empty()) all_back_ = true;
          flush();
        });
      });
      if (reading_ == Reading::OnceEach) break;
    }
    flush();
  }

 private:
  void flush() {
    while (handle_ != kNoHandle && !waiting_.empty()) {
      const Slice slice{waiting_.data(), waiting_.size()};
      const auto sent = own_.network().write(handle_, std::span(&slice, 1));
      if (!sent && sent.error().code == Errc::Again) return;
      if (!sent) return close();
      waiting_.erase(0, *sent);
    }
    if (all_back_) close();
  }
  void close() {
    if (handle_ != kNoHandle) own_.network().close(std::exchange(handle_, kNoHandle));
  }

  Loop& own_;
  Loop& other_;
  Handle handle_;
  Reading reading_;
  std::string waiting_;
  bool ended_ = false;
  bool all_back_ = false;
};

class EchoServer final : public Watcher {
 public:
  EchoServer(Loop& own, Loop& other, const Endpoint& endpoint, Reading reading)
      : own_(own), other_(other), listener_(own.network().listen(endpoint).value()), reading_(reading) {
    EXPECT_TRUE(own_.poller().watch_level(listener_, *this));
  }
  ~EchoServer() { own_.network().close(listener_); }

  void on_ready(Readiness) override {
    Endpoint peer;
    const auto accepted = own_.network().accept(listener_, peer);
    if (!accepted) {
      ++refusals;
      return;
    }
    connections_.push_back(std::make_unique<Echo>(own_, other_, *accepted, reading_));
  }
  std::size_t accepted() const { return connections_.size(); }
  int refusals = 0;

 private:
  Loop& own_;
  Loop& other_;
  Handle listener_;
  Reading reading_;
  std::vector<std::unique_ptr<Echo>> connections_;
};

// Sends a message, finishes, and reads until the end.
class Client final : public Watcher {
 public:
  Client(Loop& loop, const Endpoint& endpoint, std::string message)
      : loop_(loop), message_(std::move(message)), handle_(loop.network().connect(endpoint).value()) {
    EXPECT_TRUE(loop_.poller().watch_edges(handle_, *this));
  }
  ~Client() {
    if (handle_ != kNoHandle) loop_.network().close(handle_);
  }

  void on_ready(Readiness) override {
    if (handle_ == kNoHandle) return;
    const auto connected = loop_.network().connected(handle_);
    if (!connected && connected.error().code == Errc::Again) return;
    if (!connected) return finish();
    while (sent_ < message_.size()) {
      const Slice slice{message_.data() + sent_, message_.size() - sent_};
      const auto sent = loop_.network().write(handle_, std::span(&slice, 1));
      if (!sent) break;
      sent_ += *sent;
      if (sent_ == message_.size()) loop_.network().finish_sending(handle_);
    }
    char bytes[500];
    while (true) {
      const auto got = loop_.network().read(handle_, bytes);
      if (!got && got.error().code == Errc::Again) return;
      if (!got || *got == 0) break;
      received_.append(bytes, *got);
    }
    finish();
  }
  bool finished() const { return finished_; }
  bool has_everything() const { return received_ == message_; }

 private:
  void finish() {
    finished_ = true;
    loop_.network().close(std::exchange(handle_, kNoHandle));
  }

  Loop& loop_;
  std::string message_;
  Handle handle_;
  std::size_t sent_ = 0;
  std::string received_;
  bool finished_ = false;
};

// Two server loops that share a port, and two clients on a third loop.
struct Scene {
  explicit Scene(SimWorld::Options options, Reading reading = Reading::UntilAgain) : world(options) {
    for (Loop* loop : {&left, &right, &outside}) world.threads().start(*loop);
    const Endpoint endpoint = world.network().reserve(Endpoint::parse("127.0.0.1:0").value()).value();
    servers.push_back(std::make_unique<EchoServer>(left, right, endpoint, reading));
    servers.push_back(std::make_unique<EchoServer>(right, left, endpoint, reading));
    for (const char letter : {'a', 'b'}) {
      std::string message;
      while (message.size() < kMessageBytes) message += letter + std::to_string(message.size());
      clients.push_back(std::make_unique<Client>(outside, endpoint, message));
    }
  }
  bool run() {
    return world.run_until([&] { return clients[0]->finished() && clients[1]->finished(); }, kPatienceNs);
  }
  bool all_echoed() const { return clients[0]->has_everything() && clients[1]->has_everything(); }

  SimWorld world;
  Loop left{world.world(), "left"};
  Loop right{world.world(), "right"};
  Loop outside{world.world(), "outside"};
  std::vector<std::unique_ptr<EchoServer>> servers;
  std::vector<std::unique_ptr<Client>> clients;
};

TEST(SimWorld, every_seed_echoes_everything) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Scene scene({.seed = seed});
    ASSERT_TRUE(scene.run()) << "seed " << seed;
    EXPECT_TRUE(scene.all_echoed()) << "seed " << seed;
  }
}

TEST(SimWorld, one_seed_makes_one_trace_byte_for_byte) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Scene first({.seed = seed, .trace_text = sim::Trace::Text::Yes});
    Scene second({.seed = seed, .trace_text = sim::Trace::Text::Yes});
    first.run();
    second.run();
    EXPECT_GT(first.world.trace().text().size(), 1'000);
    ASSERT_EQ(first.world.trace().text(), second.world.trace().text());
    EXPECT_EQ(first.world.trace().hash(), second.world.trace().hash());
  }
}

TEST(SimWorld, different_seeds_make_different_traces_and_schedules) {
  std::set<std::uint64_t> hashes;
  std::set<std::size_t> accepted_left;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Scene scene({.seed = seed});
    scene.run();
    hashes.insert(scene.world.trace().hash());
    accepted_left.insert(scene.servers[0]->accepted());
  }
  EXPECT_EQ(hashes.size(), 100);
  EXPECT_EQ(accepted_left, (std::set<std::size_t>{0, 1, 2})) << "both listeners get connections";
}

TEST(SimWorld, a_lost_wake_up_is_noticed) {
  int noticed = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (std::uint64_t transfer = 1; transfer <= 20; ++transfer) {
      Scene scene({.seed = seed});
      scene.world.threads().lose_wakeup_at(transfer);
      noticed += scene.run() ? 0 : 1;
    }
  }
  EXPECT_GT(noticed, 0);
}

TEST(SimWorld, posts_out_of_order_are_noticed) {
  int noticed = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Scene scene({.seed = seed});
    scene.world.threads().reorder_posts(4);
    noticed += scene.run() && scene.all_echoed() ? 0 : 1;
  }
  EXPECT_GT(noticed, 0);
}

TEST(SimWorld, a_program_that_does_not_read_until_again_is_noticed) {
  int noticed = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Scene scene({.seed = seed}, Reading::OnceEach);
    noticed += scene.run() ? 0 : 1;
  }
  EXPECT_GT(noticed, 0);
}

TEST(SimWorld, resets_by_the_network_end_connections_and_leave_no_handle_behind) {
  int cut = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Scene scene({.seed = seed, .network = {.reset_one_in = 20}});
    ASSERT_TRUE(scene.run()) << "seed " << seed;
    cut += scene.all_echoed() ? 0 : 1;
    scene.clients.clear();
    scene.world.run_for(kSecondNs);
    scene.servers.clear();
    EXPECT_EQ(scene.world.network().open_handles(), 0) << "seed " << seed;
  }
  EXPECT_GT(cut, 0);
}

TEST(SimWorld, out_of_descriptors_keeps_the_connection_queued) {
  Scene scene({.seed = 1});
  scene.world.network().fail_accepts(3);
  ASSERT_TRUE(scene.run());
  EXPECT_TRUE(scene.all_echoed());
  EXPECT_EQ(scene.servers[0]->refusals + scene.servers[1]->refusals, 3);
  scene.world.network().options().handles_max = scene.world.network().open_handles();
  EXPECT_EQ(scene.world.network().listen(Endpoint::parse("127.0.0.1:5").value()).error().code, Errc::Overload);
}

TEST(SimWorld, nobody_listening_is_a_refusal_at_once_or_later) {
  std::set<bool> at_once;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SimWorld world({.seed = seed});
    const auto handle = world.network().connect(Endpoint::parse("127.0.0.1:9").value());
    at_once.insert(!handle);
    if (!handle) {
      EXPECT_EQ(handle.error().sys_errno, ECONNREFUSED);
      continue;
    }
    EXPECT_EQ(world.network().connected(*handle).error().code, Errc::Again);
    world.run_for(kSecondNs);
    EXPECT_EQ(world.network().connected(*handle).error().sys_errno, ECONNREFUSED);
  }
  EXPECT_EQ(at_once.size(), 2);
}

TEST(SimWorld, a_second_server_is_refused_and_a_port_is_shared_on_purpose) {
  SimWorld world({});
  const Endpoint reserved = world.network().reserve(Endpoint::parse("127.0.0.1:0").value()).value();
  EXPECT_NE(reserved.port, 0);
  EXPECT_TRUE(world.network().listen(reserved));
  EXPECT_TRUE(world.network().listen(reserved));
  EXPECT_EQ(world.network().reserve(reserved).error().sys_errno, EADDRINUSE);
  Endpoint any = Endpoint::parse("0.0.0.0:0").value();
  any.port = reserved.port;
  EXPECT_EQ(world.network().reserve(any).error().sys_errno, EADDRINUSE);
}

TEST(SimWorld, time_passes_at_once_when_nothing_else_can_happen) {
  SimWorld world({});
  Loop loop(world.world(), "loop");
  world.threads().start(loop);
  int fired = 0;
  Timer timer([](void* p) { ++*static_cast<int*>(p); }, &fired);
  loop.set_timer(timer, 3'600 * kSecondNs);
  const std::uint64_t before = world.now_ns();
  const std::int64_t wall_before = world.world().clock.wall_ms();
  EXPECT_FALSE(world.run_until([&] { return fired == 1; }, 3'599 * kSecondNs));
  EXPECT_TRUE(world.run_until([&] { return fired == 1; }, 2 * kSecondNs));
  EXPECT_GE(world.now_ns() - before, 3'600 * kSecondNs);
  EXPECT_NEAR(static_cast<double>(world.world().clock.wall_ms() - wall_before), 3'600'000, 1'000);
  world.step_wall_clock(-10'000'000);
  EXPECT_LT(world.world().clock.wall_ms(), wall_before);
  while (world.step()) {
  }  // an idle world comes to its end
  loop.stop();
  world.world().threads.join(loop);
  EXPECT_TRUE(loop.stopped());
}

TEST(SimWorld, other_loops_run_between_two_posts_of_one_turn) {
  std::set<std::string> orders;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SimWorld world({.seed = seed});
    Loop writer(world.world(), "writer");
    Loop left(world.world(), "left");
    Loop right(world.world(), "right");
    for (Loop* loop : {&writer, &left, &right}) world.threads().start(*loop);
    std::string order;
    writer.post([&] {
      left.post([&] { order += "L1 "; });
      left.post([&] { order += "L2 "; });
      right.post([&] { order += "R "; });
    });
    ASSERT_TRUE(world.run_until([&] { return order.size() == 8; }, kSecondNs));
    EXPECT_LT(order.find("L1"), order.find("L2"));
    orders.insert(order);
  }
  EXPECT_GT(orders.size(), 1);
}

}  // namespace
}  // namespace io
