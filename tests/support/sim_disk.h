// SPDX-License-Identifier: Apache-2.0
#pragma once
// The disk of one simulated machine and its one file system: files, names, handles, locks and space. Operations are
// carried out at once, with the results and the errors of Linux; who calls, and when, is the business of SimFiles.
//
// What was written and what is on the disk are kept apart: content becomes durable with Sync, names with SyncDirectory.
// crash() decides about the rest. Inode numbers are never used twice.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/files.h"
#include "tests/support/sim_core.h"
#include "tests/support/sim_loss.h"
#include "tests/support/sim_names.h"

namespace sim {

class SimDisk final {
 public:
  SimDisk(Core&, std::uint64_t total_bytes);

  base::Result<io::FileReply> carry_out(const io::FileRequest&);
  // What is left behind by one that fails for a reason from outside.
  void carry_out_badly(const io::FileRequest&);
  base::Result<std::string> read_file(const std::string& path, std::uint64_t bytes_max) const;

  void crash(Loss);
  void kill();  // all handles are closed, nothing else

  // For tests.
  void put(const std::string& path, base::Bytes content);  // durable, with the directories above
  std::optional<std::string> get(const std::string& path) const;
  std::optional<std::string> durable(const std::string& path) const;
  std::vector<std::string> paths() const;
  void set_free_bytes(std::uint64_t bytes, int full_errno);
  void flip_bit(const std::string& path, std::uint64_t byte, unsigned bit);
  void zero_range(const std::string& path, std::uint64_t offset, std::uint64_t size);
  void truncate_file(const std::string& path, std::uint64_t size);
  void remove_file(const std::string& path);
  void swap_contents(const std::string& a, const std::string& b);
  void copy_directory(const std::string& from, const std::string& to);

 private:
  enum class Access : std::uint8_t { ReadOnly, ReadWrite };
  struct OpenFile {
    NodePtr node;  // null: the handle is free
    Access access = Access::ReadOnly;
  };
  using Reply = base::Result<io::FileReply>;

  Reply read_beneath(const io::FileRequest&) const;
  Reply open(const io::FileRequest&);
  Reply use_handle(const io::FileRequest&);
  Reply write_at(OpenFile&, const io::FileRequest&);
  Reply allocate(OpenFile&, const io::FileRequest&);
  Reply truncate(OpenFile&, const io::FileRequest&);
  Reply lock(io::FileHandle);
  Reply close(io::FileHandle);
  Reply rename(const std::string& from, const std::string& to);
  Reply remove(const std::string& path);
  Reply make_directory(const std::string& path);
  Reply sync_directory(const std::string& path);
  Reply list(const std::string& path) const;
  Reply status(const std::string& path) const;
  Reply space(const std::string& path) const;

  OpenFile* find_handle(io::FileHandle);
  std::uint64_t blocks_free() const;
  void write_some(Node&, std::uint64_t offset, base::Bytes);
  void release_if_gone(const Node&);
  void close_all();
  NodePtr make_node();
  NodePtr make_file(base::Bytes content);
  NodePtr copy_of(const Node&);
  void enter_durably(const SimNames::Place&, const NodePtr&);
  NodePtr file_at(const std::string& path) const;  // which must be there
  void replace(Node&, std::string content);

  Core& core_;
  SimClock clock_;
  std::uint64_t total_bytes_;
  std::uint64_t inodes_ = 0;
  std::uint64_t stamp_ = 0;
  SimNames names_;
  std::vector<OpenFile> handles_;
  std::uint64_t blocks_used_ = 0;
  std::uint64_t blocks_max_;
  int full_errno_;
};

}  // namespace sim
