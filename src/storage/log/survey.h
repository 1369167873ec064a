// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a lane's directory holds and what recovery concludes from it: the half of recovery that writes nothing
// (docs/formats/log.md, "What recovery may assume, and does", steps 1 and 2). Used by recovery and by the tools.
//
// Thread: one, synchronous. Takes no lock: while another process writes the lane, the answer may be of any moment, and
// its newest groups look like a torn tail.
#include <optional>
#include <string>
#include <vector>

#include "storage/log/open_file.h"
#include "storage/log/recovery.h"
#include "storage/log/segment_scan.h"

namespace storage {

struct SurveyOptions {
  io::OpenMode mode = io::OpenMode::ExistingRead;  // in which the segments are opened
  std::uint64_t repeat_window_ns = 0;              // of lane time before the newest commit
  std::size_t repeat_entries_max = 0;              // the newest ones; 0: none is collected
};

// A segment with events that count.
struct SurveyedSegment {
  SegmentHeader header;
  std::string name;
  OpenFile file;
  SegmentIndex index;  // of what counts
  std::uint64_t end_offset = 0;
  std::uint64_t file_bytes = 0;
  ManifestEntry end;
  OpenSegment::Footer footer = OpenSegment::Footer::Missing;
};

struct Survey {
  enum class History : std::uint8_t {
    None,        // there is no segment: a new lane, or one whose first start did not get that far
    Whole,       // it goes on under the same epoch
    NotProvable  // the newest segment or its lane state cannot be read: it goes on under a new epoch
  };
  History history = History::None;

  std::vector<std::string> names;    // everything in the directory, sorted
  SegmentNumber highest_number = 0;  // of any file present, whatever its state
  std::optional<SegmentHeader> newest;
  SegmentNumber runs_known_through = 0;  // of a start that made a later segment the run is not known
  Sequence lost_run_from = 0;            // damage begins here, and has taken the record of the newest run; 0: no

  // As of `proven`, but the manifest names every segment that is listed below, and `damage` has what was found now.
  LaneState state;
  CommitRecord proven;                    // the newest proven commit: number, crc, times; number 0: there is none
  CommitRecord last;                      // the newest valid one: the last of `unproven`, or `proven`
  std::vector<ScannedGroup> unproven;     // valid groups behind `proven`, in order, without any lane state
  std::vector<SurveyedSegment> segments;  // with events up to `proven`, oldest first: those of the manifest

  std::vector<std::string> superseded;   // segment files that do not count, to be removed once that is on the disk
  std::vector<std::string> unreadable;   // segment files of which nothing can be read, to be put aside
  std::vector<DamagedRange> new_damage;  // found now, part of state.damage
  std::uint64_t torn_bytes = 0;          // behind the newest segment's last valid group
  std::vector<RestoredRepeat> repeats;   // in log order, those of `unproven` included
  std::vector<RecoveryFinding> findings;
};

// Errors: Errc::BadInput: there are segments, and none can be read. Errc::Unsupported: made by a newer version.
// Errc::NotFound: no such directory. Errc::System with errno.
base::Result<Survey> survey(io::FileSystem&, const std::string& directory, const SurveyOptions&);

}  // namespace storage
