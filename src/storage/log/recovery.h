// SPDX-License-Identifier: Apache-2.0
#pragma once
// Opens a directory as a lane: finds out what is provable, copies what is only probable into a new segment, and hands
// over a lane that can be served (docs/formats/log.md, "What recovery may assume, and does").
//
// Thread: start-up, before the lane's loop runs; synchronous. It may be cut off anywhere, any number of times.
#include <string>
#include <vector>

#include "base/siphash.h"
#include "io/world.h"
#include "storage/limits.h"
#include "storage/log/lane_state.h"
#include "storage/log/segment_index.h"

namespace storage {

// A segment with an open handle. The newest one is open for writing, all others are sealed or wait for their footer.
struct OpenSegment {
  SegmentHeader header;
  std::string path;
  io::FileHandle handle = -1;
  SegmentIndex index;
  std::uint64_t end_offset = 0;  // behind its last group that counts
  std::uint64_t file_bytes = 0;
  ManifestEntry end;  // as a manifest would name it
  enum class Footer : std::uint8_t { Missing, Whole } footer = Footer::Missing;
};

struct RestoredRepeat {
  base::Hash128 key;
  std::uint64_t content;
  Sequence sequence;
  std::uint64_t lane_time_ns;
};

// What was found that somebody should know; each is a sentence for the log of the program.
struct RecoveryFinding {
  enum class Kind : std::uint8_t { TornTail, Damage, EpochChanged, Removed, Info } kind;
  std::string sentence;
};

struct Recovered {
  std::string directory;
  io::FileHandle lock = -1;
  LaneState state;                      // the new run included
  CommitRecord last_commit;             // the newest, which opened the run; it is synced. Its lane time is that of
                                        // the last commit before this start: LaneClock adds what has passed since
  std::vector<OpenSegment> segments;    // oldest first; the last one is new, and the next group goes there
  std::vector<RestoredRepeat> repeats;  // in log order, those younger than the window
  std::int64_t previous_wall_ms = 0;    // of the last commit before this start; 0: there was none
  enum class Room : std::uint8_t {
    Enough,
    Short,  // the disk is full, and the reserve is not what it should be
  } room = Room::Enough;
  std::vector<RecoveryFinding> findings;
};

// Errors: Errc::System with errno; EWOULDBLOCK: another process uses the directory. Errc::Unsupported: made by a newer
// version. Errc::BadInput: `lock` is not a lane's. ENOSPC and EDQUOT: there is no room for a segment, and none was kept
// for it. Creates the directory (its parent must exist) and the lane if new.
base::Result<Recovered> recover(io::World, const std::string& directory, const Limits&);

}  // namespace storage
