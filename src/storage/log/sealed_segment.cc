// SPDX-License-Identifier: Apache-2.0
#include "storage/log/sealed_segment.h"

#include <algorithm>
#include <utility>

#include "storage/log/segment_replay.h"

namespace storage {

using base::Errc;
using base::Result;

namespace {

std::unexpected<base::Error> no_footer() { return base::fail(Errc::BadInput, "the footer is of another time"); }

// The repeats of a footer, as far as they are wanted.
Result<void> add_repeats(const OpenFile& file, const FooterTrailer& trailer, Seed seed, RepeatWindow& repeats) {
  if (repeats.room() == 0) return {};
  const std::string section = TRY(file.read(trailer.repeats.offset, trailer.repeats.bytes));
  for (const StoredRepeat& each : TRY(read_footer_repeats(section, trailer, seed, repeats.oldest_ns()))) {
    repeats.add(RestoredRepeat{each.key, each.content, each.sequence, each.lane_time_ns});
  }
  return {};
}

// Errc::BadInput and Errc::System: it must be scanned.
Result<SurveyedSegment> read_by_footer(const SegmentFile& from, ManifestEntry end, RepeatWindow& repeats) {
  const SegmentHeader& header = *from.header;
  const auto trailer = read_footer_trailer(from.file, from.bytes, header);
  if (!trailer) return no_footer();
  SurveyedSegment segment;
  segment.header = header;
  const std::string section = TRY(from.file.read(trailer->index.offset, trailer->index.bytes));
  segment.index = TRY(read_footer_index(section, *trailer, header.seed()));
  if (segment.index.empty()) return no_footer();
  if (end.id != header.id) {
    end = {header.number,
           header.id,
           segment.index.first_sequence(),
           segment.index.last_sequence(),
           trailer->last_commit,
           trailer->last_commit_crc,
           segment.index.last_lane_time_ns()};
  }
  if (trailer->last_commit != end.last_commit || trailer->last_commit_crc != end.last_commit_crc) return no_footer();
  if (end.last_lane_time_ns >= repeats.oldest_ns()) TRY(add_repeats(from.file, *trailer, header.seed(), repeats));
  segment.end_offset = trailer->groups_end;
  segment.end = end;
  segment.footer = OpenSegment::Footer::Whole;
  return segment;
}

// What the manifest knows and the scan did not find is damaged.
void note_missing_end(const SegmentFile& from, const ManifestEntry& end, const Replayed& replayed,
                      SealedReading& reading) {
  if (replayed.state.next_sequence > end.last_sequence) return;
  reading.damage.push_back({replayed.state.next_sequence, end.last_sequence});
  reading.findings.push_back({RecoveryFinding::Kind::Damage, from.name + ": its end is damaged: events " +
                                                                 std::to_string(replayed.state.next_sequence) + " to " +
                                                                 std::to_string(end.last_sequence) +
                                                                 " cannot be read"});
}

Result<SealedReading> read_by_scan(const SegmentFile& from, const ManifestEntry& end, const std::vector<LaneRun>& runs,
                                   RepeatWindow& repeats) {
  const SegmentHeader& header = *from.header;
  const bool is_named = end.id == header.id;
  ReplayRequest request{.file = from.file, .file_bytes = from.bytes, .header = header, .state = {}};
  request.applies = ReplayRequest::Applies::Sequences;
  request.state.runs = runs;
  request.proven = ~CommitNumber{0};
  if (is_named) {
    request.state.next_sequence = end.first_sequence;
    request.until = end.last_commit;
    request.last_sequence_max = end.last_sequence;
  }
  Replayed replayed = TRY(replay_segment(std::move(request), repeats));
  SealedReading reading;
  reading.damage = std::move(replayed.damage);
  reading.findings = std::move(replayed.findings);
  if (is_named) note_missing_end(from, end, replayed, reading);
  if (replayed.index.empty()) return reading;
  SurveyedSegment& segment = reading.segment.emplace();
  segment.header = header;
  segment.end = end;
  if (!is_named) {
    segment.end = {
        header.number,          header.id,           replayed.index.first_sequence(),   replayed.index.last_sequence(),
        replayed.proven.number, replayed.proven.crc, replayed.index.last_lane_time_ns()};
  }
  segment.index = std::move(replayed.index);
  segment.end_offset = replayed.end_offset;
  return reading;
}

}  // namespace

Result<SegmentFile> open_segment_file(const Directory& directory, const std::string& name, io::OpenMode mode) {
  SegmentFile opened;
  opened.name = name;
  opened.number = *segment_number(name);
  // Whoever writes the lane meanwhile may put a rewritten file in its place: size and content must be of one file.
  for (io::FileStatus before = TRY(directory.status(name));;) {
    opened.file = TRY(directory.open(name, mode));
    const io::FileStatus after = TRY(directory.status(name));
    opened.bytes = after.size;
    if (before.inode == after.inode && before.birth_ns == after.birth_ns) break;
    before = after;
  }
  std::uint64_t unreadable_bytes = 0;
  const auto header = parse_segment_start(TRY(opened.file.read_around_rot(0, kFirstGroupAt, unreadable_bytes)));
  if (header && header->number == opened.number) opened.header = *header;
  if (!header && header.error().code == Errc::Unsupported) return std::unexpected(header.error());
  return opened;
}

std::optional<FooterTrailer> read_footer_trailer(const OpenFile& file, std::uint64_t file_bytes,
                                                 const SegmentHeader& header) {
  if (file_bytes < kFirstGroupAt + kFooterTrailerBytes) return std::nullopt;
  const auto bytes = file.read(file_bytes - kFooterTrailerBytes, kFooterTrailerBytes);
  if (!bytes) return std::nullopt;
  const auto trailer = parse_footer_trailer(*bytes, header, file_bytes);
  return trailer ? std::optional(*trailer) : std::nullopt;
}

Result<SealedReading> read_sealed_segment(SegmentFile& from, const ManifestEntry& end, const std::vector<LaneRun>& runs,
                                          RepeatWindow& repeats) {
  SealedReading reading;
  if (!from.header) {
    // The manifest knows the id, and so the seed: every group can be read without its header. Its links cannot be
    // compared, since nobody knows where it begins.
    from.header =
        SegmentHeader{.number = end.number, .id = end.id, .kind = SegmentKind::Rewritten, .first_replaced = end.number};
    reading.findings.push_back(
        {RecoveryFinding::Kind::Damage, from.name + ": its header is damaged; it is read by what the manifest knows"});
  }
  if (auto segment = read_by_footer(from, end, repeats)) {
    reading.segment = std::move(*segment);
  } else {
    SealedReading scanned = TRY(read_by_scan(from, end, runs, repeats));
    reading.segment = std::move(scanned.segment);
    reading.damage = std::move(scanned.damage);
    std::ranges::move(scanned.findings, std::back_inserter(reading.findings));
  }
  if (!reading.segment) return reading;
  reading.segment->name = from.name;
  reading.segment->file_bytes = from.bytes;
  reading.segment->file = std::move(from.file);
  return reading;
}

}  // namespace storage
