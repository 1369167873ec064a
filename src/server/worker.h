// SPDX-License-Identifier: Apache-2.0
#pragma once
// One loop of the server with everything that belongs to it: connections, engine, forms, listeners.
//
// Thread: constructed and destroyed while the loop does not run; everything else on the loop.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "admin/admin_service.h"
#include "net/listener.h"
#include "protocols/http/gateway.h"
#include "protocols/protocol.h"
#include "server/protocols.h"

namespace server {

enum class ListenerRole : std::uint8_t { Public, Application, Admin };
inline constexpr std::size_t kListenerRoles = 3;
std::string_view name(ListenerRole);

// What a worker's listener of one role needs; shared by all workers.
struct ListenerPlan {
  ListenerRole role;
  io::Endpoint endpoint;  // with the port that was given
  protocols::SurfaceSettings surface;
};

class Worker final {
 public:
  Worker(io::World, std::string name, storage::Lane&, const engine::Topics&, const std::string& version,
         admin::Collect);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  io::Loop& loop() { return loop_; }
  engine::Engine& engine() { return engine_; }

  // Takes over the listening socket; before open_listeners().
  void add_listener(const ListenerPlan&, io::Handle);
  base::Result<void> open_listeners();

  // Accepts nothing more, lets everybody say goodbye, and calls back when the last has gone or the time is over.
  void drain(std::uint64_t timeout_ns, io::Task drained);
  admin::LoopSnapshot snapshot() const;

  // After the loop has ended, before any worker is destroyed: connections end before the engine that their
  // subscriptions are on.
  void finish();

 private:
  struct Listening {
    io::Handle handle;  // until the listener has it
    std::vector<protocols::Offered> protocols;
    std::unique_ptr<net::Listener> listener;
  };
  void on_drain_tick();

  io::Loop loop_;
  net::Connections connections_;
  engine::Engine engine_;
  std::string version_;
  admin::Collect collect_;
  StreamForms forms_;
  std::vector<std::unique_ptr<Listening>> listeners_;
  io::Timer drain_timer_;
  std::uint64_t drain_deadline_ns_ = 0;
  io::Task drained_;
};

}  // namespace server
