// SPDX-License-Identifier: Apache-2.0
#pragma once
// Walks the groups of a segment file, window by window, each checksum once. What is no valid group is passed over to
// the next valid one, which may begin at every multiple of 8: only a commit whose checksum fits can lead to it, and the
// segment's seed makes an imitation impossible, so a payload that looks like records costs no more than its bytes.
//
// Says what is whole, never what counts: that is the survey's business. Links between commits are not looked at.
// Thread: one. Memory: two windows, or the largest group if that is more; never what a damaged length says.
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "storage/log/format.h"
#include "storage/log/open_file.h"

namespace storage {

inline constexpr std::size_t kScanWindowBytes = 4u << 20;

struct ScannedGroup {
  std::uint64_t offset = 0;  // in the file
  GroupView group;
  std::shared_ptr<const std::string> window;  // keeps what `group` points into, for as long as anybody wants
};

// Bytes that are no valid group, with a valid one behind them.
struct ScannedDamage {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::vector<CommitRecord> commits;  // whole ones in there: their groups are damaged, but they say what was in them
};

// No valid group follows. In a sealed segment that is where the footer is, so whoever knows the last commit stops
// there and does not ask for this.
struct ScanEnd {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;            // from here to the last byte that is not zero
  std::vector<CommitRecord> commits;  // as above
};

using ScanStep = std::variant<ScannedGroup, ScannedDamage, ScanEnd>;

class SegmentScan final {
 public:
  // From the first group on, which holds the lane state. `file` must outlive this and be open.
  SegmentScan(const OpenFile& file, std::uint64_t file_bytes, Seed);

  // The next step; after a ScanEnd none may be asked for. A sector that cannot be read (EIO) reads as zeros and so is
  // damage; every other error of reading is returned.
  base::Result<ScanStep> next();
  std::uint64_t unreadable_bytes() const { return unreadable_bytes_; }

 private:
  base::Result<std::uint64_t> find_group_end();
  base::Result<ScanStep> resynchronise();
  base::Result<bool> is_group(std::uint64_t offset, std::uint64_t size);
  bool in_window(std::uint64_t offset, std::uint64_t size) const;
  base::Bytes window_at(std::uint64_t offset, std::uint64_t size) const;
  base::Result<base::Bytes> bytes_at(std::uint64_t offset, std::uint64_t size);
  base::Result<std::string> read(std::uint64_t offset, std::uint64_t size);

  const OpenFile& file_;
  const std::uint64_t file_bytes_;
  const Seed seed_;
  std::uint64_t offset_;  // of what next() looks at
  std::uint64_t window_offset_ = 0;
  std::shared_ptr<const std::string> window_;
  std::uint64_t unreadable_bytes_ = 0;
};

}  // namespace storage
