// SPDX-License-Identifier: Apache-2.0
#pragma once
// All connections of one loop, and what they share: the read buffer, the pool of output links, and the rings of those
// that have something to do.
//
// Thread: one loop. Lifetime: destroyed after the loop's last turn and before the loop.
#include <array>
#include <cstdint>
#include <memory>

#include "io/loop.h"
#include "net/connection.h"

namespace net {

struct TrafficCounters {
  std::uint64_t accepted = 0;
  std::uint64_t closed = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t writes = 0;
  std::uint64_t accept_refusals = 0;  // out of descriptors: accepting paused
};

class Connections final {
 public:
  explicit Connections(io::Loop&);
  ~Connections();

  // Takes over a connected (or connecting) socket.
  Connection* add(io::Handle, const io::Endpoint& peer, std::unique_ptr<Handler>);
  void shut_down();  // every handler says goodbye; open() tells who still has something to say
  void close_all();
  std::size_t open() const { return open_; }
  const TrafficCounters& counters() const { return counters_; }
  TrafficCounters& counters() { return counters_; }
  io::Loop& loop() { return loop_; }

 private:
  friend class Connection;
  static constexpr std::size_t kReadBytes = 64 << 10;

  void flush_all();
  void run_later();
  void put_off(LaterLink&);
  void bury(Connection&);

  io::Loop& loop_;
  AllLink all_;
  FlushLink flush_;
  LaterLink later_;
  bool later_asked_ = false;
  std::size_t open_ = 0;
  std::size_t own_output_bytes_ = 0;  // in frames for one receiver
  OutputPool pool_;
  TrafficCounters counters_;
  std::array<io::Slice, io::kSlicesPerWriteMax> slices_;
  std::array<char, kReadBytes> read_buffer_;
};

}  // namespace net
