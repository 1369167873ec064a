// SPDX-License-Identifier: Apache-2.0
#pragma once
// File operations in one line each, for tests that carry them out at once, on either world. What a test does not expect
// to fail is a failure of the test.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "io/files.h"

namespace sim {

class FileStage final {
 public:
  using Kind = io::FileRequest::Kind;
  explicit FileStage(io::FileSystem& files) : files_(files) {}

  base::Result<io::FileReply> run(const io::FileRequest& request) { return files_.carry_out(request); }
  io::FileReply must(const io::FileRequest& request) {
    const auto reply = run(request);
    EXPECT_TRUE(reply) << "operation " << static_cast<int>(request.kind) << " of " << request.path;
    return reply.value_or(io::FileReply{});
  }
  int error_of(const io::FileRequest& request) {  // errno; 0: none
    const auto reply = run(request);
    return reply ? 0 : reply.error().sys_errno;
  }

  io::FileHandle open(const std::string& path, io::OpenMode mode = io::OpenMode::Create) {
    return must({.kind = Kind::Open, .path = path, .mode = mode}).handle;
  }
  void write(io::FileHandle handle, std::uint64_t offset, base::Bytes bytes) {
    must({.kind = Kind::WriteAt, .handle = handle, .offset = offset, .data = bytes});
  }
  std::string read(io::FileHandle handle, std::uint64_t size = 1 << 24) {
    return must({.kind = Kind::ReadAt, .handle = handle, .size = size}).data;
  }
  void sync(io::FileHandle handle) { must({.kind = Kind::Sync, .handle = handle}); }
  void truncate(io::FileHandle handle, std::uint64_t size) {
    must({.kind = Kind::Truncate, .handle = handle, .size = size});
  }
  void allocate(io::FileHandle handle, std::uint64_t offset, std::uint64_t size) {
    must({.kind = Kind::Allocate, .handle = handle, .offset = offset, .size = size});
  }
  void close(io::FileHandle handle) { must({.kind = Kind::Close, .handle = handle}); }
  void put(const std::string& path, base::Bytes content) {  // durable, if its name is
    const io::FileHandle handle = open(path);
    write(handle, 0, content);
    sync(handle);
    close(handle);
  }

  void rename(const std::string& from, const std::string& to) { must({.kind = Kind::Rename, .path = from, .to = to}); }
  void remove(const std::string& path) { must({.kind = Kind::Remove, .path = path}); }
  void make_directory(const std::string& path) { must({.kind = Kind::MakeDirectory, .path = path}); }
  void sync_directory(const std::string& path) { must({.kind = Kind::SyncDirectory, .path = path}); }
  std::vector<std::string> list(const std::string& path) { return must({.kind = Kind::List, .path = path}).names; }
  io::FileStatus status(const std::string& path) { return must({.kind = Kind::Status, .path = path}).status; }
  std::uint64_t free_bytes() { return must({.kind = Kind::Space, .path = "/"}).space.free_bytes; }

 private:
  io::FileSystem& files_;
};

}  // namespace sim
