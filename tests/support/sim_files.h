// SPDX-License-Identifier: Apache-2.0
#pragma once
// Files in memory. An operation is carried out late, as a step; its completion is then posted to the owner like any
// other message. Operations of one handle keep their order, all others may overtake each other.
//
// What was written and what is on the disk are kept apart: content becomes durable with Sync, names with SyncDirectory.
// crash() forgets the rest.
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "io/files.h"
#include "tests/support/sim_core.h"
#include "tests/support/sim_threads.h"

namespace sim {

class SimFiles final : public io::Files {
 public:
  struct Options {
    std::uint64_t latency_ns_max = 300'000;
    std::uint64_t sync_ns_max = 5'000'000;
  };
  SimFiles(Core&, SimThreads&, Options);

  void submit(io::Loop& owner, io::FileRequest, Done) override;
  void forget(io::Loop& owner) override;

  // For tests: the tree. put() makes what is above it, and the result is durable.
  void put(const std::string& path, base::Bytes content);
  std::optional<std::string> get(const std::string& path) const;
  std::vector<std::string> paths() const;  // of all files, sorted

  // The call-th operation from now on (1: the next one) fails with this error and does nothing.
  void fail_call(std::uint64_t call, base::Error);
  std::uint64_t calls() const { return calls_; }
  // The machine loses power: what is not durable is gone, handles are closed, operations are dropped.
  void crash();

  // Read at once, by SimFileSystem.
  base::Result<std::string> read_now(const std::string& path, std::uint64_t bytes_max) const;

  // For the scheduler.
  std::size_t find_completable();
  void complete(std::size_t index);
  std::uint64_t next_due_ns() const;

 private:
  struct Write {
    std::uint64_t offset;
    std::string data;
  };
  struct File {
    std::string content;
    std::string durable;
    std::vector<Write> unsynced;  // what leads from `durable` to `content`, in order
    std::int64_t modified_ms = 0;
  };
  using FileRef = std::shared_ptr<File>;
  struct Tree {
    std::map<std::string, FileRef> files;
    std::set<std::string> directories = {"/"};
  };
  struct Operation {
    std::uint64_t due_ns;
    io::Loop* owner;
    io::FileRequest request;
    Done done;
  };

  base::Result<io::FileReply> carry_out(const io::FileRequest&);
  base::Result<io::FileReply> read_beneath(const io::FileRequest&) const;
  base::Result<io::FileReply> open(const io::FileRequest&);
  base::Result<io::FileReply> use_handle(const io::FileRequest&);
  base::Result<io::FileReply> rename(const std::string& from, const std::string& to);
  base::Result<io::FileReply> remove(const std::string& path);
  base::Result<io::FileReply> make_directory(const std::string& path);
  base::Result<io::FileReply> sync_directory(const std::string& path);
  base::Result<io::FileReply> list(const std::string& path) const;
  static void write_into(std::string& content, const Write&);

  Core& core_;
  SimThreads& threads_;
  Options options_;
  SimClock clock_;
  Tree tree_;
  Tree durable_;
  std::vector<FileRef> handles_;
  std::deque<Operation> operations_;      // in order of submission
  std::vector<std::size_t> completable_;  // indexes of those that are due and first of their handle
  std::uint64_t calls_ = 0;
  std::map<std::uint64_t, base::Error> failures_;
};

class SimFileSystem final : public io::FileSystem {
 public:
  explicit SimFileSystem(const SimFiles& files) : files_(files) {}
  base::Result<std::string> read_file(const std::string& path, std::uint64_t bytes_max) override {
    return files_.read_now(path, bytes_max);
  }

 private:
  const SimFiles& files_;
};

}  // namespace sim
