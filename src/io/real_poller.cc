// SPDX-License-Identifier: Apache-2.0
#include "io/real_poller.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

namespace io {
namespace {

constexpr std::uint64_t kNoLimit = ~std::uint64_t{0};
constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
constexpr std::uint64_t kNsPerMs = 1'000'000;
constexpr std::uint64_t kTimeoutNsMax = 3'600 * kNsPerSecond;  // a longer wait is only taken up again

}  // namespace

RealPoller::RealPoller() : epoll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  CHECK(epoll_ >= 0 && wake_ >= 0, "a loop needs two descriptors at start-up");
  // Edge-triggered, so that the counter need not be read: every write to it is an edge.
  CHECK(watch(wake_, EPOLLIN | EPOLLET, nullptr), "a new eventfd can be watched");
}

RealPoller::~RealPoller() {
  ::close(wake_);
  ::close(epoll_);
}

base::Result<void> RealPoller::watch(Handle handle, std::uint32_t events, Watcher* watcher) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = watcher;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, handle, &event) == 0) return {};
  const bool full = errno == ENOMEM || errno == ENOSPC;
  return base::fail(full ? base::Errc::Overload : base::Errc::System, "cannot watch a socket", errno);
}

base::Result<void> RealPoller::watch_edges(Handle handle, Watcher& watcher) {
  return watch(handle, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &watcher);
}

base::Result<void> RealPoller::watch_level(Handle handle, Watcher& watcher) { return watch(handle, EPOLLIN, &watcher); }

void RealPoller::unwatch(Handle handle) {
  epoll_event unused{};
  epoll_ctl(epoll_, EPOLL_CTL_DEL, handle, &unused);
}

void RealPoller::wait(std::uint64_t timeout_ns) {
  const int found = poll(timeout_ns);
  CHECK(found >= 0 || errno == EINTR, "waiting for readiness fails only for a signal");
  found_ = found > 0 ? static_cast<std::size_t>(found) : 0;
}

int RealPoller::poll(std::uint64_t timeout_ns) {
  const int size = static_cast<int>(events_.size());
  const std::uint64_t bounded_ns = std::min(timeout_ns, kTimeoutNsMax);
  if (ns_timeouts_) {
    const timespec limit{static_cast<time_t>(bounded_ns / kNsPerSecond), static_cast<long>(bounded_ns % kNsPerSecond)};
    const int found = epoll_pwait2(epoll_, events_.data(), size, timeout_ns == kNoLimit ? nullptr : &limit, nullptr);
    if (found >= 0 || (errno != ENOSYS && errno != EPERM)) return found;
    ns_timeouts_ = false;
  }
  // Rounded up: to wake before the time would be a turn for nothing.
  const int limit_ms = timeout_ns == kNoLimit ? -1 : static_cast<int>((bounded_ns + kNsPerMs - 1) / kNsPerMs);
  return epoll_wait(epoll_, events_.data(), size, limit_ms);
}

void RealPoller::dispatch() {
  const std::size_t found = found_;
  found_ = 0;
  for (std::size_t i = 0; i < found; ++i) {
    Watcher* watcher = static_cast<Watcher*>(events_[i].data.ptr);
    if (watcher == nullptr) continue;  // wake() has done its work: wait() has returned
    const std::uint32_t events = events_[i].events;
    const std::uint32_t failed = events & (EPOLLERR | EPOLLHUP);
    watcher->on_ready({.readable = ((events & (EPOLLIN | EPOLLRDHUP)) | failed) != 0,
                       .writable = ((events & EPOLLOUT) | failed) != 0,
                       .ended = ((events & EPOLLRDHUP) | failed) != 0});
  }
}

void RealPoller::wake() {
  const std::uint64_t one = 1;
  // EAGAIN, after 2^64 - 2 wake-ups: the counter is full and the loop has long been woken.
  while (::write(wake_, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

}  // namespace io
