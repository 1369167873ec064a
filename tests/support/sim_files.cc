// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sim_files.h"

#include <algorithm>
#include <set>

#include "base/crc32c.h"
#include "io/loop.h"

namespace sim {
namespace {

using base::Result;
using io::FileReply;
using io::FileRequest;
using Kind = FileRequest::Kind;

constexpr std::int64_t kAnyOrder = -2;
constexpr std::int64_t kNames = -1;

std::int64_t queue_of(const FileRequest& request) {
  if (request.kind == Kind::ReadAt) return kAnyOrder;
  if (request.handle < 0) return kNames;
  return std::int64_t{2} * request.handle + (request.urgency == io::Urgency::Background ? 1 : 0);
}

}  // namespace

SimFiles::SimFiles(Core& core, SimThreads& threads, Options options)
    : core_(core), threads_(threads), options_(options), disk_(core, options.disk_bytes) {}

void SimFiles::submit(io::Loop& owner, FileRequest request, Done done) {
  const std::int64_t queue = queue_of(request);
  if (request.kind == Kind::Close) {
    const bool is_used = std::ranges::any_of(operations_, [&](const Operation& operation) {
      return operation.request.handle == request.handle && operation.queue != queue;
    });
    CHECK(!is_used, "whoever closes a handle waits for its reads and for what has the other urgency");
  }
  const bool syncs = request.kind == Kind::Sync || request.kind == Kind::SyncDirectory;
  const std::uint64_t delay = core_.choices.below(syncs ? options_.sync_ns_max : options_.latency_ns_max);
  operations_.push_back({core_.now_ns + delay, queue, &owner, std::move(request), std::move(done)});
}

void SimFiles::forget(io::Loop& owner) {
  std::erase_if(operations_, [&](const Operation& operation) { return operation.owner == &owner; });
}

std::size_t SimFiles::find_completable() {
  completable_.clear();
  for (std::size_t i = 0; i < operations_.size(); ++i) {
    if (operations_[i].due_ns <= core_.now_ns) completable_.push_back(i);
  }
  return completable_.size();
}

std::uint64_t SimFiles::next_due_ns() const {
  std::uint64_t next = ~std::uint64_t{0};
  for (const Operation& operation : operations_) next = std::min(next, operation.due_ns);
  return next;
}

void SimFiles::complete(std::size_t index) {
  auto chosen = operations_.begin() + static_cast<std::ptrdiff_t>(completable_[index]);
  // The oldest of the same queue comes first, even if it would have taken longer.
  if (chosen->queue != kAnyOrder) chosen = std::ranges::find(operations_, chosen->queue, &Operation::queue);
  Operation operation = std::move(*chosen);
  operations_.erase(chosen);
  Result<FileReply> reply = carry_out(operation.request);
  threads_.post_from_disk(*operation.owner, [done = std::move(operation.done), keep = std::move(operation.request.keep),
                                             reply = std::move(reply)]() mutable { done(std::move(reply)); });
}

Result<FileReply> SimFiles::carry_out(const FileRequest& request) {
  ++calls_;
  ++calls_of_[static_cast<std::size_t>(request.kind)];
  const auto which = static_cast<std::uint64_t>(request.kind) | static_cast<std::uint64_t>(request.handle) << 8;
  const std::uint64_t content = std::uint64_t{base::crc32c(request.data)} << 32 | request.data.size();
  core_.trace.note(core_.now_ns, "file", request.path, which, content);
  if (!has_power()) return base::fail(base::Errc::System, "the machine has no power", EIO);
  const std::optional<base::Error> failure = failure_of(request.kind);
  if (!failure) return disk_.carry_out(request);
  disk_.carry_out_badly(request);
  return std::unexpected(*failure);
}

Result<std::string> SimFiles::read_now(const std::string& path, std::uint64_t bytes_max) const {
  if (!has_power()) return base::fail(base::Errc::System, "the machine has no power", EIO);
  return disk_.read_file(path, bytes_max);
}

void SimFiles::fail_call(std::uint64_t call, base::Error error) { failures_.insert_or_assign(calls_ + call, error); }

void SimFiles::fail_kind(Kind kind, std::uint64_t call, base::Error error) {
  failures_of_.insert_or_assign({kind, calls(kind) + call}, error);
}

std::optional<base::Error> SimFiles::failure_of(Kind kind) {
  if (const auto found = failures_.find(calls_); found != failures_.end()) return found->second;
  if (const auto found = failures_of_.find({kind, calls(kind)}); found != failures_of_.end()) return found->second;
  return std::nullopt;
}

void SimFiles::crash(Loss loss) {
  const auto ended = end_operations(loss);
  disk_.crash(loss);
  core_.trace.note(core_.now_ns, "crash", {}, static_cast<std::uint64_t>(loss));
  no_power_from_ = ~std::uint64_t{0};
}

void SimFiles::kill() {
  const auto ended = end_operations(Loss::KeepsEverything);
  disk_.kill();
  core_.trace.note(core_.now_ns, "kill", {});
  no_power_from_ = ~std::uint64_t{0};
}

// Each queue gets so far and no further, perhaps into the middle of a write. The result keeps the completions for the
// caller to destroy, since they may own anything.
std::deque<SimFiles::Operation> SimFiles::end_operations(Loss loss) {
  std::deque<Operation> operations = std::move(operations_);
  operations_.clear();
  if (!has_power() || loss == Loss::KeepsNothing) return operations;
  std::set<std::int64_t> ended;
  for (const Operation& operation : operations) {
    if (operation.queue == kAnyOrder || ended.contains(operation.queue)) continue;
    if (core_.choices.one_in(2)) {
      (void)disk_.carry_out(operation.request);
      continue;
    }
    ended.insert(operation.queue);
    if (operation.request.kind == Kind::WriteAt) disk_.carry_out_badly(operation.request);
  }
  return operations;
}

}  // namespace sim
