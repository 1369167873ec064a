// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sim_poller.h"

#include <errno.h>

#include <algorithm>

#include "tests/support/sim_network.h"

namespace sim {

using base::Result;

SimPoller::~SimPoller() { network_.forget_poller(*this); }

Result<void> SimPoller::watch(io::Handle handle, io::Watcher& watcher, bool level) {
  if (!network_.is_open(handle)) return base::fail(base::Errc::System, "not an open handle", EBADF);
  SimNetwork::Watch& watch = network_.watch_of(handle);
  if (watch.poller != nullptr) return base::fail(base::Errc::System, "watched already", EEXIST);
  watch = {.poller = this, .watcher = &watcher, .level = level, .pending = !level};
  (level ? levels_ : edges_).push_back(handle);  // what is true at registration is an edge, too
  return {};
}

Result<void> SimPoller::watch_edges(io::Handle handle, io::Watcher& watcher) { return watch(handle, watcher, false); }

Result<void> SimPoller::watch_level(io::Handle handle, io::Watcher& watcher) { return watch(handle, watcher, true); }

void SimPoller::unwatch(io::Handle handle) {
  if (!network_.is_open(handle) || network_.watch_of(handle).poller != this) return;
  network_.watch_of(handle) = {};
  drop_level(handle);
}

void SimPoller::drop_level(io::Handle handle) { std::erase(levels_, handle); }

bool SimPoller::has_work() const {
  if (woken_ || !edges_.empty()) return true;
  return std::ranges::any_of(levels_, [this](io::Handle handle) { return network_.readiness(handle).readable; });
}

void SimPoller::wait(std::uint64_t timeout_ns) {
  CHECK(timeout_ns == 0, "a simulated loop is stepped by the scheduler: start it instead of running it");
  woken_ = false;
  found_.clear();
  for (const io::Handle handle : edges_) {
    if (!network_.is_open(handle)) continue;
    SimNetwork::Watch& watch = network_.watch_of(handle);
    if (watch.poller != this || !watch.pending) continue;
    watch.pending = false;
    const io::Readiness now = network_.readiness(handle);
    if (now.readable || now.writable) found_.push_back({watch.watcher, now});
  }
  edges_.clear();
  for (const io::Handle handle : levels_) {
    const io::Readiness now = network_.readiness(handle);
    if (now.readable) found_.push_back({network_.watch_of(handle).watcher, now});
  }
}

void SimPoller::dispatch() {
  // A watcher that an earlier one closed is still called, as the real one would.
  std::vector<Found> found;
  std::swap(found, found_);
  for (const Found& each : found) each.watcher->on_ready(each.readiness);
}

}  // namespace sim
