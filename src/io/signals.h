// SPDX-License-Identifier: Apache-2.0
#pragma once
// Turns SIGTERM, SIGINT and SIGHUP into callbacks on a loop (signalfd).
//
// Thread: make it on the main thread before any other thread starts: it blocks these signals for the thread that makes
// it and for all that come after. Destroy it on the thread that made it, while the loop exists and does not run;
// signals that came in the meantime are dropped and the former mask stands again.
#include <cstdint>
#include <functional>

#include "io/network.h"

namespace io {

class Loop;

// Writing to a pipe or socket that nobody reads is an error of that write, and no end of the program. Once, in main.
void ignore_broken_pipes();

// Ends the process now: no destructor runs, nothing is flushed. For the second signal of an impatient person.
[[noreturn]] void leave_at_once(int exit_code);

class StopSignals final : private Watcher {
 public:
  enum class Signal : std::uint8_t { Terminate, Interrupt, Hangup };
  using Callback = std::move_only_function<void(Signal)>;

  StopSignals(Loop&, Callback);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

 private:
  void on_ready(Readiness) override;

  Loop& loop_;
  Callback callback_;
  Handle signals_ = kNoHandle;
  std::uint64_t unblocks_ = 0;  // bit n: signal n was not blocked before
};

}  // namespace io
