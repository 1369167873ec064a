// SPDX-License-Identifier: Apache-2.0
#include "storage/log/sealer.h"

#include <algorithm>
#include <utility>

#include "storage/log/group_reader.h"

namespace storage {

using Kind = io::FileRequest::Kind;

struct Sealer::Scan {
  explicit Scan(const Segment& segment) : groups(segment.header.seed(), kFirstGroupAt, segment.end_offset) {}

  GroupReader groups;
  SegmentIndex index;
  SegmentRepeats repeats;
  AddressIndex addresses;

  // Takes what is whole. Errc::TooLarge: more must be read.
  base::Result<void> take() {
    while (!groups.done()) {
      const std::uint64_t offset = groups.offset();
      const GroupView group = TRY(groups.next());
      index.add(offset, group, addresses);
      repeats.add(group);
    }
    return {};
  }
};

Sealer::Sealer(io::Loop& loop, Log& log) : loop_(loop), log_(log) {}
Sealer::~Sealer() = default;

void Sealer::run() {
  if (segment_ != nullptr || stopping_) return;
  const Segments& segments = log_.segments();
  const auto wants_footer = [&](const auto& segment) {
    return segment->footer == OpenSegment::Footer::Missing && !segment->filling &&
           retries_.is_due(segment->header.id, loop_.now_ns());
  };
  const auto found = std::find_if(segments.begin(), segments.end() - 1, wants_footer);
  if (found != segments.end() - 1) begin(**found);
}

void Sealer::begin(Segment& segment) {
  segment_ = &segment;
  log_.begin_read(segment);
  if (segment.addresses != nullptr) return write_footer(segment.index, *segment.repeats, *segment.addresses);
  scan_ = std::make_unique<Scan>(segment);
  read_on();
}

void Sealer::read_on() {
  if (stopping_) return end(Outcome::Stopped);
  const GroupReader& groups = scan_->groups;
  loop_.files().submit(loop_,
                       {.kind = Kind::ReadAt,
                        .handle = segment_->handle,
                        .offset = groups.read_offset(),
                        .size = std::min<std::uint64_t>(kSealReadBytes, groups.read_bytes_max())},
                       [this](auto read) {
                         if (!read) return end(Outcome::Refused);
                         on_bytes(read->data);
                       });
}

void Sealer::on_bytes(const std::string& bytes) {
  if (bytes.empty()) return end(Outcome::Damaged);  // the file ends too early
  scan_->groups.append(bytes);
  const auto taken = scan_->take();
  if (taken) return write_footer(scan_->index, scan_->repeats, scan_->addresses);
  if (taken.error().code != base::Errc::TooLarge) return end(Outcome::Damaged);
  read_on();
}

void Sealer::write_footer(const SegmentIndex& index, const SegmentRepeats& repeats, const AddressIndex& addresses) {
  if (index.end_offset() != segment_->end_offset) return end(Outcome::Damaged);
  last_commit_ = {};
  last_commit_.number = segment_->end.last_commit;
  last_commit_.crc = segment_->end.last_commit_crc;
  footer_ = std::make_unique<FooterWriter>(SealedSegment{segment_->header, last_commit_, index, repeats, addresses});
  offset_ = segment_->end_offset;
  write_on();
}

void Sealer::write_on() {
  if (stopping_) return end(Outcome::Stopped);
  std::string piece = footer_->next(kSealWriteBytes, FooterWriter::Until::Trailer);
  if (piece.empty()) return sync();
  write(std::move(piece), [this] { write_on(); });
}

// After a failure all of it is written again, so that a later sync speaks of these bytes too.
void Sealer::sync() {
  loop_.files().submit(loop_, {.kind = Kind::Sync, .handle = segment_->handle, .urgency = io::Urgency::Background},
                       [this](auto synced) {
                         if (!synced) return end(Outcome::Refused);
                         write(footer_->next(kSealWriteBytes), [this] { cut(); });
                       });
}

void Sealer::write(std::string piece, io::Task then) {
  auto kept = std::make_shared<const std::string>(std::move(piece));
  loop_.files().submit(loop_,
                       {.kind = Kind::WriteAt,
                        .handle = segment_->handle,
                        .offset = offset_,
                        .data = *kept,
                        .keep = kept,
                        .urgency = io::Urgency::Background},
                       [this, bytes = kept->size(), then = std::move(then)](auto written) mutable {
                         if (!written) return end(Outcome::Refused);
                         offset_ += bytes;
                         then();
                       });
}

// The zeros that were filled in ahead go: the file ends with the footer's trailer. That is not synced: what is lost of
// it is found out again by a scan.
void Sealer::cut() {
  loop_.files().submit(
      loop_, {.kind = Kind::Truncate, .handle = segment_->handle, .size = offset_, .urgency = io::Urgency::Background},
      [this](auto done) {
        if (done) segment_->file_bytes = offset_;
        end(done ? Outcome::Sealed : Outcome::Refused);
      });
}

void Sealer::end(Outcome outcome) {
  footer_.reset();
  scan_.reset();
  Segment& segment = *std::exchange(segment_, nullptr);
  const std::uint64_t id = segment.header.id;
  switch (outcome) {
    case Outcome::Sealed:
      segment.footer = OpenSegment::Footer::Whole;
      segment.addresses.reset();
      segment.repeats.reset();
      retries_.forget(id);
      break;
    case Outcome::Damaged: retries_.give_up(id); break;
    case Outcome::Refused: retries_.put_off(id, loop_.now_ns()); break;
    case Outcome::Stopped: break;
  }
  log_.end_read(segment);
}

}  // namespace storage
