// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a lane is, between two groups: docs/formats/log.md, "Lane state". Recovery replays groups into it, and the
// running log applies every group that became durable, so both are the same code and cannot disagree.
//
// A value; belongs to one thread.
#include <string>
#include <vector>

#include "storage/lane.h"
#include "storage/log/format.h"

namespace storage {

// What tells this directory from every copy of it.
struct LockIdentity {
  std::uint64_t inode = 0;
  std::uint64_t birth_ns = 0;

  bool operator==(const LockIdentity&) const = default;
};

// One start of the program: no event has a sequence between `previous_end` and `first`.
struct LaneRun {
  Sequence first = 0;
  Sequence previous_end = 0;
};

struct TopicState {
  std::int64_t next_offset = 0;
  Sequence complete_after = 0;
  Retention retention = {};
  std::string identity;
};

// A segment with events, older than the one whose state this is, and where it ends.
struct ManifestEntry {
  SegmentNumber number = 0;
  std::uint64_t id = 0;
  Sequence first_sequence = 0;
  Sequence last_sequence = 0;
  CommitNumber last_commit = 0;
  std::uint32_t last_commit_crc = 0;
  std::uint64_t last_lane_time_ns = 0;
};

struct DamagedRange {
  Sequence first = 0;
  Sequence last = 0;

  bool operator==(const DamagedRange&) const = default;
};

struct LaneState {
  Identity identity = {};
  LockIdentity lock = {};
  Sequence next_sequence = 1;
  std::uint64_t lane_time_ns = 0;
  std::vector<LaneRun> runs;            // ascending; those that hold nothing any more may be left out
  std::vector<TopicState> topics;       // of id, less one
  std::vector<ManifestEntry> manifest;  // ascending
  std::vector<DamagedRange> damage;     // ascending, apart

  // What a verified group changes. Errc::BadInput if a control record makes no sense; then the state is of no use.
  base::Result<void> apply(const GroupView&);

  Sequence end() const;  // of the last event, or of the previous run if this run has none
  // Whether `position` lies behind the end of a run and before the next one. first - 1 counts as the end of the run
  // before: it is the position just before the first event.
  bool is_between_runs(Sequence position) const;
};

// Ranges that overlap or touch become one.
void add_damage(std::vector<DamagedRange>&, DamagedRange);

std::string encode_lane_state(const LaneState&);
base::Result<LaneState> decode_lane_state(base::Bytes body);

// Bodies of the other control records.
std::string encode_topic(const TopicState&);
std::string encode_trims(const std::vector<std::pair<TopicId, Sequence>>& complete_after);
std::string encode_run(const LaneState& of, const LaneRun&);  // its epoch and lock, and the run
std::optional<LaneRun> decode_run(base::Bytes body);
std::string encode_manifest(const std::vector<ManifestEntry>&);
std::string encode_damage(const std::vector<DamagedRange>&);

// The beginning of every segment: the header and the first group, which holds the lane state alone. `commit` needs
// number, synced_through, times and the link; it comes back as written.
struct SegmentStart {
  std::string bytes;
  CommitRecord commit;
};
SegmentStart encode_segment_start(const SegmentHeader&, const LaneState&, const CommitRecord&);

std::string segment_name(SegmentNumber);                               // "000000000000002a.segment"
std::optional<SegmentNumber> segment_number(const std::string& name);  // of such a name

}  // namespace storage
