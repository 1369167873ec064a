// SPDX-License-Identifier: Apache-2.0
#include "io/signals.h"

#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <utility>

#include "io/loop.h"

namespace io {
namespace {

constexpr int kWatched[] = {SIGTERM, SIGINT, SIGHUP};

sigset_t watched_set() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : kWatched) sigaddset(&set, number);
  return set;
}

StopSignals::Signal meaning(std::uint32_t number) {
  switch (number) {
    case SIGINT: return StopSignals::Signal::Interrupt;
    case SIGHUP: return StopSignals::Signal::Hangup;
    default: return StopSignals::Signal::Terminate;
  }
}

}  // namespace

void leave_at_once(int exit_code) { ::_exit(exit_code); }

void ignore_broken_pipes() { ::signal(SIGPIPE, SIG_IGN); }

StopSignals::StopSignals(Loop& loop, Callback callback) : loop_(loop), callback_(std::move(callback)) {
  const sigset_t watched = watched_set();
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &watched, &before);
  for (const int number : kWatched) {
    if (sigismember(&before, number) == 0) unblocks_ |= std::uint64_t{1} << number;
  }
  signals_ = signalfd(-1, &watched, SFD_NONBLOCK | SFD_CLOEXEC);
  CHECK(signals_ >= 0, "signals need a descriptor at start-up");
  CHECK(loop_.poller().watch_level(signals_, *this), "a new signalfd can be watched");
}

StopSignals::~StopSignals() {
  loop_.poller().unwatch(signals_);
  signalfd_siginfo dropped;
  while (::read(signals_, &dropped, sizeof dropped) == sizeof dropped) {
  }
  ::close(signals_);
  sigset_t unblocked;
  sigemptyset(&unblocked);
  for (const int number : kWatched) {
    if (unblocks_ >> number & 1) sigaddset(&unblocked, number);
  }
  pthread_sigmask(SIG_UNBLOCK, &unblocked, nullptr);
}

void StopSignals::on_ready(Readiness) {
  signalfd_siginfo signal;
  while (::read(signals_, &signal, sizeof signal) == sizeof signal) callback_(meaning(signal.ssi_signo));
}

}  // namespace io
