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
//
// A job is allocated once: it goes through the queue to the thread and back to its owner as one pointer. The thread is
// notified only when it sleeps, since one that works looks at the queue anyway.
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
    base::Result<FileReply> reply = {};
  };
  using JobPtr = std::unique_ptr<Job>;
  void run();
  JobPtr take_job(const Loop& owner);

  const std::string name_;
  std::mutex mutex_;
  std::condition_variable has_work_;  // for the thread: a job, or the end
  std::condition_variable is_idle_;   // for forget(): no job of this owner is under way
  std::deque<JobPtr> jobs_;
  Loop* running_for_ = nullptr;
  unsigned forgetting_ = 0;
  bool sleeps_ = false;
  bool ends_ = false;
  std::thread thread_;
};

RealFiles::Worker::~Worker() {
  {
    const std::lock_guard lock(mutex_);
    CHECK(jobs_.empty() && running_for_ == nullptr, "a loop ends before the files that it uses");
    ends_ = true;
  }
  has_work_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void RealFiles::Worker::push(Loop& owner, FileRequest request, Done done) {
  JobPtr job(new Job{&owner, std::move(request), std::move(done)});
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    wake = std::exchange(sleeps_, false);
    if (!thread_.joinable()) thread_ = start_thread(name_, [this] { run(); });
  }
  if (wake) has_work_.notify_one();
}

void RealFiles::Worker::forget(Loop& owner) {
  std::deque<JobPtr> dropped;  // destroyed after the lock is released: a completion may own anything
  std::unique_lock lock(mutex_);
  std::deque<JobPtr> kept;
  for (JobPtr& job : jobs_) (job->owner == &owner ? dropped : kept).push_back(std::move(job));
  jobs_ = std::move(kept);
  ++forgetting_;
  is_idle_.wait(lock, [&] { return running_for_ != &owner; });
  --forgetting_;
  lock.unlock();
}

void RealFiles::Worker::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    while (!ends_ && jobs_.empty()) {
      sleeps_ = true;
      has_work_.wait(lock);
    }
    if (ends_) return;
    Loop& owner = *jobs_.front()->owner;
    running_for_ = &owner;
    std::vector<JobPtr> done;
    while (JobPtr job = take_job(owner)) {
      lock.unlock();
      job->reply = carry_out(job->request);
      done.push_back(std::move(job));
      lock.lock();
      if (done.back()->request.completion == Completion::Alone) break;
    }
    lock.unlock();
    owner.post([jobs = std::move(done)] {
      for (const JobPtr& job : jobs) job->done(std::move(job->reply));
    });
    lock.lock();
    running_for_ = nullptr;
    if (forgetting_ > 0) is_idle_.notify_all();
  }
}

// The oldest one, if it is this owner's.
RealFiles::Worker::JobPtr RealFiles::Worker::take_job(const Loop& owner) {
  if (jobs_.empty() || jobs_.front()->owner != &owner) return nullptr;
  JobPtr job = std::move(jobs_.front());
  jobs_.pop_front();
  return job;
}

RealFiles::RealFiles()
    : names_(std::make_unique<Worker>("files-names")),
      writer_(std::make_unique<Worker>("files-writer")),
      readers_{std::make_unique<Worker>("files-reader-0"), std::make_unique<Worker>("files-reader-1")},
      background_(std::make_unique<Worker>("files-later")) {}

RealFiles::~RealFiles() = default;

RealFiles::Worker& RealFiles::worker_of(const FileRequest& request) {
  using Kind = FileRequest::Kind;
  const bool is_urgent = request.urgency == Urgency::Foreground;
  switch (request.kind) {
    case Kind::ReadAt:
      if (!is_urgent) return *background_;
      return *readers_[static_cast<unsigned>(request.handle) % kReaders];
    case Kind::WriteAt:
    case Kind::Sync:
    case Kind::Allocate:
    case Kind::Truncate:
    case Kind::Lock:
    case Kind::Close: return is_urgent ? *writer_ : *background_;
    default: return *names_;
  }
}

void RealFiles::submit(Loop& owner, FileRequest request, Done done) {
  Worker& worker = worker_of(request);
  worker.push(owner, std::move(request), std::move(done));
}

void RealFiles::forget(Loop& owner) {
  names_->forget(owner);
  writer_->forget(owner);
  for (const auto& reader : readers_) reader->forget(owner);
  background_->forget(owner);
}

}  // namespace io
