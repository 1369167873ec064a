// SPDX-License-Identifier: Apache-2.0
#pragma once
// One stream socket: bytes in to its handler, frames out in at most one write per turn.
//
// Thread: one loop. Ownership: Connections owns it from the start; it ends with close(), and its memory at the end of
// that turn. Invariant: an idle connection owns no buffer. Back-pressure: input that the handler leaves is kept up to
// kInputBytesMax, then the socket is not read; output is for the sender to bound: ask is_full() before sending more.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "io/loop.h"
#include "net/handler.h"
#include "net/output_queue.h"

namespace net {

class Connections;

inline constexpr std::size_t kInputBytesMax = 64 << 10;        // unconsumed input of one connection
inline constexpr std::size_t kBacklogBytesMax = 256 << 10;     // queued output from which on a connection is full
inline constexpr std::uint64_t kLingerNs = 2'000'000'000;      // for the peer to read the end and close first
inline constexpr std::uint64_t kSendStallNs = 30'000'000'000;  // without a byte taken, while closing after sending

// In which of its loop's rings a connection is.
struct AllLink : base::RingLink {};    // every open connection
struct FlushLink : base::RingLink {};  // has output for the end of this turn
struct LaterLink : base::RingLink {};  // has work for the next turn

class Connection final : public io::Watcher, private AllLink, private FlushLink, private LaterLink {
 public:
  Connection(Connections&, io::Handle, const io::Endpoint& peer, std::unique_ptr<Handler>);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void send(FramePtr);     // queued; written at the end of the turn
  void send(std::string);  // likewise, for one receiver
  bool is_full() const { return output_.bytes() >= kBacklogBytesMax; }
  std::size_t backlog_bytes() const { return output_.bytes(); }
  bool take_progress() { return std::exchange(progress_, false); }  // the peer took bytes since the last call
  // What all connections of this loop have queued for one receiver each.
  std::size_t loop_output_bytes() const;
  void tell_when_drained();  // one on_drained() in a later turn, when nothing is queued

  void upgrade(std::unique_ptr<Handler>);             // what is left of the input is shown to the new one in this turn
  bool has_input() const { return !input_.empty(); }  // left by the handler; not while it is being shown
  void show_input();                                  // shows what the handler left before, in this turn or the next
  // 0 cancels. One time limit at a time: a new one replaces it.
  void set_timeout(std::uint64_t delay_ns);

  void close_after_sending();  // sends what is queued, then ends; further input is read and dropped
  void close();                // at once, what is queued is lost; may be called from any of the handler's functions
  bool is_open() const { return handle_ != io::kNoHandle; }
  bool is_closing() const { return state_ != State::Open; }

  const io::Endpoint& peer() const { return peer_; }
  io::Loop& loop();

 private:
  friend class Connections;
  enum class State : std::uint8_t { Open, Closing, Lingering, Closed };

  void on_ready(io::Readiness) override;
  void on_time();
  void on_later();  // what was put off to another turn
  void read();
  void take(base::Bytes fresh);  // to the handler, and keeps what it leaves
  void flush();
  void begin_linger();
  void fail(base::Error);
  void put_off();

  Connections& connections_;
  std::unique_ptr<Handler> handler_;
  OutputQueue output_;
  std::string input_;  // left by the handler
  io::Timer timer_;
  io::Endpoint peer_;
  io::Handle handle_;
  State state_ = State::Open;
  bool can_read_ = false;  // the last read did not exhaust the socket
  bool can_write_ = true;  // the last write was not refused
  bool end_near_ = false;  // the system said that the peer finished or failed: read until the end
  bool end_told_ = false;  // the end was read, the handler knows
  bool progress_ = false;
  bool wants_drained_ = false;
  bool wants_input_ = false;  // show_input() was called
};

}  // namespace net
