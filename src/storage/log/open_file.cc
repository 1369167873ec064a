// SPDX-License-Identifier: Apache-2.0
#include "storage/log/open_file.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace storage {

using base::Result;
using Kind = io::FileRequest::Kind;

namespace {

constexpr std::uint64_t kSectorBytes = 4'096;

// The directory that holds `path`; trailing slashes are no name.
std::string parent_of(const std::string& path) {
  const std::size_t last = path.find_last_not_of('/');
  if (last == std::string::npos) return "/";
  const std::size_t slash = path.rfind('/', last);
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

OpenFile::OpenFile(OpenFile&& from) noexcept
    : file_system_(from.file_system_), handle_(std::exchange(from.handle_, -1)) {}

OpenFile& OpenFile::operator=(OpenFile&& from) noexcept {
  if (this == &from) return *this;
  close();
  file_system_ = from.file_system_;
  handle_ = std::exchange(from.handle_, -1);
  return *this;
}

Result<OpenFile> OpenFile::open(io::FileSystem& file_system, const std::string& path, io::OpenMode mode) {
  const io::FileReply reply = TRY(file_system.carry_out({.kind = Kind::Open, .path = path, .mode = mode}));
  return OpenFile(file_system, reply.handle);
}

Result<std::string> OpenFile::read(std::uint64_t offset, std::uint64_t size) const {
  io::FileReply reply =
      TRY(file_system_->carry_out({.kind = Kind::ReadAt, .handle = handle_, .offset = offset, .size = size}));
  return std::move(reply.data);
}

Result<std::string> OpenFile::read_around_rot(std::uint64_t offset, std::uint64_t size,
                                              std::uint64_t& unreadable) const {
  auto whole = read(offset, size);
  if (whole || whole.error().sys_errno != EIO) return whole;
  std::string bytes;
  while (bytes.size() < size) {
    const std::uint64_t at = offset + bytes.size();
    const std::uint64_t piece = std::min(size - bytes.size(), kSectorBytes - at % kSectorBytes);
    const auto sector = read(at, piece);
    if (!sector && sector.error().sys_errno != EIO) return sector;
    if (sector && sector->size() < piece) return bytes += *sector;
    if (!sector) unreadable += piece;
    bytes += sector ? *sector : std::string(piece, '\0');
  }
  return bytes;
}

Result<void> OpenFile::write(std::uint64_t offset, base::Bytes bytes) const {
  TRY(file_system_->carry_out({.kind = Kind::WriteAt, .handle = handle_, .offset = offset, .data = bytes}));
  return {};
}

Result<void> OpenFile::allocate(std::uint64_t offset, std::uint64_t size) const {
  TRY(file_system_->carry_out({.kind = Kind::Allocate, .handle = handle_, .offset = offset, .size = size}));
  return {};
}

Result<void> OpenFile::truncate(std::uint64_t size) const {
  TRY(file_system_->carry_out({.kind = Kind::Truncate, .handle = handle_, .size = size}));
  return {};
}

Result<void> OpenFile::sync() const {
  TRY(file_system_->carry_out({.kind = Kind::Sync, .handle = handle_}));
  return {};
}

Result<void> OpenFile::lock() const {
  TRY(file_system_->carry_out({.kind = Kind::Lock, .handle = handle_}));
  return {};
}

// What was written and not synced is lost anyway: nobody can do anything about a failure.
void OpenFile::close() {
  if (handle_ < 0) return;
  static_cast<void>(file_system_->carry_out({.kind = Kind::Close, .handle = std::exchange(handle_, -1)}));
}

io::FileHandle OpenFile::release() { return std::exchange(handle_, -1); }

// The parent is synced even if the directory was there: the start that made it may have ended before it could.
Result<void> Directory::make() const {
  const auto made = file_system_->carry_out({.kind = Kind::MakeDirectory, .path = path_});
  if (!made && made.error().sys_errno != EEXIST) return std::unexpected(made.error());
  TRY(file_system_->carry_out({.kind = Kind::SyncDirectory, .path = parent_of(path_)}));
  return {};
}

Result<std::vector<std::string>> Directory::names() const {
  io::FileReply reply = TRY(file_system_->carry_out({.kind = Kind::List, .path = path_}));
  return std::move(reply.names);
}

Result<OpenFile> Directory::open(const std::string& name, io::OpenMode mode) const {
  return OpenFile::open(*file_system_, path_of(name), mode);
}

Result<io::FileStatus> Directory::status(const std::string& name) const {
  return TRY(file_system_->carry_out({.kind = Kind::Status, .path = path_of(name)})).status;
}

Result<void> Directory::rename(const std::string& from, const std::string& to) const {
  TRY(file_system_->carry_out({.kind = Kind::Rename, .path = path_of(from), .to = path_of(to)}));
  return {};
}

Result<void> Directory::remove(const std::string& name) const {
  TRY(file_system_->carry_out({.kind = Kind::Remove, .path = path_of(name)}));
  return {};
}

Result<void> Directory::sync() const {
  TRY(file_system_->carry_out({.kind = Kind::SyncDirectory, .path = path_}));
  return {};
}

}  // namespace storage
