// SPDX-License-Identifier: Apache-2.0
#pragma once
// The world of files. FileSystem answers at once and is for start-up and command-line tools, before any loop runs.
// Files is for loops: an operation is submitted and completes as a message on its owner's loop. The real one runs it
// on a worker thread; the simulated one decides when and how it completes.
//
// Thread: submit() from the owner's loop. Operations of one handle complete in the order of their submission.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace io {

class Loop;
using FileHandle = int;

struct FileRequest {
  enum class Kind : std::uint8_t {
    ReadBeneath,  // a whole regular file at `path`, which may not leave `root` nor follow links; `size` is the bound
    Open,         // `path`; `create` decides whether it may be new; answers `handle`
    ReadAt,       // `size` bytes of `handle` at `offset`; fewer at the end of the file
    WriteAt,      // `data` to `handle` at `offset`, all of it
    Sync,         // what was written to `handle` before is on the disk (fdatasync)
    Close,
    Rename,         // `path` becomes `to`
    Remove,         // `path`
    MakeDirectory,  // `path`, mode 0700
    SyncDirectory,  // names made, renamed and removed in `path` are on the disk
    List,           // names in the directory `path`, sorted
  };
  Kind kind;
  std::string root = {};
  std::string path = {};
  std::string to = {};
  FileHandle handle = -1;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::string data = {};
  bool create = false;
};

struct FileReply {
  FileHandle handle = -1;
  std::string data = {};
  std::vector<std::string> names = {};
  std::int64_t modified_ms = 0;  // ReadBeneath
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
};

}  // namespace io
