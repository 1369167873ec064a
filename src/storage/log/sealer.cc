// SPDX-License-Identifier: Apache-2.0
#include "storage/log/sealer.h"

#include <algorithm>
#include <utility>

namespace storage {

using Kind = io::FileRequest::Kind;

struct Sealer::Scan {
  SegmentIndex index;
  SegmentRepeats repeats;
  AddressIndex addresses;
  std::uint64_t offset = kFirstGroupAt;  // of the next group
  std::string bytes;                     // that were read from there on

  // Takes what is whole. Errc::TooLarge: more must be read.
  base::Result<void> take(Seed seed, std::uint64_t end_offset) {
    std::size_t at = 0;
    base::Result<void> outcome = {};
    while (outcome && offset < end_offset) {
      const auto group = parse_group(base::Bytes(bytes).substr(at), seed);
      if (!group) {
        outcome = std::unexpected(group.error());
        break;
      }
      index.add(offset, *group, addresses);
      repeats.add(*group);
      at += group->bytes();
      offset += group->bytes();
    }
    bytes.erase(0, at);
    return outcome;
  }
};

Sealer::Sealer(io::Loop& loop, Log& log) : loop_(loop), log_(log) {}
Sealer::~Sealer() = default;

void Sealer::run() {
  if (segment_ != nullptr || stopping_) return;
  const Segments& segments = log_.segments();
  const auto wants_footer = [&](const auto& segment) {
    return segment->footer == OpenSegment::Footer::Missing && !segment->filling &&
           !without_footer_.contains(segment->header.number);
  };
  const auto found = std::find_if(segments.begin(), segments.end() - 1, wants_footer);
  if (found != segments.end() - 1) begin(**found);
}

void Sealer::begin(Segment& segment) {
  segment_ = &segment;
  log_.begin_read(segment);
  if (segment.addresses != nullptr) return write_footer(segment.index, *segment.repeats, *segment.addresses);
  scan_ = std::make_unique<Scan>();
  read_on();
}

void Sealer::read_on() {
  if (stopping_) return end(OpenSegment::Footer::Missing);
  const std::uint64_t from = scan_->offset + scan_->bytes.size();
  if (from >= segment_->end_offset) return end(OpenSegment::Footer::Missing);  // the last group is not whole
  loop_.files().submit(loop_,
                       {.kind = Kind::ReadAt,
                        .handle = segment_->handle,
                        .offset = from,
                        .size = std::min<std::uint64_t>(kSealReadBytes, segment_->end_offset - from)},
                       [this](auto read) {
                         if (!read || read->data.empty()) return end(OpenSegment::Footer::Missing);
                         on_bytes(std::move(read->data));
                       });
}

void Sealer::on_bytes(std::string bytes) {
  scan_->bytes += bytes;
  const auto taken = scan_->take(segment_->header.seed(), segment_->end_offset);
  if (scan_->offset == segment_->end_offset) return write_footer(scan_->index, scan_->repeats, scan_->addresses);
  if (!taken && taken.error().code != base::Errc::TooLarge) return end(OpenSegment::Footer::Missing);
  read_on();
}

void Sealer::write_footer(const SegmentIndex& index, const SegmentRepeats& repeats, const AddressIndex& addresses) {
  if (index.end_offset() != segment_->end_offset) return end(OpenSegment::Footer::Missing);
  last_commit_ = {};
  last_commit_.number = segment_->end.last_commit;
  last_commit_.crc = segment_->end.last_commit_crc;
  footer_ = std::make_unique<FooterWriter>(SealedSegment{segment_->header, last_commit_, index, repeats, addresses});
  offset_ = segment_->end_offset;
  write_on();
}

void Sealer::write_on() {
  if (stopping_) return end(OpenSegment::Footer::Missing);
  auto piece = std::make_shared<const std::string>(footer_->next(kSealWriteBytes));
  if (piece->empty()) return cut();
  loop_.files().submit(loop_,
                       {.kind = Kind::WriteAt,
                        .handle = segment_->handle,
                        .offset = offset_,
                        .data = *piece,
                        .keep = piece,
                        .urgency = io::Urgency::Background},
                       [this, bytes = piece->size()](auto written) {
                         if (!written) return end(OpenSegment::Footer::Missing);
                         offset_ += bytes;
                         write_on();
                       });
}

// The zeros that were filled in ahead go: the file ends with the footer's trailer. It is not synced: what is lost of
// it is found out again by a scan.
void Sealer::cut() {
  loop_.files().submit(
      loop_, {.kind = Kind::Truncate, .handle = segment_->handle, .size = offset_, .urgency = io::Urgency::Background},
      [this](auto done) {
        if (done) segment_->file_bytes = offset_;
        end(done ? OpenSegment::Footer::Whole : OpenSegment::Footer::Missing);
      });
}

void Sealer::end(OpenSegment::Footer footer) {
  footer_.reset();
  scan_.reset();
  Segment& segment = *std::exchange(segment_, nullptr);
  segment.footer = footer;
  if (footer == OpenSegment::Footer::Whole) {
    segment.addresses.reset();
    segment.repeats.reset();
  } else {
    without_footer_.insert(segment.header.number);
  }
  log_.end_read(segment);
}

}  // namespace storage
