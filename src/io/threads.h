// SPDX-License-Identifier: Apache-2.0
#pragma once
// The world of threads: who runs a loop, and how a message gets from one loop to another.
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace io {

class Loop;
class Poller;
using Task = std::move_only_function<void()>;

// The queue in front of one loop. Messages of one sender keep their order.
class Mailbox {
 public:
  virtual ~Mailbox() = default;
  virtual void push(Task) = 0;                       // any thread
  virtual void push_all(std::vector<Task>& tasks) {  // as push() of each; `tasks` is empty then
    for (Task& task : tasks) push(std::move(task));
    tasks.clear();
  }
  virtual void take(std::vector<Task>& into) = 0;  // the owner: appends what waits, oldest first
  // How many messages of one turn the sender may collect before it pushes them.
  virtual std::size_t bundle_max() const { return 1; }
};

class Threads {
 public:
  virtual ~Threads() = default;
  virtual std::unique_ptr<Mailbox> make_mailbox(Loop&, Poller&) = 0;
  virtual void start(Loop&) = 0;  // calls loop.run() elsewhere until loop.stop(); the simulation steps turn() itself
  virtual void join(Loop&) = 0;   // returns when the loop has ended; start() must have been called
};

}  // namespace io
