// SPDX-License-Identifier: Apache-2.0
#pragma once
// Accepts connections on one listening socket of one loop and gives each a fresh handler.
//
// When the process runs out of descriptors, what is connected goes on and accepting pauses for kAcceptPauseNs; the
// waiting connections stay in the system's queue. Thread: one loop. Lifetime: closed when destroyed.
#include <cstdint>
#include <functional>
#include <memory>

#include "net/connections.h"

namespace net {

inline constexpr int kAcceptsPerTurnMax = 64;
inline constexpr std::uint64_t kAcceptPauseNs = 100'000'000;

class Listener final : public io::Watcher {
 public:
  using MakeHandler = std::function<std::unique_ptr<Handler>()>;

  // `handle` comes from Network::listen.
  static base::Result<std::unique_ptr<Listener>> open(Connections&, io::Handle, MakeHandler);
  ~Listener();

  void close();  // no further connections; those that are open stay

 private:
  Listener(Connections&, io::Handle, MakeHandler);
  void on_ready(io::Readiness) override;
  void pause();
  void resume();

  Connections& connections_;
  io::Handle handle_;
  MakeHandler make_handler_;
  io::Timer pause_timer_;
};

}  // namespace net
