// SPDX-License-Identifier: Apache-2.0
#pragma once
// Whole groups out of a segment that is read piece by piece. Each record is verified once, however many pieces its
// group takes.
//
// Pure; one thread. Memory: the largest group and a piece.
#include <cstdint>
#include <string>

#include "storage/log/format.h"

namespace storage {

class GroupReader final {
 public:
  // The groups in [offset, end_offset) of the file.
  GroupReader(Seed seed, std::uint64_t offset, std::uint64_t end_offset)
      : seed_(seed), offset_(offset), end_offset_(end_offset) {}

  bool done() const { return offset_ >= end_offset_; }
  std::uint64_t offset() const { return offset_; }                                  // of the next group
  std::uint64_t read_offset() const { return offset_ + (bytes_.size() - begin_); }  // of the piece that is wanted
  std::uint64_t read_bytes_max() const { return end_offset_ - read_offset(); }      // nothing is wanted behind it
  void append(base::Bytes piece);

  // The next group; the view holds until append() or next(). Errc::TooLarge: the next piece is needed. Errc::BadInput:
  // damaged, and so is what ends before its commit.
  base::Result<GroupView> next();

 private:
  Seed seed_;
  std::uint64_t offset_;
  std::uint64_t end_offset_;
  std::string bytes_;
  std::size_t begin_ = 0;     // of the next group in bytes_
  std::size_t verified_ = 0;  // bytes of its records
  std::uint32_t records_ = 0;
  std::uint32_t records_crc_ = 0;
};

}  // namespace storage
