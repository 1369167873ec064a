// SPDX-License-Identifier: Apache-2.0
#pragma once
// Replays one segment: which of its groups count, what they change, and what is missing between them
// (docs/formats/log.md, "What recovery may assume, and does", step 2).
//
// A group counts if it is whole, its numbers go on where the group before it ended, and its link fits. It is proven if
// a later commit (or whoever asks) knows it as synced. What is missing between groups is damage if it is proven, and
// the torn tail if it is not: then nothing behind it counts.
//
// Thread: one, synchronous. Memory: the groups that are not proven yet, by their windows: one or two, if the segment
// was written by this program.
#include <string>
#include <vector>

#include "storage/log/recovery.h"
#include "storage/log/repeat_window.h"
#include "storage/log/segment_scan.h"

namespace storage {

struct ReplayRequest {
  const OpenFile& file;
  std::uint64_t file_bytes;
  const SegmentHeader& header;
  LaneState state;  // before the segment's first group behind its own lane state
  enum class Before : std::uint8_t {
    Complete,  // `state` is of the commit that the segment continues
    Uncertain  // what came before is damaged at its end: the first group that can tells how many events are missing
  } before = Before::Complete;
  enum class Applies : std::uint8_t {
    Everything,
    Sequences  // only state.next_sequence is kept up
  } applies = Applies::Everything;
  CommitNumber proven = 0;                    // known to be synced by somebody else
  Sequence last_sequence_max = ~Sequence{0};  // no event behind it was ever in here; 0: whoever asks finds out
  CommitNumber until = ~CommitNumber{0};      // what lies behind that commit is superseded
};

struct Replayed {
  LaneState state;                     // as of `proven`; behind what was damaged up to there
  SegmentIndex index;                  // of what is proven
  CommitRecord proven;                 // the newest proven one; without events in here it may be the one before
  std::uint64_t end_offset = 0;        // behind it
  CommitRecord last;                   // the newest one that counts
  std::vector<ScannedGroup> unproven;  // groups that count behind `proven`, in order
  std::vector<DamagedRange> damage;    // of proven groups, in order
  Sequence unbounded_from = 0;         // of the last of them, if nothing says where it ends; 0: something does
  std::vector<RecoveryFinding> findings;
  std::uint64_t torn_bytes = 0;                                                   // behind the last group that counts
  std::uint64_t damaged_bytes = 0;                                                // between groups that count
  CommitNumber newest_known_synced = 0;                                           // by a commit in here
  enum class OwnRun : std::uint8_t { Missing, Found } own_run = OwnRun::Missing;  // the one that recovery opens in here
  std::uint32_t copies = 0;  // of those that the header announces, how many count
  enum class OwnState : std::uint8_t { Whole, Damaged } own_state = OwnState::Damaged;  // the lane state at its front
};

// Errc::BadInput: a whole group makes no sense. Errc::System: the file cannot be read at all.
base::Result<Replayed> replay_segment(ReplayRequest, RepeatWindow&);

// What of a range lies in some run: between the end of one and the first event of the next there is none.
std::vector<DamagedRange> parts_by_runs(DamagedRange, const std::vector<LaneRun>&);

// The lane state at the front of a segment; Errc::BadInput if it is damaged.
base::Result<LaneState> read_own_state(const OpenFile&, std::uint64_t file_bytes, const SegmentHeader&);

}  // namespace storage
