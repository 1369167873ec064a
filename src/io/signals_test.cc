// SPDX-License-Identifier: Apache-2.0
#include "io/signals.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <vector>

#include "io/loop.h"
#include "io/real_world.h"

namespace io {
namespace {

using Signal = StopSignals::Signal;

// In a child process, since a signal that is not caught ends the process.
int catch_three_signals() {
  RealWorld real;
  Loop loop(real.world(), "main");
  Loop other(real.world(), "other");
  std::promise<void> runs;
  other.post([&] { runs.set_value(); });
  real.world().threads.start(other);  // runs before, and yet no signal may reach it
  runs.get_future().wait();
  std::vector<Signal> caught;
  StopSignals signals(loop, [&](Signal signal) {
    caught.push_back(signal);
    if (caught.size() == 3) loop.stop();
  });
  for (const int number : {SIGHUP, SIGINT, SIGTERM}) kill(getpid(), number);
  loop.run();
  other.stop();
  real.world().threads.join(other);
  for (const Signal wanted : {Signal::Hangup, Signal::Interrupt, Signal::Terminate}) {
    if (std::ranges::count(caught, wanted) != 1) return 2;
  }
  return 0;
}

TEST(StopSignals, each_becomes_a_callback_on_the_loop) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) _exit(catch_three_signals());
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(StopSignals, the_former_mask_stands_again_when_it_ends) {
  RealWorld real;
  Loop loop(real.world(), "main");
  sigset_t mask;
  {
    StopSignals signals(loop, [](Signal) {});
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    EXPECT_EQ(sigismember(&mask, SIGTERM), 1);
  }
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  EXPECT_EQ(sigismember(&mask, SIGTERM), 0);
}

}  // namespace
}  // namespace io
