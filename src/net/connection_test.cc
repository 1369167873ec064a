// SPDX-License-Identifier: Apache-2.0
#include "net/connection.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <vector>

#include "net/listener.h"
#include "tests/support/peer.h"

namespace net {
namespace {

// What a handler of these tests does; each function may be left out.
struct Script {
  std::function<base::Result<std::size_t>(Connection&, base::Bytes)> on_bytes = [](Connection&, base::Bytes bytes) {
    return bytes.size();
  };
  std::function<void(Connection&)> on_open = [](Connection&) {};
  std::function<void(Connection&)> on_end = nullptr;
  std::function<void(Connection&)> on_timeout = nullptr;
  std::function<void(Connection&)> on_shutdown = nullptr;
  std::function<void(Connection&)> on_drained = [](Connection&) {};
  std::function<void(Connection&, base::Error)> on_failed = [](Connection&, base::Error) {};
  std::function<void()> on_destroyed = [] {};
};

class Scripted final : public Handler {
 public:
  explicit Scripted(Script script) : script_(std::move(script)) {}
  ~Scripted() override { script_.on_destroyed(); }
  base::Result<std::size_t> on_bytes(Connection& c, base::Bytes bytes) override { return script_.on_bytes(c, bytes); }
  void on_open(Connection& c) override { script_.on_open(c); }
  void on_end(Connection& c) override { script_.on_end ? script_.on_end(c) : Handler::on_end(c); }
  void on_timeout(Connection& c) override { script_.on_timeout ? script_.on_timeout(c) : Handler::on_timeout(c); }
  void on_shutdown(Connection& c) override { script_.on_shutdown ? script_.on_shutdown(c) : Handler::on_shutdown(c); }
  void on_drained(Connection& c) override { script_.on_drained(c); }
  void on_failed(Connection& c, base::Error error) override { script_.on_failed(c, error); }

 private:
  Script script_;
};

class ConnectionTest : public testing::Test {
 protected:
  void set_up(std::uint64_t seed = 1, std::size_t pipe_bytes_max = 64 << 10) {
    TearDown();
    sim::SimWorld::Options options{.seed = seed};
    options.network.pipe_bytes_max = pipe_bytes_max;
    options.stall_one_in = 0;
    world_ = std::make_unique<sim::SimWorld>(options);
    loop_ = std::make_unique<io::Loop>(world_->world(), "loop");
    connections_ = std::make_unique<Connections>(*loop_);
    endpoint_.address = {127, 0, 0, 1};
    endpoint_.port = 80;
    const io::Handle handle = world_->network().listen(endpoint_).value();
    listener_ = Listener::open(*connections_, handle, [this] { return std::make_unique<Scripted>(script_); }).value();
    world_->world().threads.start(*loop_);
  }
  void TearDown() override {
    peer_.reset();
    if (!loop_) return;
    listener_.reset();
    connections_->close_all();
    loop_->turn(io::Loop::Wait::No);
    connections_.reset();
    loop_.reset();
    EXPECT_EQ(world_->network().open_handles(), 0u) << "every handle was closed";
  }
  Peer& peer() {
    if (!peer_) peer_ = std::make_unique<Peer>(*world_, endpoint_);
    return *peer_;
  }
  void on_loop(io::Task task) {
    bool done = false;
    loop_->post([&] {
      task();
      done = true;
    });
    ASSERT_TRUE(peer().until([&] { return done; }));
  }
  const TrafficCounters& counters() { return connections_->counters(); }

  Script script_;
  io::Endpoint endpoint_;
  std::unique_ptr<sim::SimWorld> world_;
  std::unique_ptr<io::Loop> loop_;
  std::unique_ptr<Connections> connections_;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<Peer> peer_;
};

std::size_t whole_lines(base::Bytes bytes) {
  const std::size_t end = bytes.rfind('\n');
  return end == base::Bytes::npos ? 0 : end + 1;
}

std::string noise(std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; text.size() < bytes; ++i) text += std::to_string(i) + ' ';
  return text.substr(0, bytes);
}

TEST_F(ConnectionTest, shows_what_a_handler_left_again_with_more_behind_it) {
  std::string lines;
  script_.on_bytes = [&](Connection&, base::Bytes bytes) {
    const std::size_t used = whole_lines(bytes);
    lines += bytes.substr(0, used);
    return used;
  };
  for (std::uint64_t seed = 1; seed < 20; ++seed) {
    set_up(seed);
    lines.clear();
    std::string text;
    for (int i = 0; i < 200; ++i) text += std::string(static_cast<std::size_t>(i) % 37, 'x') + "\n";
    peer().send(text);
    ASSERT_TRUE(peer().until([&] { return lines.size() == text.size(); }));
    EXPECT_EQ(lines, text);
  }
}

TEST_F(ConnectionTest, shows_the_rest_of_the_input_to_the_handler_that_it_was_upgraded_to) {
  std::string first, second;
  Script next;
  next.on_bytes = [&](Connection&, base::Bytes bytes) {
    second += bytes;
    return bytes.size();
  };
  script_.on_bytes = [&](Connection& connection, base::Bytes bytes) -> std::size_t {
    const std::size_t end = bytes.find('\n');
    if (end == base::Bytes::npos) return 0;
    first = bytes.substr(0, end + 1);
    connection.upgrade(std::make_unique<Scripted>(next));
    return end + 1;
  };
  for (std::uint64_t seed = 1; seed < 20; ++seed) {
    set_up(seed);
    second.clear();
    peer().send("hello\nand all of this");
    ASSERT_TRUE(peer().until([&] { return second == "and all of this"; })) << seed;
    EXPECT_EQ(first, "hello\n");
  }
}

TEST_F(ConnectionTest, shows_everything_to_the_next_handler_if_the_first_consumed_nothing) {
  std::string seen;
  Script next;
  next.on_bytes = [&](Connection&, base::Bytes bytes) {
    seen += bytes;
    return bytes.size();
  };
  script_.on_bytes = [&](Connection& connection, base::Bytes) -> std::size_t {
    connection.upgrade(std::make_unique<Scripted>(next));
    return 0;
  };
  set_up();
  peer().send("everything");
  EXPECT_TRUE(peer().until([&] { return seen == "everything"; }));
}

TEST_F(ConnectionTest, does_not_read_more_while_much_input_waits) {
  Connection* connection = nullptr;
  bool hungry = false;
  std::string seen;
  script_.on_bytes = [&](Connection& c, base::Bytes bytes) -> std::size_t {
    connection = &c;
    if (!hungry) return 0;
    seen += bytes;
    return bytes.size();
  };
  set_up();
  const std::string text = noise(1 << 20);
  peer().send(text);
  EXPECT_FALSE(peer().until([&] { return peer().unsent() == 0; }, 10 * sim::kSecondNs));
  EXPECT_GE(counters().received_bytes, kInputBytesMax);
  EXPECT_LE(counters().received_bytes, 2 * kInputBytesMax);
  on_loop([&] {
    hungry = true;
    connection->show_input();
  });
  EXPECT_TRUE(peer().until([&] { return seen.size() == text.size(); }));
  EXPECT_EQ(seen, text);
}

TEST_F(ConnectionTest, writes_once_a_turn_whatever_was_sent) {
  script_.on_bytes = [&](Connection& connection, base::Bytes bytes) {
    for (int i = 0; i < 100; ++i) connection.send("0123456789");
    return bytes.size();
  };
  set_up();
  for (std::uint64_t seed = 1; seed < 20; ++seed) {
    set_up(seed, 1 << 20);
    peer().send("x");
    ASSERT_TRUE(peer().until([&] { return peer().received.size() == 1'000; }));
    // One write if the pipe had room for everything, and otherwise one for each time that it had room again.
    if (counters().writes == 1) return;
  }
  FAIL() << "no write took everything";
}

TEST_F(ConnectionTest, delivers_every_byte_in_order_through_partial_writes) {
  const std::string text = noise(300'000);
  script_.on_bytes = [&](Connection& connection, base::Bytes bytes) {
    for (std::size_t at = 0; at < text.size(); at += 300) connection.send(text.substr(at, 300));
    return bytes.size();
  };
  for (std::uint64_t seed = 1; seed < 10; ++seed) {
    set_up(seed);
    peer().send("x");
    ASSERT_TRUE(peer().until([&] { return peer().received.size() >= text.size(); })) << seed;
    EXPECT_EQ(peer().received, text);
    EXPECT_EQ(counters().sent_bytes, text.size());
  }
}

TEST_F(ConnectionTest, that_closes_after_sending_delivers_everything_and_then_the_end) {
  const std::string text = noise(50'000);
  script_.on_bytes = [&](Connection& connection, base::Bytes bytes) {
    connection.send(text);
    connection.close_after_sending();
    EXPECT_TRUE(connection.is_closing());
    connection.send("too late");
    return bytes.size();
  };
  for (std::uint64_t seed = 1; seed < 30; ++seed) {
    set_up(seed);
    peer().send(noise(70'000));  // closing with unread input would reset the connection and lose the answer
    ASSERT_TRUE(peer().until_end()) << seed;
    EXPECT_TRUE(peer().ended) << seed;
    EXPECT_EQ(peer().received, text) << seed;
    peer().close();
    world_->run_for(sim::kSecondNs);
    EXPECT_EQ(connections_->open(), 0u) << "it ends when the peer has closed too";
  }
}

TEST_F(ConnectionTest, does_not_wait_longer_than_its_linger_for_the_peer_to_close) {
  script_.on_bytes = [&](Connection& connection, base::Bytes bytes) {
    connection.close_after_sending();
    return bytes.size();
  };
  set_up();
  peer().send("x");
  ASSERT_TRUE(peer().until_end());
  EXPECT_EQ(connections_->open(), 1u);
  peer().run_for(kLingerNs / 2);
  EXPECT_EQ(connections_->open(), 1u);
  peer().run_for(kLingerNs);
  EXPECT_EQ(connections_->open(), 0u);
}

TEST_F(ConnectionTest, that_closes_gives_a_slow_reader_the_time_that_it_needs) {
  const std::string text = noise(40'000);
  script_.on_bytes = [&](Connection& connection, base::Bytes bytes) {
    connection.send(text);
    connection.close_after_sending();
    return bytes.size();
  };
  set_up(1, 1024);
  peer().reading = false;
  peer().send("x");
  for (int i = 0; i < 200 && !peer().is_over(); ++i) {
    peer().run_for(kSendStallNs / 2);
    peer().reading = true;
    ASSERT_TRUE(
        peer().until([&, had = peer().received.size()] { return peer().received.size() > had || peer().is_over(); }));
    peer().reading = false;
  }
  EXPECT_TRUE(peer().ended);
  EXPECT_EQ(peer().received, text);
}

TEST_F(ConnectionTest, that_closes_does_not_wait_for_a_reader_that_takes_nothing) {
  script_.on_bytes = [&](Connection& connection, base::Bytes bytes) {
    connection.send(noise(40'000));
    connection.close_after_sending();
    return bytes.size();
  };
  set_up(1, 1024);
  peer().reading = false;
  peer().send("x");
  peer().run_for(kSendStallNs - sim::kSecondNs);
  EXPECT_EQ(connections_->open(), 1u);
  peer().run_for(2 * kSendStallNs);
  EXPECT_EQ(connections_->open(), 0u);
}

TEST_F(ConnectionTest, counts_what_is_queued_for_one_receiver_but_not_what_is_shared) {
  Connection* accepted = nullptr;
  script_.on_open = [&](Connection& connection) { accepted = &connection; };
  set_up(1, 1024);
  peer().reading = false;
  ASSERT_TRUE(peer().until([&] { return accepted != nullptr; }));
  on_loop([&] {
    accepted->send(FramePtr::make(noise(9'000)));
    accepted->send(noise(20'000));
    EXPECT_EQ(accepted->loop_output_bytes(), 20'000u);
  });
  peer().reading = true;
  ASSERT_TRUE(peer().until([&] { return peer().received.size() == 29'000; }));
  EXPECT_EQ(accepted->loop_output_bytes(), 0u);
}

TEST_F(ConnectionTest, tells_once_and_later_that_it_is_drained) {
  int drained = 0;
  bool within = false;
  script_.on_bytes = [&](Connection& connection, base::Bytes bytes) {
    within = true;
    connection.send(noise(100'000));
    connection.tell_when_drained();
    within = false;
    return bytes.size();
  };
  script_.on_drained = [&](Connection& connection) {
    EXPECT_FALSE(within);
    EXPECT_EQ(connection.backlog_bytes(), 0u);
    if (++drained == 1) connection.tell_when_drained();  // nothing is queued: told all the same, and not from within
  };
  set_up();
  peer().send("x");
  ASSERT_TRUE(peer().until([&] { return peer().received.size() == 100'000 && drained > 0; }));
  peer().run_for(sim::kSecondNs);
  EXPECT_EQ(drained, 2);
}

TEST_F(ConnectionTest, keeps_a_bounded_backlog_for_a_reader_that_stalls) {
  const std::string frame = noise(10'000);
  Connection* connection = nullptr;
  std::size_t most = 0, drained = 0;
  const auto fill = [&](Connection& c) {
    while (!c.is_full()) c.send(frame);
    most = std::max(most, c.backlog_bytes());
    c.tell_when_drained();
  };
  script_.on_bytes = [&](Connection& c, base::Bytes bytes) {
    connection = &c;
    fill(c);
    return bytes.size();
  };
  script_.on_drained = [&](Connection& c) {
    ++drained;
    fill(c);
  };
  set_up();
  peer().reading = false;
  peer().send("x");
  peer().run_for(60 * sim::kSecondNs);
  ASSERT_NE(connection, nullptr);
  EXPECT_TRUE(connection->is_full() || connection->backlog_bytes() > 0);
  EXPECT_LE(most, kBacklogBytesMax + frame.size());
  EXPECT_EQ(drained, 0u) << "nothing was read, so nothing drained";
  peer().reading = true;
  EXPECT_TRUE(peer().until([&] { return drained > 2; }));
  EXPECT_LE(most, kBacklogBytesMax + frame.size());
}

TEST_F(ConnectionTest, says_goodbye_when_the_program_ends) {
  script_.on_bytes = [&](Connection&, base::Bytes bytes) { return bytes.size(); };
  script_.on_shutdown = [](Connection& connection) {
    connection.send("bye");
    connection.close_after_sending();
  };
  set_up();
  Peer other(*world_, endpoint_);
  peer().send("x");
  ASSERT_TRUE(peer().until([&] { return connections_->open() == 2; }));
  on_loop([&] { connections_->shut_down(); });
  ASSERT_TRUE(peer().until_end());
  ASSERT_TRUE(other.until_end());
  EXPECT_EQ(peer().received, "bye");
  EXPECT_EQ(other.received, "bye");
}

TEST_F(ConnectionTest, hands_on_all_bytes_before_it_tells_that_the_peer_finished) {
  std::string seen;
  std::string at_end;
  script_.on_bytes = [&](Connection& connection, base::Bytes bytes) {
    seen += bytes;
    connection.send("got ");
    return bytes.size();
  };
  script_.on_end = [&](Connection& connection) {
    at_end = seen;
    connection.send("all");
    connection.close_after_sending();
  };
  for (std::uint64_t seed = 1; seed < 20; ++seed) {
    set_up(seed);
    seen.clear();
    const std::string text = noise(200'000);
    peer().send(text);
    peer().finish_sending();
    ASSERT_TRUE(peer().until_end()) << seed;
    EXPECT_EQ(at_end, text);
    EXPECT_TRUE(peer().received.ends_with("all"));
    EXPECT_EQ(connections_->open(), 0u);
  }
}

TEST_F(ConnectionTest, tells_of_a_failure_and_dies_at_the_end_of_the_turn) {
  bool failed = false, destroyed = false;
  script_.on_failed = [&](Connection&, base::Error) { failed = true; };
  script_.on_destroyed = [&] { destroyed = true; };
  set_up();
  peer().send("x");
  ASSERT_TRUE(peer().until([&] { return counters().received_bytes == 1; }));
  world_->network().reset(peer().handle());
  ASSERT_TRUE(world_->run_until([&] { return destroyed; }, sim::kSecondNs));
  EXPECT_TRUE(failed);
  EXPECT_EQ(connections_->open(), 0u);
}

TEST_F(ConnectionTest, closes_when_its_handler_says_that_the_bytes_are_wrong) {
  script_.on_bytes = [](Connection&, base::Bytes) { return base::fail(base::Errc::BadInput, "wrong"); };
  set_up();
  peer().send("x");
  EXPECT_TRUE(peer().until_end());
  EXPECT_EQ(counters().closed, 1u);
}

// An answer may come in the turn in which the connection failed, before it is gone.
TEST_F(ConnectionTest, that_closed_in_this_turn_takes_what_still_comes_without_effect) {
  script_.on_bytes = [&](Connection& connection, base::Bytes bytes) {
    connection.close();
    connection.show_input();
    connection.tell_when_drained();
    connection.send("x");
    connection.set_timeout(1);
    connection.close_after_sending();
    return bytes.size();
  };
  script_.on_drained = [](Connection&) { ADD_FAILURE() << "it is closed"; };
  set_up();
  for (int i = 0; i < 10; ++i) {
    Peer one(*world_, endpoint_);
    one.send("x");
    EXPECT_TRUE(one.until_end());
  }
  world_->run_for(sim::kSecondNs);
  EXPECT_EQ(connections_->open(), 0u);
}

TEST_F(ConnectionTest, has_one_time_limit_and_closes_when_it_is_over) {
  script_.on_bytes = [&](Connection& connection, base::Bytes bytes) {
    connection.set_timeout(sim::kSecondNs);
    connection.set_timeout(5 * sim::kSecondNs);
    return bytes.size();
  };
  set_up();
  peer().send("x");
  peer().run_for(4 * sim::kSecondNs);
  EXPECT_EQ(connections_->open(), 1u);
  peer().run_for(2 * sim::kSecondNs);
  EXPECT_EQ(connections_->open(), 0u);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_F(ConnectionTest, owns_no_buffer_when_it_is_idle) {
  constexpr std::size_t kPeers = 50, kRequestBytes = 40'000;
  script_.on_bytes = [&](Connection& connection, base::Bytes bytes) -> std::size_t {
    if (!bytes.ends_with('\n')) return 0;
    connection.send("done");
    return bytes.size();
  };
  set_up(1, 1'000);  // the simulated sockets keep their buffers
  std::vector<std::unique_ptr<Peer>> peers;
  const auto everybody_sends = [&](std::size_t bytes) {
    for (const auto& each : peers) each->send(std::string(bytes, 'x') + "\n");
    for (const auto& each : peers) ASSERT_TRUE(each->until_received("done"));
    for (const auto& each : peers) each->received = {};
  };
  for (std::size_t i = 0; i < kPeers; ++i) peers.push_back(std::make_unique<Peer>(*world_, endpoint_));
  everybody_sends(10);
  const std::size_t before = mallinfo2().uordblks;
  const std::uint64_t reads_before = counters().received_bytes;
  everybody_sends(kRequestBytes);
  ASSERT_EQ(counters().received_bytes - reads_before, kPeers * (kRequestBytes + 1));
  const std::size_t after = mallinfo2().uordblks;
  // A kept buffer would be a request for each connection.
  EXPECT_LT(after, before + kPeers * kRequestBytes / 2);
}
#endif

TEST_F(ConnectionTest, tells_a_handler_that_it_was_installed_so_that_silence_has_a_limit_too) {
  int opened = 0;
  Script next;
  next.on_open = [&](Connection&) { ++opened; };
  script_.on_open = [&](Connection& connection) { connection.set_timeout(sim::kSecondNs); };
  script_.on_timeout = [&](Connection& connection) { connection.upgrade(std::make_unique<Scripted>(next)); };
  set_up();
  ASSERT_TRUE(peer().until([&] { return opened == 1; }, 2 * sim::kSecondNs));
  EXPECT_EQ(connections_->open(), 1u);
}

TEST_F(ConnectionTest, waits_in_the_systems_queue_while_descriptors_are_short) {
  std::size_t served = 0;
  script_.on_bytes = [&](Connection& connection, base::Bytes bytes) {
    ++served;
    connection.send("served");
    return bytes.size();
  };
  set_up();
  peer().send("x");
  ASSERT_TRUE(peer().until_received("served"));
  world_->network().fail_accepts(1);
  Peer late(*world_, endpoint_);
  late.send("x");
  peer().received.clear();
  ASSERT_TRUE(late.until([&] { return counters().accept_refusals == 1; }));
  const std::uint64_t paused_ns = world_->now_ns();
  peer().send("y");
  ASSERT_TRUE(peer().until_received("served")) << "who is connected goes on";
  ASSERT_TRUE(late.until_received("served"));
  EXPECT_GE(world_->now_ns() - paused_ns, kAcceptPauseNs);
  EXPECT_EQ(counters().accept_refusals, 1u) << "while it pauses it does not ask";
}

TEST_F(ConnectionTest, is_accepted_when_one_of_the_last_descriptors_is_free_again) {
  set_up();
  ASSERT_TRUE(peer().until([&] { return connections_->open() == 1; }));
  auto second = std::make_unique<Peer>(*world_, endpoint_);
  world_->network().options().handles_max = world_->network().open_handles();
  ASSERT_TRUE(second->until([&] { return counters().accept_refusals >= 3; })) << "it tries again each time";
  EXPECT_EQ(connections_->open(), 1u);
  peer().close();
  EXPECT_TRUE(second->until([&] { return counters().accepted == 2; }));
}

TEST_F(ConnectionTest, is_no_longer_accepted_when_the_listener_has_closed) {
  set_up();
  ASSERT_TRUE(peer().until([&] { return connections_->open() == 1; }));
  on_loop([&] { listener_->close(); });
  EXPECT_EQ(connections_->open(), 1u) << "those that are open stay";
}

}  // namespace
}  // namespace net
