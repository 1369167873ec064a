// SPDX-License-Identifier: Apache-2.0
// What each file operation means in system calls.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>

#include "io/owned_descriptor.h"
#include "io/real_beneath.h"
#include "io/real_files.h"

namespace io {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr mode_t kFileMode = 0600;
constexpr mode_t kDirectoryMode = 0700;
constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
constexpr std::size_t kReadStepBytes = 64 * 1024;  // for what tells no size, as a pipe

std::unexpected<base::Error> failure(const char* text) {
  return fail(errno == ENOENT ? Errc::NotFound : Errc::System, text, errno);
}

Result<FileReply> done_or(int result, const char* text) {
  if (result != 0) return failure(text);
  return FileReply{};
}

// The bytes from `offset` (or from where a stream stands) up to the end or `size` of them.
Result<std::string> read_some(int file, std::uint64_t offset, std::uint64_t size) {
  std::string data;
  bool failed = false;
  data.resize_and_overwrite(size, [&](char* buffer, std::size_t) {  // unlike a string of zeros, it is written once
    std::size_t filled = 0;
    while (filled < size) {
      const ssize_t got = pread(file, buffer + filled, size - filled, static_cast<off_t>(offset + filled));
      if (got < 0 && errno == EINTR) continue;
      failed = got < 0;
      if (got <= 0) break;
      filled += static_cast<std::size_t>(got);
    }
    return filled;
  });
  if (failed) return failure("cannot read a file");
  return data;
}

Result<FileReply> read_whole(int file, std::uint64_t bytes_max) {
  struct stat found{};
  if (fstat(file, &found) != 0) return failure("cannot look at a file");
  const auto size = static_cast<std::uint64_t>(found.st_size);
  if (size > bytes_max) return fail(Errc::TooLarge, "the file is larger than its limit");
  FileReply reply;
  reply.data = TRY(read_some(file, 0, size));
  reply.modified_ms = found.st_mtim.tv_sec * 1000 + found.st_mtim.tv_nsec / 1'000'000;
  return reply;
}

// For pipes and devices, whose size nobody knows before.
Result<std::string> read_stream(int file, std::uint64_t bytes_max) {
  std::string data;
  while (true) {
    const std::size_t before = data.size();
    data.resize(before + kReadStepBytes);
    const ssize_t got = ::read(file, data.data() + before, kReadStepBytes);
    if (got < 0 && errno != EINTR) return failure("cannot read a file");
    data.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (data.size() > bytes_max) return fail(Errc::TooLarge, "the file is larger than its limit");
    if (got == 0) return data;
  }
}

Result<FileReply> read_beneath(const FileRequest& request) {
  const OwnedDescriptor file(TRY(open_beneath(request.root, request.path)));
  return read_whole(file.get(), request.size);
}

int flags_of(OpenMode mode) {
  switch (mode) {
    case OpenMode::Existing: return O_RDWR;
    case OpenMode::ExistingRead: return O_RDONLY;
    case OpenMode::Create: return O_RDWR | O_CREAT;
    case OpenMode::CreateNew: return O_RDWR | O_CREAT | O_EXCL;
  }
  return O_RDONLY;
}

Result<FileReply> open_file(const FileRequest& request) {
  FileReply reply;
  reply.handle = ::open(request.path.c_str(), O_CLOEXEC | flags_of(request.mode), kFileMode);
  if (reply.handle < 0) return failure("cannot open a file");
  return reply;
}

Result<FileReply> read_at(const FileRequest& request) {
  FileReply reply;
  reply.data = TRY(read_some(request.handle, request.offset, request.size));
  return reply;
}

Result<FileReply> write_at(const FileRequest& request) {
  std::size_t written = 0;
  while (written < request.data.size()) {
    const ssize_t put = pwrite(request.handle, request.data.data() + written, request.data.size() - written,
                               static_cast<off_t>(request.offset + written));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return failure("cannot write a file");
    written += static_cast<std::size_t>(put);
  }
  return FileReply{};
}

// posix_fallocate reports by its result and leaves errno alone. Where the file system cannot allocate, it writes zeros.
Result<FileReply> allocate(const FileRequest& request) {
  int error = EINTR;
  while (error == EINTR) {
    error = posix_fallocate(request.handle, static_cast<off_t>(request.offset), static_cast<off_t>(request.size));
  }
  if (error != 0) return fail(Errc::System, "cannot allocate space for a file", error);
  return FileReply{};
}

Result<FileReply> truncate(const FileRequest& request) {
  int result = -1;
  do result = ftruncate(request.handle, static_cast<off_t>(request.size));
  while (result != 0 && errno == EINTR);
  return done_or(result, "cannot truncate a file");
}

// The lock belongs to the open file description: a second open is refused even within this process.
Result<FileReply> lock(FileHandle handle) {
  int result = -1;
  do result = flock(handle, LOCK_EX | LOCK_NB);
  while (result != 0 && errno == EINTR);
  return done_or(result, "another process holds the lock of a file");
}

Result<FileReply> status(const std::string& path) {
  struct statx found{};
  if (statx(AT_FDCWD, path.c_str(), 0, STATX_SIZE | STATX_INO | STATX_BTIME, &found) != 0) {
    return failure("cannot look at a file");
  }
  FileReply reply;
  reply.status = {.size = found.stx_size, .inode = found.stx_ino};
  if ((found.stx_mask & STATX_BTIME) != 0) {
    reply.status.birth_ns = static_cast<std::uint64_t>(found.stx_btime.tv_sec) * kNsPerSecond + found.stx_btime.tv_nsec;
  }
  return reply;
}

Result<FileReply> space(const std::string& path) {
  struct statvfs found{};
  if (statvfs(path.c_str(), &found) != 0) return failure("cannot ask a file system for its space");
  FileReply reply;
  reply.space = {.total_bytes = found.f_blocks * found.f_frsize, .free_bytes = found.f_bavail * found.f_frsize};
  return reply;
}

Result<FileReply> sync_directory(const std::string& path) {
  const OwnedDescriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0) return failure("cannot open a directory");
  return done_or(fsync(directory.get()), "cannot sync a directory");
}

Result<FileReply> list(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(path.c_str()), closedir);
  if (!directory) return failure("cannot open a directory");
  FileReply reply;
  errno = 0;
  while (const dirent* entry = readdir(directory.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") reply.names.push_back(name);
  }
  if (errno != 0) return failure("cannot read a directory");
  std::ranges::sort(reply.names);
  return reply;
}

}  // namespace

Result<FileReply> carry_out(const FileRequest& request) {
  using Kind = FileRequest::Kind;
  switch (request.kind) {
    case Kind::ReadBeneath: return read_beneath(request);
    case Kind::Open: return open_file(request);
    case Kind::ReadAt: return read_at(request);
    case Kind::WriteAt: return write_at(request);
    case Kind::Sync: return done_or(fdatasync(request.handle), "cannot sync a file");
    case Kind::Allocate: return allocate(request);
    case Kind::Truncate: return truncate(request);
    case Kind::Lock: return lock(request.handle);
    case Kind::Close: return done_or(::close(request.handle), "cannot close a file");
    case Kind::Rename: return done_or(::rename(request.path.c_str(), request.to.c_str()), "cannot rename a file");
    case Kind::Remove: return done_or(::remove(request.path.c_str()), "cannot remove a file");
    case Kind::MakeDirectory: return done_or(::mkdir(request.path.c_str(), kDirectoryMode), "cannot make a directory");
    case Kind::SyncDirectory: return sync_directory(request.path);
    case Kind::List: return list(request.path);
    case Kind::Status: return status(request.path);
    case Kind::Space: return space(request.path);
  }
  return fail(Errc::Unsupported, "no such file operation");
}

Result<std::string> RealFileSystem::read_file(const std::string& path, std::uint64_t bytes_max) {
  const OwnedDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (file.get() < 0) return failure("cannot open a file");
  return read_stream(file.get(), bytes_max);
}

Result<FileReply> RealFileSystem::carry_out(const FileRequest& request) { return io::carry_out(request); }

}  // namespace io
