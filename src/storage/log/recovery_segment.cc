// SPDX-License-Identifier: Apache-2.0
#include "storage/log/recovery_segment.h"

#include <algorithm>
#include <utility>

namespace storage {

using base::Result;

namespace {

// The records of a copied group, and room for its commit.
std::string copy_records(const GroupView& group, const LaneState& begins) {
  std::string copy;
  for (RecordWalk walk(group.records); const auto record = walk.next();) {
    if (record->kind == RecordKind::Segments) {
      append_control_record(copy, RecordKind::Segments, 0, encode_manifest(begins.manifest));
    } else if (const auto run = record->kind == RecordKind::Run ? decode_run(record->body()) : std::nullopt) {
      append_control_record(copy, RecordKind::Run, 0, encode_run(begins, *run));
    } else {
      copy += record->bytes;
    }
  }
  append_commit_room(copy);
  return copy;
}

std::int64_t append_ms_before(const Survey& found) {
  std::int64_t largest = found.newest ? found.newest->append_ms_before : 0;
  for (const SurveyedSegment& segment : found.segments) {
    largest = std::max({largest, segment.header.append_ms_before, segment.index.wall_ms_max()});
  }
  return largest;
}

Result<void> append_copy(RecoverySegment& segment, const GroupView& original, const LaneState& begins) {
  std::string copy = copy_records(original, begins);
  CommitRecord commit = original.commit;
  commit.number = segment.last.number + 1;
  commit.synced_through = segment.header.continues;
  commit.previous_crc = segment.last.crc;
  segment.last = seal_group(copy, segment.header.seed(), commit);
  const GroupView view{base::Bytes(copy).substr(0, copy.size() - kCommitBytes), segment.last};
  TRY(segment.state.apply(view));
  segment.index.add(segment.bytes.size(), view);
  segment.bytes += copy;
  return {};
}

}  // namespace

Result<RecoverySegment> build_recovery_segment(const Survey& found, LaneState begins, SegmentNumber number,
                                               std::uint64_t id, std::int64_t wall_ms) {
  RecoverySegment segment;
  segment.header.number = segment.header.first_replaced = number;
  segment.header.id = id;
  segment.header.kind = SegmentKind::Recovery;
  segment.header.copies = static_cast<std::uint32_t>(found.unproven.size());
  segment.header.continues = found.proven.number;
  segment.header.continues_crc = found.proven.crc;
  segment.header.created_ms = wall_ms;
  segment.header.append_ms_before = append_ms_before(found);
  // Its times are those of the commit that it stands for: they say when the lane last lived.
  CommitRecord commit;
  commit.number = found.proven.number + 1;
  commit.synced_through = found.proven.number;
  commit.previous_crc = found.proven.crc;
  commit.lane_time_ns = begins.lane_time_ns;
  commit.wall_ms = found.history == Survey::History::None ? wall_ms : found.proven.wall_ms;
  SegmentStart start = encode_segment_start(segment.header, begins, commit);
  segment.bytes = std::move(start.bytes);
  segment.last = start.commit;
  segment.state = begins;
  for (const ScannedGroup& scanned : found.unproven) TRY(append_copy(segment, scanned.group, begins));
  return segment;
}

RunGroup build_run_group(const RecoverySegment& segment, const LaneRun& run, const CommitRecord& times) {
  RunGroup group;
  append_control_record(group.bytes, RecordKind::Run, 0, encode_run(segment.state, run));
  append_commit_room(group.bytes);
  CommitRecord commit;
  commit.number = segment.last.number + 1;
  commit.synced_through = segment.last.number;
  commit.previous_crc = segment.last.crc;
  commit.lane_time_ns = times.lane_time_ns;
  commit.wall_ms = times.wall_ms;
  group.commit = seal_group(group.bytes, segment.header.seed(), commit);
  return group;
}

}  // namespace storage
