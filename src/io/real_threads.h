// SPDX-License-Identifier: Apache-2.0
#pragma once
// A thread for each started loop, and mailboxes of a lock and a vector.
//
// Thread: start() and join() from any one thread at a time. Started threads block every signal, so that signals reach
// whoever asked for them (StopSignals).
#include <string>
#include <thread>
#include <unordered_map>

#include "io/threads.h"

namespace io {

class RealThreads final : public Threads {
 public:
  RealThreads() = default;
  ~RealThreads() override;  // every started loop must have been joined
  std::unique_ptr<Mailbox> make_mailbox(Loop&, Poller&) override;
  void start(Loop&) override;
  void join(Loop&) override;

 private:
  std::unordered_map<Loop*, std::thread> running_;
};

// A thread that blocks every signal and shows `name` (its first 15 bytes) in the system's tools.
std::thread start_thread(const std::string& name, Task body);

}  // namespace io
