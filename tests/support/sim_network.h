// SPDX-License-Identifier: Apache-2.0
#pragma once
// Sockets of one simulated machine, with the readiness semantics of epoll(7).
//
// A connection is two pipes of bounded, random capacity. What is written is in flight until steps deliver it, in
// pieces of random size; the end of sending and a reset travel behind the bytes. An edge is reported at registration,
// when bytes or an end arrive, and when room appears after a write that found too little; as with epoll it carries
// everything that is true when it is fetched, and nothing if nothing is true any more. Closing with unread bytes is a
// reset that may overtake bytes still in flight; writing to a closed end is answered by one. Handle numbers are
// reused at once, the lowest first.
#include <deque>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "io/network.h"
#include "tests/support/sim_core.h"
#include "tests/support/sim_poller.h"

namespace sim {

struct Connection;
struct Pipe;

class SimNetwork final : public io::Network {
 public:
  struct Options {
    std::uint64_t latency_ns_max = 200'000;
    std::size_t pipe_bytes_max = 64 * 1024;
    std::size_t handles_max = 100'000;
    std::uint64_t reset_one_in = 0;  // deliveries at which the network resets the connection; 0: never
  };
  SimNetwork(Core&, Options);
  ~SimNetwork() override;

  std::unique_ptr<io::Poller> make_poller() override;
  base::Result<io::Endpoint> reserve(const io::Endpoint&) override;
  base::Result<io::Handle> listen(const io::Endpoint&) override;
  base::Result<io::Handle> accept(io::Handle listener, io::Endpoint& peer) override;
  base::Result<io::Handle> connect(const io::Endpoint&) override;
  base::Result<void> connected(io::Handle) override;
  base::Result<std::size_t> read(io::Handle, std::span<char> into) override;
  base::Result<std::size_t> write(io::Handle, std::span<const io::Slice>) override;
  void finish_sending(io::Handle) override;
  void close(io::Handle) override;

  // For tests.
  Options& options() { return options_; }  // may be changed at any time
  std::size_t open_handles() const { return open_handles_; }
  void fail_accepts(std::size_t count) { accepts_to_fail_ = count; }  // the next ones are Errc::Overload
  void reset(io::Handle);                                             // the network resets this connection

  // For the poller.
  struct Watch {
    SimPoller* poller = nullptr;
    io::Watcher* watcher = nullptr;
    bool level = false;
    bool pending = false;  // in the poller's list of edges
  };
  Watch& watch_of(io::Handle);
  bool is_open(io::Handle) const;
  io::Readiness readiness(io::Handle) const;
  void forget_poller(const SimPoller&);

  // For the scheduler.
  std::size_t find_deliverable();
  void deliver(std::size_t index);
  std::uint64_t next_due_ns() const;

 private:
  struct Listener {
    io::Endpoint endpoint;
    std::deque<Connection*> backlog;
  };
  struct Slot {
    std::unique_ptr<Listener> listener;
    Connection* connection = nullptr;
    int side = 0;
    Watch watch;
  };
  // Something that travels: bytes of one direction (side 0 or 1), or an attempt to connect.
  struct Travel {
    static constexpr int kConnect = 2;
    std::uint64_t due_ns;
    std::uint64_t order;
    Connection* connection;
    int what;
    bool operator>(const Travel& o) const { return due_ns != o.due_ns ? due_ns > o.due_ns : order > o.order; }
  };

  base::Result<io::Handle> take_handle();
  void release_handle(io::Handle);
  Slot& slot(io::Handle);
  const Slot& slot(io::Handle) const;
  Connection& connection_at(io::Handle);
  std::vector<io::Handle> listeners_at(const io::Endpoint&) const;
  void travel(Connection&, int what, std::uint64_t delay_ns);
  void send_on(Connection&, int from);
  void arrive(Connection&, int from);
  void finish_connect(Connection&);
  void reset_end(Connection&, int side);
  void close_end(Connection&, int side);
  void edge(const Connection&, int side);
  void release_if_over(Connection&);
  std::size_t random_capacity();

  Core& core_;
  Options options_;
  std::vector<Slot> slots_;
  std::priority_queue<io::Handle, std::vector<io::Handle>, std::greater<>> free_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::priority_queue<Travel, std::vector<Travel>, std::greater<>> travelling_;
  std::vector<Travel> deliverable_;
  std::uint64_t travels_ = 0;
  std::uint64_t connections_made_ = 0;
  std::size_t open_handles_ = 0;
  std::size_t accepts_to_fail_ = 0;
  std::uint16_t next_port_ = 20'000;
};

}  // namespace sim
