// SPDX-License-Identifier: Apache-2.0
#include "io/real_threads.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <iterator>
#include <mutex>
#include <utility>

#include "base/result.h"
#include "io/loop.h"

namespace io {
namespace {

constexpr std::size_t kThreadNameBytesMax = 15;  // pthread_setname_np(3)

class RealMailbox final : public Mailbox {
 public:
  explicit RealMailbox(Poller& poller) : poller_(poller) {}

  void push(Task task) override {
    enter([&] { waiting_.push_back(std::move(task)); });
  }

  void push_all(std::vector<Task>& tasks) override {
    enter([&] { std::ranges::move(tasks, std::back_inserter(waiting_)); });
    tasks.clear();
  }

  std::size_t bundle_max() const override { return kBundleMax; }

  void take(std::vector<Task>& into) override {
    const std::lock_guard lock(mutex_);
    if (into.empty()) {
      std::swap(into, waiting_);
      return;
    }
    for (Task& task : waiting_) into.push_back(std::move(task));
    waiting_.clear();
  }

 private:
  // Large enough that a wake-up is cheap for each, small enough that a receiver begins while a long turn goes on.
  static constexpr std::size_t kBundleMax = 32;

  // Whoever finds mail waiting already knows that a wake-up is under way.
  void enter(auto&& append) {
    bool was_empty = false;
    {
      const std::lock_guard lock(mutex_);
      was_empty = waiting_.empty();
      append();
    }
    if (was_empty) poller_.wake();
  }

  Poller& poller_;
  std::mutex mutex_;
  std::vector<Task> waiting_;
};

}  // namespace

std::thread start_thread(const std::string& name, Task body) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // a new thread inherits the mask of its creator
  std::thread thread([task = std::move(body)]() mutable { task(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread.native_handle(), name.substr(0, kThreadNameBytesMax).c_str());
  return thread;
}

RealThreads::~RealThreads() { CHECK(running_.empty(), "a started loop must be joined before its world ends"); }

std::unique_ptr<Mailbox> RealThreads::make_mailbox(Loop&, Poller& poller) {
  return std::make_unique<RealMailbox>(poller);
}

void RealThreads::start(Loop& loop) {
  const auto [at, fresh] = running_.try_emplace(&loop);
  CHECK(fresh, "a loop is started once");
  at->second = start_thread(loop.name(), [&loop] { loop.run(); });
}

void RealThreads::join(Loop& loop) {
  const auto at = running_.find(&loop);
  CHECK(at != running_.end(), "only a started loop can be joined");
  at->second.join();
  running_.erase(at);
}

}  // namespace io
