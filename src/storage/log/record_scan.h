// SPDX-License-Identifier: Apache-2.0
#pragma once
// Walks the records of a piece of a segment, each verified on its own. Behind damaged bytes the next whole record is
// looked for at every multiple of 8; the segment's seed makes an imitation impossible.
//
// The walk takes time linear in the bytes, whatever they are: an event that looks like thousands of records, each of
// them as long as the rest of the piece, is passed over at the same pace as any other. Without damage it costs one
// checksum of each record and no memory; behind the first damage, as much memory as the bytes.
// Pure; borrows the bytes. One thread.
#include <cstdint>
#include <optional>
#include <vector>

#include "storage/log/format.h"

namespace storage {

// Checksums of ranges in constant time, from running ones and their distance. The ranges begin 4 bytes behind a
// multiple of 8, where the checksum of a record does.
class RangeCrcs final {
 public:
  explicit RangeCrcs(base::Bytes);

  // CRC32C of bytes [begin + 4, end), after those of `seed`. `begin` is a multiple of 8.
  std::uint32_t of(std::size_t begin, std::size_t end, Seed) const;

 private:
  base::Bytes bytes_;
  std::vector<std::uint32_t> before_;  // the register before byte 8 i + 4, if it was zero before byte 4
  std::vector<std::uint32_t> powers_;  // x^64i modulo the polynomial: what i x 8 bytes make of what came before them
};

class RecordScan final {
 public:
  RecordScan(base::Bytes bytes, Seed seed) : bytes_(bytes), seed_(seed) {}

  std::optional<RecordView> next();              // none: that was all
  bool has_skipped() const { return skipped_; }  // bytes, before what next() returned last, or before the end

 private:
  bool may_be_record(std::size_t at) const;

  base::Bytes bytes_;
  Seed seed_;
  std::size_t at_ = 0;
  bool skipped_ = false;
  std::optional<RangeCrcs> crcs_;  // from the first damage on
};

}  // namespace storage
