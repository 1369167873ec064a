// SPDX-License-Identifier: Apache-2.0
#pragma once
// epoll(7). Connections are watched edge-triggered, listeners level-triggered; wake() is an eventfd.
//
// Thread: one loop, except wake(). A watcher may still be called in the turn in which its handle was closed or
// unwatched, because wait() had found it before; the handle's number may by then belong to another socket.
#include <sys/epoll.h>

#include <array>

#include "io/network.h"

namespace io {

class RealPoller final : public Poller {
 public:
  RealPoller();
  ~RealPoller() override;
  RealPoller(const RealPoller&) = delete;
  RealPoller& operator=(const RealPoller&) = delete;

  base::Result<void> watch_edges(Handle, Watcher&) override;
  base::Result<void> watch_level(Handle, Watcher&) override;
  void unwatch(Handle) override;
  void wait(std::uint64_t timeout_ns) override;
  void dispatch() override;
  void wake() override;

 private:
  static constexpr std::size_t kEventsPerTurnMax = 512;  // what is over comes in the next turn

  base::Result<void> watch(Handle, std::uint32_t events, Watcher*);
  int poll(std::uint64_t timeout_ns);

  int epoll_ = kNoHandle;
  int wake_ = kNoHandle;
  bool ns_timeouts_ = true;  // epoll_pwait2 exists: Linux 5.11
  std::size_t found_ = 0;
  std::array<epoll_event, kEventsPerTurnMax> events_;
};

}  // namespace io
