// SPDX-License-Identifier: Apache-2.0
#pragma once
// The footer of a sealed segment (docs/formats/log.md, "Footer"): what a scan of its groups would find out again. So
// whatever is wrong with it is Errc::BadInput and means "scan instead"; it is never the truth.
//
// Pure: the writer gives bytes, the reader takes them. Reading: the last kFooterTrailerBytes of the file, then any
// section.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "storage/log/address_index.h"
#include "storage/log/format.h"
#include "storage/log/segment_index.h"
#include "storage/log/segment_repeats.h"

namespace storage {

inline constexpr std::size_t kFooterTrailerBytes = 152;

struct FooterSection {
  std::uint64_t offset = 0;  // in the file
  std::uint64_t bytes = 0;
  std::uint32_t crc = 0;  // seeded
};

struct FooterTrailer {
  CommitNumber last_commit = 0;  // of the segment
  std::uint32_t last_commit_crc = 0;
  std::uint64_t groups_end = 0;  // where the last group ends and the footer begins
  FooterSection index;
  FooterSection repeats;
  FooterSection addresses;  // buckets, each with a checksum of its own
  FooterSection directory;  // of the buckets
};

// What a footer is made of.
struct SealedSegment {
  const SegmentHeader& header;
  const CommitRecord& last_commit;
  const SegmentIndex& index;  // of all groups: the footer begins at its end_offset()
  const SegmentRepeats& repeats;
  const AddressIndex& addresses;
};

// Makes the bytes behind the last group, piece by piece, so that nobody has to wait for all of them. The file ends
// behind the last piece: zeros that were filled in ahead must be cut off.
//
// Borrows the parts of the segment until it is done; they must not change meanwhile. The index is made at once, some
// hundred KiB for most segments, 10 MiB at the worst; everything else as it is asked for. Sorting the addresses is what
// costs: about 10 us for each KiB, so pieces of 64 KiB keep a loop busy for less than a millisecond.
class FooterWriter final {
 public:
  explicit FooterWriter(const SealedSegment&);

  // The trailer says that the rest is whole, so whoever wants that to hold after a power loss syncs before it.
  enum class Until : std::uint8_t { Trailer, End };
  std::string next(std::size_t bytes_max, Until = Until::End);  // the next bytes, at least one; empty: that was all

 private:
  enum class Step : std::uint8_t { Index, Repeats, Addresses, Directory, Trailer, Done };

  void produce();
  FooterSection& section();
  void append(base::Bytes);
  void go_to(Step);

  const SegmentHeader& header_;
  const SegmentIndex& index_;
  const SegmentRepeats& repeats_;
  const AddressIndex& addresses_;
  const Seed seed_;
  FooterTrailer trailer_;
  Step step_ = Step::Index;
  std::size_t step_at_ = 0;  // the next chunk or bucket
  std::array<std::uint32_t, kAddressBuckets> bucket_ends_ = {};
  std::string pending_;
  std::size_t taken_ = 0;  // of pending_
  std::uint64_t offset_;   // in the file, behind pending_
};

// `end` are the last kFooterTrailerBytes of a file of `file_bytes`. The trailer belongs to this segment, and its
// sections fill the file between the groups and itself.
base::Result<FooterTrailer> parse_footer_trailer(base::Bytes end, const SegmentHeader&, std::uint64_t file_bytes);
// Whether these are the bytes of the section; all of them that are not buckets must be compared before they are read.
base::Result<void> check_footer_section(base::Bytes, const FooterSection&, Seed);
// The section `index`, compared and taken apart.
base::Result<SegmentIndex> read_footer_index(base::Bytes, const FooterTrailer&, Seed);
// The section `repeats`, likewise: those that are not older.
base::Result<std::vector<StoredRepeat>> read_footer_repeats(base::Bytes, const FooterTrailer&, Seed,
                                                            std::uint64_t oldest_lane_time_ns);

}  // namespace storage
