// SPDX-License-Identifier: Apache-2.0
#pragma once
// Files of this machine. Operations run on five worker threads, each in the order of submission: one for everything
// that goes by a path, one *writer* for what changes a handle, two *readers* that share the handles between them, so
// that no read waits for a sync, and one for background work on handles. A worker's thread starts with its first
// operation.
//
// A completion, `keep` of its request included, is destroyed on its owner's loop, or by whoever ends that loop.
//
// Thread: submit() and forget() from the owner's loop; loops may share it.
#include <array>
#include <memory>

#include "io/files.h"

namespace io {

class RealFiles final : public Files {
 public:
  RealFiles();
  ~RealFiles() override;
  void submit(Loop& owner, FileRequest, Done) override;
  void forget(Loop& owner) override;

 private:
  class Worker;
  static constexpr std::size_t kReaders = 2;
  Worker& worker_of(const FileRequest&);

  std::unique_ptr<Worker> names_;
  std::unique_ptr<Worker> writer_;
  std::array<std::unique_ptr<Worker>, kReaders> readers_;
  std::unique_ptr<Worker> background_;
};

class RealFileSystem final : public FileSystem {
 public:
  base::Result<std::string> read_file(const std::string& path, std::uint64_t bytes_max) override;
  base::Result<FileReply> carry_out(const FileRequest&) override;
};

// Carries out one operation on the calling thread.
base::Result<FileReply> carry_out(const FileRequest&);

}  // namespace io
