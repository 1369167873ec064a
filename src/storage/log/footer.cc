// SPDX-License-Identifier: Apache-2.0
#include "storage/log/footer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/crc32c.h"
#include "storage/log/little_endian.h"

namespace storage {

using base::Bytes;
using base::Errc;
using base::fail;
using base::Result;

namespace {

constexpr Bytes kMagic = "TIDEINDX";
constexpr std::size_t kVersionAt = 8;
constexpr std::size_t kCrcAt = 12;
constexpr std::size_t kNumberAt = 16;
constexpr FooterSection FooterTrailer::* kSections[] = {&FooterTrailer::index, &FooterTrailer::repeats,
                                                        &FooterTrailer::addresses, &FooterTrailer::directory};

std::uint32_t trailer_crc(std::string trailer, Seed seed) {
  store_le<std::uint32_t>(trailer.data() + kCrcAt, 0);
  return base::crc32c(trailer, seed.value());
}

std::string encode_trailer(const FooterTrailer& trailer, const SegmentHeader& header) {
  std::string bytes(kMagic);
  append_le(bytes, kLogFormatVersion);
  append_le<std::uint32_t>(bytes, 0);
  append_le(bytes, header.number);
  append_le(bytes, header.id);
  append_le(bytes, trailer.last_commit);
  append_le(bytes, trailer.last_commit_crc);
  append_le<std::uint32_t>(bytes, 0);
  append_le(bytes, trailer.groups_end);
  for (const auto member : kSections) {
    const FooterSection& section = trailer.*member;
    append_le(bytes, section.offset);
    append_le(bytes, section.bytes);
    append_le(bytes, section.crc);
    append_le<std::uint32_t>(bytes, 0);
  }
  CHECK(bytes.size() == kFooterTrailerBytes, "the trailer of a footer has another size");
  store_le(bytes.data() + kCrcAt, trailer_crc(bytes, header.seed()));
  return bytes;
}

// The sections lie side by side between the groups and the trailer.
Result<void> check_places(const FooterTrailer& trailer, std::uint64_t trailer_at) {
  std::uint64_t at = trailer.groups_end;
  if (at < kFirstGroupAt || at > trailer_at || at % kRecordAlignment != 0)
    return fail(Errc::BadInput, "a footer begins at a strange place");
  for (const auto member : kSections) {
    const FooterSection& section = trailer.*member;
    if (section.offset != at || section.bytes > trailer_at - at) {
      return fail(Errc::BadInput, "a section of a footer lies outside of it");
    }
    at += section.bytes;
  }
  if (at != trailer_at || trailer.directory.bytes != kAddressDirectoryBytes) {
    return fail(Errc::BadInput, "the sections of a footer do not fill it");
  }
  return {};
}

}  // namespace

FooterWriter::FooterWriter(const SealedSegment& segment)
    : header_(segment.header),
      index_(segment.index),
      repeats_(segment.repeats),
      addresses_(segment.addresses),
      seed_(segment.header.seed()),
      offset_(segment.index.end_offset()) {
  CHECK(offset_ % kRecordAlignment == 0, "a footer begins within a record");
  trailer_.last_commit = segment.last_commit.number;
  trailer_.last_commit_crc = segment.last_commit.crc;
  trailer_.groups_end = offset_;
  go_to(Step::Index);
}

std::string FooterWriter::next(std::size_t bytes_max, Until until) {
  CHECK(bytes_max > 0, "a piece of a footer may be empty only at its end");
  const Step end = until == Until::Trailer ? Step::Trailer : Step::Done;
  if (pending_.size() - taken_ < bytes_max) {
    pending_.erase(0, std::exchange(taken_, 0));
    while (pending_.size() < bytes_max && step_ < end) produce();
  }
  std::string piece = pending_.substr(taken_, bytes_max);
  taken_ += piece.size();
  return piece;
}

void FooterWriter::produce() {
  switch (step_) {
    case Step::Index: append(index_.encode()); return go_to(Step::Repeats);
    case Step::Repeats:
      if (step_at_ == repeats_.chunks().size()) return go_to(Step::Addresses);
      return append(repeats_.chunks()[step_at_++]);
    case Step::Addresses: {
      if (step_at_ == kAddressBuckets) return go_to(Step::Directory);
      std::string bucket;
      addresses_.encode_bucket(step_at_, seed_, bucket);
      append(bucket);
      CHECK(section().bytes <= std::numeric_limits<std::uint32_t>::max(), "a segment has too many addresses");
      bucket_ends_[step_at_++] = static_cast<std::uint32_t>(section().bytes);
      return;
    }
    case Step::Directory: append(encode_address_directory(bucket_ends_)); return go_to(Step::Trailer);
    case Step::Trailer: pending_ += encode_trailer(trailer_, header_); return go_to(Step::Done);
    case Step::Done: return;
  }
}

FooterSection& FooterWriter::section() {
  const auto index = static_cast<std::size_t>(step_);
  CHECK(index < std::size(kSections), "a footer has no further section");
  return trailer_.*kSections[index];
}

void FooterWriter::append(Bytes bytes) {
  FooterSection& to = section();
  to.crc = base::crc32c(bytes, to.crc);
  to.bytes += bytes.size();
  offset_ += bytes.size();
  pending_ += bytes;
}

void FooterWriter::go_to(Step step) {
  step_ = step;
  step_at_ = 0;
  if (step >= Step::Trailer) return;
  section() = {offset_, 0, seed_.value()};
}

Result<FooterTrailer> parse_footer_trailer(Bytes end, const SegmentHeader& header, std::uint64_t file_bytes) {
  if (end.size() != kFooterTrailerBytes || file_bytes < kFooterTrailerBytes || !end.starts_with(kMagic)) {
    return fail(Errc::BadInput, "a segment has no footer");
  }
  if (load_le<std::uint32_t>(end.data() + kCrcAt) != trailer_crc(std::string(end), header.seed())) {
    return fail(Errc::BadInput, "the trailer of a footer is damaged");
  }
  if (load_le<std::uint32_t>(end.data() + kVersionAt) != kLogFormatVersion) {
    return fail(Errc::BadInput, "a footer has another format version");
  }
  LittleEndianReader in(end.substr(kNumberAt));
  if (in.take<SegmentNumber>() != header.number || in.take<std::uint64_t>() != header.id) {
    return fail(Errc::BadInput, "a footer belongs to another segment");
  }
  FooterTrailer trailer;
  trailer.last_commit = in.take<CommitNumber>();
  trailer.last_commit_crc = in.take<std::uint32_t>();
  in.take<std::uint32_t>();
  trailer.groups_end = in.take<std::uint64_t>();
  for (const auto member : kSections) {
    FooterSection& section = trailer.*member;
    section.offset = in.take<std::uint64_t>();
    section.bytes = in.take<std::uint64_t>();
    section.crc = in.take<std::uint32_t>();
    in.take<std::uint32_t>();
  }
  TRY(check_places(trailer, file_bytes - kFooterTrailerBytes));
  return trailer;
}

Result<void> check_footer_section(Bytes bytes, const FooterSection& section, Seed seed) {
  if (bytes.size() != section.bytes || base::crc32c(bytes, seed.value()) != section.crc) {
    return fail(Errc::BadInput, "a section of a footer is damaged");
  }
  return {};
}

Result<SegmentIndex> read_footer_index(Bytes bytes, const FooterTrailer& trailer, Seed seed) {
  TRY(check_footer_section(bytes, trailer.index, seed));
  SegmentIndex index = TRY(SegmentIndex::decode(bytes));
  if (index.end_offset() != trailer.groups_end) return fail(Errc::BadInput, "the index of a footer ends elsewhere");
  return index;
}

Result<std::vector<StoredRepeat>> read_footer_repeats(Bytes bytes, const FooterTrailer& trailer, Seed seed,
                                                      std::uint64_t oldest_lane_time_ns) {
  TRY(check_footer_section(bytes, trailer.repeats, seed));
  return decode_repeats(bytes, oldest_lane_time_ns);
}

}  // namespace storage
