// SPDX-License-Identifier: Apache-2.0
#include "io/real_files.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "io/loop.h"
#include "io/real_threads.h"

namespace io {

// One thread with a queue. `running_for_` names whose operation is under way, so that its owner can wait for it.
class RealFiles::Worker final {
 public:
  explicit Worker(std::string name) : name_(std::move(name)) {}
  ~Worker();
  void push(Loop& owner, FileRequest, Done);
  void forget(Loop& owner);

 private:
  struct Job {
    Loop* owner;
    FileRequest request;
    Done done;
  };
  void run();
  void complete(Job);

  const std::string name_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  Loop* running_for_ = nullptr;
  bool ends_ = false;
  std::thread thread_;
};

RealFiles::Worker::~Worker() {
  {
    const std::lock_guard lock(mutex_);
    CHECK(jobs_.empty() && running_for_ == nullptr, "a loop ends before the files that it uses");
    ends_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void RealFiles::Worker::push(Loop& owner, FileRequest request, Done done) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back({&owner, std::move(request), std::move(done)});
    if (!thread_.joinable()) thread_ = start_thread(name_, [this] { run(); });
  }
  changed_.notify_all();
}

void RealFiles::Worker::forget(Loop& owner) {
  std::deque<Job> dropped;  // destroyed after the lock is released: a completion may own anything
  std::unique_lock lock(mutex_);
  std::deque<Job> kept;
  for (Job& job : jobs_) (job.owner == &owner ? dropped : kept).push_back(std::move(job));
  jobs_ = std::move(kept);
  changed_.wait(lock, [&] { return running_for_ != &owner; });
  lock.unlock();
}

void RealFiles::Worker::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ends_ || !jobs_.empty(); });
    if (ends_) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    running_for_ = job.owner;
    lock.unlock();
    complete(std::move(job));
    lock.lock();
    running_for_ = nullptr;
    changed_.notify_all();
  }
}

void RealFiles::Worker::complete(Job job) {
  job.owner->post([done = std::move(job.done), reply = carry_out(job.request)]() mutable { done(std::move(reply)); });
}

RealFiles::RealFiles() {
  for (std::size_t i = 0; i < workers_.size(); ++i)
    workers_[i] = std::make_unique<Worker>("files-" + std::to_string(i));
}

RealFiles::~RealFiles() = default;

void RealFiles::submit(Loop& owner, FileRequest request, Done done) {
  const bool by_handle = request.handle >= 0;
  const std::size_t worker = by_handle ? 1 + static_cast<std::size_t>(request.handle) % kHandleWorkers : 0;
  workers_[worker]->push(owner, std::move(request), std::move(done));
}

void RealFiles::forget(Loop& owner) {
  for (const auto& worker : workers_) worker->forget(owner);
}

}  // namespace io
