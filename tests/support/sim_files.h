// SPDX-License-Identifier: Apache-2.0
#pragma once
// Files in memory. An operation is carried out late, as a step; its completion is then posted to the owner like any
// other message. What changes a handle keeps its order within its urgency, operations on names keep theirs, a ReadAt
// overtakes and is overtaken, and all the rest is in any order. To close a handle under an operation that the Close
// might overtake stops the process, as files.h forbids it.
//
// The disk below keeps apart what was written and what is durable (sim_disk.h). Here are the ways in which it fails:
// one operation, its power, its process. A test that wants a crash in the middle of anything, recovery included:
//
//   for (std::uint64_t n = 1;; ++n) {
//     sim::SimWorld world({.seed = seed});
//     world.files().cut_power_at_call(n);
//     ... run the program until it is done or sees no way on ...
//     if (world.files().has_power()) break;            // it never came to an n-th operation
//     ... destroy the program and its loops ...
//     world.files().crash(world.files().any_loss());   // power is back
//     ... start it again on the same world, look at what it finds ...
//   }
#include <errno.h>

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/files.h"
#include "tests/support/sim_core.h"
#include "tests/support/sim_disk.h"
#include "tests/support/sim_threads.h"

namespace sim {

class SimFiles final : public io::Files {
 public:
  using Kind = io::FileRequest::Kind;
  struct Options {
    std::uint64_t latency_ns_max = 300'000;
    std::uint64_t sync_ns_max = 5'000'000;
    std::uint64_t disk_bytes = std::uint64_t{1} << 40;
  };
  SimFiles(Core&, SimThreads&, Options);

  void submit(io::Loop& owner, io::FileRequest, Done) override;
  void forget(io::Loop& owner) override;
  // At once: counted, traced and failing like those that are submitted.
  base::Result<io::FileReply> carry_out(const io::FileRequest&);
  // Not counted.
  base::Result<std::string> read_now(const std::string& path, std::uint64_t bytes_max) const;

  // For tests: the files as programs see them, and what is durable of them. put() makes the directories above, and the
  // result is durable.
  void put(const std::string& path, base::Bytes content) { disk_.put(path, content); }
  std::optional<std::string> get(const std::string& path) const { return disk_.get(path); }
  std::optional<std::string> durable(const std::string& path) const { return disk_.durable(path); }
  std::vector<std::string> paths() const { return disk_.paths(); }  // of all files, sorted
  SimDisk& disk() { return disk_; }

  // The call-th operation from now on (1: the next one), or of one kind, fails with this error. A WriteAt may have
  // written some of its bytes. A Sync leaves behind what Linux leaves: any of the pages are durable, none is dirty any
  // more, so the next Sync succeeds without them. A Close closes. Everything else has done nothing.
  void fail_call(std::uint64_t call, base::Error);
  void fail_kind(Kind, std::uint64_t call, base::Error);
  std::uint64_t calls() const { return calls_; }
  std::uint64_t calls(Kind kind) const { return calls_of_[static_cast<std::size_t>(kind)]; }

  // Space in units of 4,096 bytes, taken when they are first written or allocated. Without it WriteAt and Allocate fail
  // with this errno, perhaps half done.
  void set_free_bytes(std::uint64_t bytes, int full_errno = ENOSPC) { disk_.set_free_bytes(bytes, full_errno); }

  // From the call-th operation on (1: the next one) nothing changes and everything fails with EIO, until crash() or
  // kill().
  void cut_power_at_call(std::uint64_t call) { no_power_from_ = calls_ + call; }
  bool has_power() const { return calls_ < no_power_from_; }

  // The machine loses its power and gets it back: handles are closed, operations under way are carried out up to any of
  // them and never complete, and of what was not durable so much is lost.
  void crash(Loss);
  Loss any_loss() { return static_cast<Loss>(core_.choices.below(kLosses)); }  // by the seed
  // Only the process dies: as a crash, but what was written is there, and no more durable than before.
  void kill();

  // Bit rot and clumsy hands, on cache and disk alike. What was written to these files counts as durable before.
  void flip_bit(const std::string& path, std::uint64_t byte, unsigned bit) { disk_.flip_bit(path, byte, bit); }
  void zero_range(const std::string& path, std::uint64_t offset, std::uint64_t size) {
    disk_.zero_range(path, offset, size);
  }
  void truncate_file(const std::string& path, std::uint64_t size) { disk_.truncate_file(path, size); }
  void remove_file(const std::string& path) { disk_.remove_file(path); }
  void swap_contents(const std::string& a, const std::string& b) { disk_.swap_contents(a, b); }
  // With everything in it, as new files: new inodes, born now. `to` must not exist.
  void copy_directory(const std::string& from, const std::string& to) { disk_.copy_directory(from, to); }

  // For the scheduler.
  std::size_t find_completable();
  void complete(std::size_t index);
  std::uint64_t next_due_ns() const;

 private:
  struct Operation {
    std::uint64_t due_ns;
    std::int64_t queue;  // operations of one queue keep their order
    io::Loop* owner;
    io::FileRequest request;
    Done done;
  };
  static constexpr std::size_t kKinds = static_cast<std::size_t>(Kind::Space) + 1;

  std::optional<base::Error> failure_of(Kind);
  std::deque<Operation> end_operations(Loss);

  Core& core_;
  SimThreads& threads_;
  Options options_;
  SimDisk disk_;
  std::deque<Operation> operations_;      // in order of submission
  std::vector<std::size_t> completable_;  // indexes of those that are due
  std::uint64_t calls_ = 0;
  std::array<std::uint64_t, kKinds> calls_of_ = {};
  std::map<std::uint64_t, base::Error> failures_;
  std::map<std::pair<Kind, std::uint64_t>, base::Error> failures_of_;
  std::uint64_t no_power_from_ = ~std::uint64_t{0};
};

class SimFileSystem final : public io::FileSystem {
 public:
  explicit SimFileSystem(SimFiles& files) : files_(files) {}
  base::Result<std::string> read_file(const std::string& path, std::uint64_t bytes_max) override {
    return files_.read_now(path, bytes_max);
  }
  base::Result<io::FileReply> carry_out(const io::FileRequest& request) override { return files_.carry_out(request); }

 private:
  SimFiles& files_;
};

}  // namespace sim
