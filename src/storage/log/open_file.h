// SPDX-License-Identifier: Apache-2.0
#pragma once
// A file and a directory for whoever may wait: start-up and command-line tools. Thin values over io::FileSystem.
//
// Errors as FileSystem::carry_out. The file system must outlive them. An OpenFile closes its handle when it goes.
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "io/files.h"

namespace storage {

class OpenFile final {
 public:
  OpenFile() = default;
  OpenFile(OpenFile&&) noexcept;
  OpenFile& operator=(OpenFile&&) noexcept;
  ~OpenFile() { close(); }

  static base::Result<OpenFile> open(io::FileSystem&, const std::string& path, io::OpenMode);

  bool is_open() const { return handle_ >= 0; }
  base::Result<std::string> read(std::uint64_t offset, std::uint64_t size) const;  // fewer bytes at the end of the file
  // A sector that has rotted must not hide its neighbours: what cannot be read (EIO) reads as zeros, and is counted.
  base::Result<std::string> read_around_rot(std::uint64_t offset, std::uint64_t size, std::uint64_t& unreadable) const;
  base::Result<void> write(std::uint64_t offset, base::Bytes) const;
  base::Result<void> allocate(std::uint64_t offset, std::uint64_t size) const;
  base::Result<void> truncate(std::uint64_t size) const;
  base::Result<void> sync() const;
  base::Result<void> lock() const;
  void close();
  io::FileHandle release();  // the caller closes it

 private:
  OpenFile(io::FileSystem& file_system, io::FileHandle handle) : file_system_(&file_system), handle_(handle) {}

  io::FileSystem* file_system_ = nullptr;
  io::FileHandle handle_ = -1;
};

class Directory final {
 public:
  Directory(io::FileSystem& file_system, std::string path) : file_system_(&file_system), path_(std::move(path)) {}

  io::FileSystem& file_system() const { return *file_system_; }
  const std::string& path() const { return path_; }
  std::string path_of(const std::string& name) const { return path_ + '/' + name; }

  base::Result<void> make() const;                       // it is there afterwards, and so it will be after a crash
  base::Result<std::vector<std::string>> names() const;  // sorted
  base::Result<OpenFile> open(const std::string& name, io::OpenMode) const;
  base::Result<io::FileStatus> status(const std::string& name) const;
  base::Result<void> rename(const std::string& from, const std::string& to) const;
  base::Result<void> remove(const std::string& name) const;
  base::Result<void> sync() const;

 private:
  io::FileSystem* file_system_;
  std::string path_;
};

}  // namespace storage
