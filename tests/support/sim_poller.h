// SPDX-License-Identifier: Apache-2.0
#pragma once
// The readiness of simulated sockets for one loop. A turn never waits: the scheduler runs it when there is work.
#include <vector>

#include "io/network.h"

namespace sim {

class SimNetwork;

class SimPoller final : public io::Poller {
 public:
  explicit SimPoller(SimNetwork& network) : network_(network) {}
  ~SimPoller() override;

  base::Result<void> watch_edges(io::Handle, io::Watcher&) override;
  base::Result<void> watch_level(io::Handle, io::Watcher&) override;
  void unwatch(io::Handle) override;
  void wait(std::uint64_t timeout_ns) override;
  void dispatch() override;
  void wake() override { woken_ = true; }

  bool has_work() const;
  void edge(io::Handle handle) { edges_.push_back(handle); }
  void drop_level(io::Handle);

 private:
  struct Found {
    io::Watcher* watcher;
    io::Readiness readiness;
  };
  base::Result<void> watch(io::Handle, io::Watcher&, bool level);

  SimNetwork& network_;
  bool woken_ = false;
  std::vector<io::Handle> edges_;  // in order of arrival; may name handles that were closed since
  std::vector<io::Handle> levels_;
  std::vector<Found> found_;
};

}  // namespace sim
