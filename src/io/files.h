// SPDX-License-Identifier: Apache-2.0
#pragma once
// The world of files. FileSystem answers at once and is for start-up and command-line tools, before any loop runs.
// Files is for loops: an operation is submitted and completes as a message on its owner's loop. The real one runs it
// on a worker thread; the simulated one decides when and how it completes. Both speak of the same handles.
//
// Thread: submit() from the owner's loop. What changes a handle (WriteAt, Sync, Allocate, Truncate, Lock, Close) is
// carried out in the order of its submission; a ReadAt may overtake and be overtaken, and so may what has
// another urgency: whoever closes a handle waits for these. Operations on names keep their order among themselves.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace io {

class Loop;
using FileHandle = int;

// Background work on a handle may take its time, and nothing of Foreground waits for it: the two are not ordered
// against each other, not even on one handle.
enum class Urgency : std::uint8_t { Foreground, Background };

// WithNext: the owner submits another operation on the handle at once, and needs no wake-up for this one: it may be
// told when the next one is, before it.
enum class Completion : std::uint8_t { Alone, WithNext };

enum class OpenMode : std::uint8_t {
  Existing,      // to read and write
  ExistingRead,  // to read only
  Create,        // the file may be new
  CreateNew,     // the file must be new: EEXIST otherwise
};

struct FileRequest {
  enum class Kind : std::uint8_t {
    ReadBeneath,  // a whole regular file at `path`, which may not leave `root` nor follow links; `size` is the bound
    Open,         // `path` in `mode`; answers `handle`. A new file has mode 0600
    ReadAt,       // `size` bytes of `handle` at `offset`; fewer at the end of the file
    WriteAt,      // `data` to `handle` at `offset`, all of it; ENOSPC and EDQUOT may leave any part of it written
    Sync,         // what was written to `handle` before is on the disk (fdatasync)
    Allocate,     // [`offset`, `offset` + `size`) of `handle` has space on the disk and reads as zeros where it was new
    Truncate,     // `handle` is `size` bytes long
    Lock,         // `handle` exclusively among all processes, until it is closed: EWOULDBLOCK if another has it
    Close,
    Rename,         // `path` becomes `to`
    Remove,         // `path`
    MakeDirectory,  // `path`, mode 0700
    SyncDirectory,  // names made, renamed and removed in `path` are on the disk
    List,           // names in the directory `path`, sorted
    Status,         // of `path`: `status`
    Space,          // of the file system that holds `path`: `space`
  };
  Kind kind;
  std::string root = {};
  std::string path = {};
  std::string to = {};
  FileHandle handle = -1;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  base::Bytes data = {};
  std::shared_ptr<const void> keep = {};  // what `data` points into, if nothing else keeps it until the completion
  OpenMode mode = OpenMode::Existing;
  Urgency urgency = Urgency::Foreground;
  Completion completion = Completion::Alone;
};

// What names one file for as long as it exists: a copy has another identity.
struct FileStatus {
  std::uint64_t size = 0;
  std::uint64_t inode = 0;
  std::uint64_t birth_ns = 0;  // Unix time; 0 where the file system does not tell
};

struct FileSpace {
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;  // for this user
};

struct FileReply {
  FileHandle handle = -1;
  std::string data = {};
  std::vector<std::string> names = {};
  std::int64_t modified_ms = 0;  // ReadBeneath
  FileStatus status = {};
  FileSpace space = {};
};

class Files {
 public:
  using Done = std::move_only_function<void(base::Result<FileReply>)>;
  virtual ~Files() = default;
  virtual void submit(Loop& owner, FileRequest, Done) = 0;
  // The owner ends: what it submitted and is not carried out yet is dropped, and no completion is posted after this
  // returns. Called by the loop's destructor.
  virtual void forget(Loop& owner) = 0;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  // Errc::TooLarge over `bytes_max`; Errc::NotFound; Errc::System with errno otherwise.
  virtual base::Result<std::string> read_file(const std::string& path, std::uint64_t bytes_max) = 0;
  // One operation, now. Errors as read_file.
  virtual base::Result<FileReply> carry_out(const FileRequest&) = 0;
};

}  // namespace io
