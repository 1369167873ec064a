// SPDX-License-Identifier: Apache-2.0
#include "io/real_network.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/real_clock.h"

namespace io {
namespace {

using base::Errc;
constexpr std::uint64_t kPatienceNs = 10'000'000'000;

struct Recorder final : Watcher {
  void on_ready(Readiness readiness) override {
    ++calls;
    last = readiness;
    if (then) then(readiness);
  }
  int calls = 0;
  Readiness last;
  std::function<void(Readiness)> then;
};

std::size_t write_text(RealNetwork& network, Handle handle, base::Bytes text) {
  const Slice slice{text.data(), text.size()};
  return network.write(handle, std::span(&slice, 1)).value();
}

class RealNetworkTest : public testing::TestWithParam<const char*> {
 protected:
  RealNetworkTest() : directory_(std::filesystem::temp_directory_path() / "tw_network_XXXXXX") {
    std::string name = directory_;
    CHECK(mkdtemp(name.data()) != nullptr, "a test needs a directory");
    directory_ = name;
  }
  ~RealNetworkTest() override {
    for (const Handle handle : handles_) network_.close(handle);
    std::filesystem::remove_all(directory_);
  }

  Endpoint endpoint(std::string text) {
    if (text == "unix") text = "unix:" + directory_.string() + "/socket";
    return Endpoint::parse(text).value();
  }
  Handle keep(Handle handle) {
    handles_.push_back(handle);
    return handle;
  }
  bool wait_for(const std::function<bool()>& done) {
    const std::uint64_t end = clock_.monotonic_ns() + kPatienceNs;
    while (!done()) {
      if (clock_.monotonic_ns() > end) return false;
      poller_->wait(10'000'000);
      poller_->dispatch();
    }
    return true;
  }
  // The accepting end of a connection to `listener`.
  Handle accept_one(Handle listener) {
    Recorder waiting;
    Endpoint peer;
    Handle accepted = kNoHandle;
    waiting.then = [&](Readiness) { accepted = network_.accept(listener, peer).value_or(kNoHandle); };
    EXPECT_TRUE(poller_->watch_level(listener, waiting));
    EXPECT_TRUE(wait_for([&] { return accepted != kNoHandle; }));
    poller_->unwatch(listener);
    return keep(accepted);
  }

  RealNetwork network_;
  RealClock clock_;
  std::unique_ptr<Poller> poller_ = network_.make_poller();
  std::filesystem::path directory_;
  std::vector<Handle> handles_;
};

class EveryFamily : public RealNetworkTest {};
std::string family_name(const testing::TestParamInfo<const char*>& info) {
  const char* const names[] = {"v4", "v6", "unix"};
  return names[info.index];
}
INSTANTIATE_TEST_SUITE_P(Real, EveryFamily, testing::Values("127.0.0.1:0", "[::1]:0", "unix"), family_name);

TEST_P(EveryFamily, bytes_go_both_ways_and_the_end_arrives) {
  const auto reserved = network_.reserve(endpoint(GetParam()));
  if (!reserved && reserved.error().sys_errno == EADDRNOTAVAIL) GTEST_SKIP() << "no IPv6 on this machine";
  if (!reserved && reserved.error().code == Errc::Unsupported) GTEST_SKIP() << "no IPv6 on this machine";
  ASSERT_TRUE(reserved);
  const Handle listener = keep(network_.listen(*reserved).value());
  const Handle client = keep(network_.connect(*reserved).value());
  Recorder client_ready;
  ASSERT_TRUE(poller_->watch_edges(client, client_ready));
  const Handle server = accept_one(listener);
  ASSERT_TRUE(wait_for([&] { return client_ready.last.writable; }));
  ASSERT_TRUE(network_.connected(client));

  Recorder server_ready;
  ASSERT_TRUE(poller_->watch_edges(server, server_ready));
  char bytes[64];
  EXPECT_EQ(network_.read(server, bytes).error().code, Errc::Again);
  const Slice pieces[] = {{"hello ", 6}, {"world", 5}};
  ASSERT_EQ(network_.write(client, pieces).value(), 11);
  ASSERT_TRUE(wait_for([&] { return server_ready.last.readable; }));
  ASSERT_EQ(network_.read(server, bytes).value(), 11);
  EXPECT_EQ(std::string(bytes, 11), "hello world");

  network_.finish_sending(client);
  ASSERT_TRUE(wait_for([&] { return network_.read(server, bytes).has_value(); }));
  EXPECT_EQ(network_.read(server, bytes).value(), 0);
  ASSERT_EQ(write_text(network_, server, "bye"), 3) << "half closed: the other direction still works";
  ASSERT_TRUE(wait_for([&] { return network_.read(client, bytes).value_or(0) == 3; }));
}

TEST_P(EveryFamily, a_second_server_is_refused) {
  const auto reserved = network_.reserve(endpoint(GetParam()));
  if (!reserved) GTEST_SKIP() << "no IPv6 on this machine";
  keep(network_.listen(*reserved).value());
  const auto second = network_.reserve(*reserved);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::System);
  EXPECT_EQ(second.error().sys_errno, EADDRINUSE);
}

TEST_P(EveryFamily, a_restarted_server_is_not_refused_while_old_connections_linger) {
  const auto reserved = network_.reserve(endpoint(GetParam()));
  if (!reserved) GTEST_SKIP() << "no IPv6 on this machine";
  const Handle listener = network_.listen(*reserved).value();
  const Handle client = keep(network_.connect(*reserved).value());
  Endpoint peer;
  const Handle server = accept_one(listener);
  handles_.pop_back();
  network_.close(server);  // closes first: for TCP its address goes to FIN-WAIT and TIME-WAIT
  network_.close(listener);
  network_.finish_sending(client);
  ASSERT_TRUE(network_.reserve(*reserved));
  const auto again = network_.listen(*reserved);
  ASSERT_TRUE(again);
  keep(*again);
}

TEST_P(EveryFamily, nobody_there_is_an_error_with_its_errno) {
  const auto reserved = network_.reserve(endpoint(GetParam()));
  if (!reserved) GTEST_SKIP() << "no IPv6 on this machine";
  const auto client = network_.connect(*reserved);
  base::Error error{};
  if (client) {
    keep(*client);
    Recorder ready;
    ASSERT_TRUE(poller_->watch_edges(*client, ready));
    ASSERT_TRUE(wait_for([&] { return ready.calls > 0; }));
    const auto connected = network_.connected(*client);
    ASSERT_FALSE(connected);
    error = connected.error();
  } else {
    error = client.error();
  }
  EXPECT_EQ(error.code, Errc::System);
  EXPECT_EQ(error.sys_errno, std::string(GetParam()) == "unix" ? ENOENT : ECONNREFUSED);
}

TEST_F(RealNetworkTest, loops_share_a_port_and_each_gets_connections) {
  const Endpoint reserved = network_.reserve(endpoint("127.0.0.1:0")).value();
  const Handle listeners[] = {keep(network_.listen(reserved).value()), keep(network_.listen(reserved).value())};
  int accepted[2] = {0, 0};
  for (int i = 0; i < 64; ++i) keep(network_.connect(reserved).value());
  ASSERT_TRUE(wait_for([&] {
    Endpoint peer;
    for (int i = 0; i < 2; ++i) {
      if (const auto handle = network_.accept(listeners[i], peer)) ++accepted[i], keep(*handle);
    }
    return accepted[0] + accepted[1] == 64;
  }));
  EXPECT_GT(accepted[0], 0);
  EXPECT_GT(accepted[1], 0);
}

TEST_F(RealNetworkTest, a_full_socket_says_again_and_an_edge_follows_when_there_is_room) {
  const Endpoint reserved = network_.reserve(endpoint("127.0.0.1:0")).value();
  const Handle listener = keep(network_.listen(reserved).value());
  const Handle client = keep(network_.connect(reserved).value());
  const Handle server = accept_one(listener);
  const std::string block(64 * 1024, 'x');
  const Slice slice{block.data(), block.size()};
  std::size_t sent = 0;
  base::Result<std::size_t> result = 0;
  while ((result = network_.write(server, std::span(&slice, 1)))) sent += *result;
  EXPECT_EQ(result.error().code, Errc::Again);
  Recorder ready;
  ASSERT_TRUE(poller_->watch_edges(server, ready));
  poller_->wait(0);
  poller_->dispatch();
  EXPECT_FALSE(ready.last.writable);
  std::string sink(64 * 1024, '\0');
  std::size_t received = 0;
  ASSERT_TRUE(wait_for([&] {
    while (const auto got = network_.read(client, sink)) received += *got;
    return ready.last.writable && received == sent;
  }));
}

TEST_F(RealNetworkTest, a_peer_that_is_gone_is_closed_and_raises_no_signal) {
  const Endpoint reserved = network_.reserve(endpoint("127.0.0.1:0")).value();
  const Handle listener = keep(network_.listen(reserved).value());
  const Handle client = network_.connect(reserved).value();
  const Handle server = accept_one(listener);
  write_text(network_, server, "unread");
  char byte[1];
  ASSERT_TRUE(wait_for([&] { return recv(client, byte, 1, MSG_PEEK) == 1; }));
  network_.close(client);  // with unread bytes: a reset
  const auto before = signal(SIGPIPE, SIG_DFL);
  for (const int wanted : {ECONNRESET, EPIPE}) {
    base::Error error{};
    EXPECT_TRUE(wait_for([&] {
      const Slice slice{"x", 1};
      const auto result = network_.write(server, std::span(&slice, 1));
      if (!result) error = result.error();
      return !result;
    }));
    EXPECT_EQ(error.code, Errc::Closed);
    EXPECT_EQ(error.sys_errno, wanted);
  }
  signal(SIGPIPE, before);
}

TEST_F(RealNetworkTest, a_stale_unix_socket_is_replaced_and_only_its_owner_may_use_it) {
  const Endpoint path = endpoint("unix");
  network_.close(network_.listen(path).value());
  ASSERT_TRUE(std::filesystem::exists(path.path)) << "left behind, as after a crash";
  ASSERT_TRUE(network_.reserve(path));
  keep(network_.listen(path).value());
  struct stat found{};
  ASSERT_EQ(stat(path.path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600);
}

TEST_F(RealNetworkTest, a_file_that_is_no_socket_is_not_replaced) {
  const Endpoint path = endpoint("unix");
  close(creat(path.path.c_str(), 0600));
  EXPECT_EQ(network_.listen(path).error().sys_errno, EADDRINUSE);
  EXPECT_TRUE(std::filesystem::is_regular_file(path.path));
}

TEST_F(RealNetworkTest, wake_ends_a_wait_and_a_level_is_reported_until_it_is_gone) {
  poller_->wake();
  poller_->wake();
  poller_->wait(~std::uint64_t{0});
  poller_->dispatch();

  const Endpoint reserved = network_.reserve(endpoint("127.0.0.1:0")).value();
  const Handle listener = keep(network_.listen(reserved).value());
  keep(network_.connect(reserved).value());
  Recorder waiting;
  ASSERT_TRUE(poller_->watch_level(listener, waiting));
  ASSERT_TRUE(wait_for([&] { return waiting.calls >= 3; }));
  Endpoint peer;
  keep(network_.accept(listener, peer).value());
  EXPECT_TRUE(peer.is_loopback());
  const int calls = waiting.calls;
  poller_->wait(0);
  poller_->dispatch();
  EXPECT_EQ(waiting.calls, calls);
  EXPECT_EQ(network_.accept(listener, peer).error().code, Errc::Again);
}

TEST_F(RealNetworkTest, a_wait_with_a_time_limit_returns_not_before_it) {
  const std::uint64_t before = clock_.monotonic_ns();
  poller_->wait(3'000'000);
  EXPECT_GE(clock_.monotonic_ns() - before, 3'000'000);
}

// In a child process, whose limit is its own.
int accept_without_descriptors() {
  RealNetwork network;
  const Endpoint any = Endpoint::parse("127.0.0.1:0").value();
  const Endpoint reserved = network.reserve(any).value();
  const Handle listener = network.listen(reserved).value();
  const Handle client = network.connect(reserved).value();
  std::vector<int> fill;
  rlimit limit{64, 64};
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return 1;
  for (int copy = dup(client); copy >= 0; copy = dup(client)) fill.push_back(copy);
  Endpoint peer;
  const auto full = network.accept(listener, peer);
  if (full || full.error().code != Errc::Overload) return 2;
  const auto socket = network.connect(reserved);
  if (socket || socket.error().code != Errc::Overload) return 3;
  close(fill.back());
  return network.accept(listener, peer) ? 0 : 4;
}

TEST_F(RealNetworkTest, out_of_descriptors_is_overload_and_the_connection_stays_queued) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) _exit(accept_without_descriptors());
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace io
