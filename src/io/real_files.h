// SPDX-License-Identifier: Apache-2.0
#pragma once
// Files of this machine. Operations run on three worker threads, each in the order of submission: one for names
// (open, rename, list, read beneath ...), two that share the handles between them, so that reads of one file do not
// wait for the sync of another. A worker's thread starts with its first operation.
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
  static constexpr std::size_t kHandleWorkers = 2;
  std::array<std::unique_ptr<Worker>, 1 + kHandleWorkers> workers_;
};

class RealFileSystem final : public FileSystem {
 public:
  base::Result<std::string> read_file(const std::string& path, std::uint64_t bytes_max) override;
};

// Carries out one operation on the calling thread.
base::Result<FileReply> carry_out(const FileRequest&);

}  // namespace io
