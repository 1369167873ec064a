// SPDX-License-Identifier: Apache-2.0
#pragma once
// For tests of this floor and of those above: the other end of a simulated connection, moved by the test itself.
//
// What it is given to send leaves as the network takes it; what arrives is collected while `reading`. Every wait steps
// the world.
#include <functional>
#include <string>
#include <utility>

#include "tests/support/sim_world.h"

namespace net {

inline constexpr std::uint64_t kPatienceNs = 300 * sim::kSecondNs;

class Peer final {
 public:
  Peer(sim::SimWorld& world, const io::Endpoint& to) : world_(world) {
    auto connected = world_.network().connect(to);
    CHECK(connected.has_value(), "a test connects to where somebody listens");
    handle_ = *connected;
  }
  ~Peer() { close(); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void send(std::string_view bytes) { unsent_ += bytes; }
  void finish_sending() { finishes_ = true; }
  void close() {
    if (handle_ != io::kNoHandle) world_.network().close(std::exchange(handle_, io::kNoHandle));
  }
  io::Handle handle() const { return handle_; }

  // False: so much virtual time has passed, or nothing can happen any more.
  bool until(const std::function<bool()>& done, std::uint64_t limit_ns = kPatienceNs) {
    return world_.run_until(
        [&] {
          move();
          return done();
        },
        limit_ns);
  }
  bool until_received(std::string_view text, std::uint64_t limit_ns = kPatienceNs) {
    return until([&] { return received.contains(text); }, limit_ns);
  }
  bool until_end(std::uint64_t limit_ns = kPatienceNs) {
    return until([&] { return is_over(); }, limit_ns);
  }
  void run_for(std::uint64_t span_ns) {
    until([] { return false; }, span_ns);
  }

  bool is_over() const { return ended || failed; }
  std::size_t unsent() const { return unsent_.size(); }

  std::string received;
  bool reading = true;
  bool ended = false;   // the server finished in order
  bool failed = false;  // it reset the connection, or refused it

 private:
  void move() {
    if (handle_ == io::kNoHandle || is_over()) return;
    while (!unsent_.empty()) {
      const io::Slice slice{unsent_.data(), unsent_.size()};
      const auto sent = world_.network().write(handle_, {&slice, 1});
      if (!sent) break;
      unsent_.erase(0, *sent);
    }
    if (unsent_.empty()) unsent_.shrink_to_fit();
    if (unsent_.empty() && std::exchange(finishes_, false)) world_.network().finish_sending(handle_);
    char buffer[4096];
    while (reading) {
      const auto got = world_.network().read(handle_, buffer);
      if (!got) {
        failed = got.error().code != base::Errc::Again;
        return;
      }
      if (*got == 0) {
        ended = true;
        return;
      }
      received.append(buffer, *got);
    }
  }

  sim::SimWorld& world_;
  io::Handle handle_;
  std::string unsent_;
  bool finishes_ = false;
};

}  // namespace net
