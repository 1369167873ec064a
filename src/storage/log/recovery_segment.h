// SPDX-License-Identifier: Apache-2.0
#pragma once
// The segment that recovery writes: the lane's state as of the last proven commit, and copies of all groups behind it
// (docs/formats/log.md, "What recovery may assume, and does", step 3). Pure.
#include <string>

#include "storage/log/survey.h"

namespace storage {

struct RecoverySegment {
  SegmentHeader header;
  std::string bytes;   // of the whole file
  CommitRecord last;   // of its groups
  LaneState state;     // behind them
  SegmentIndex index;  // of the copies
};

// `begins`: what the survey found, under the epoch and the lock that hold from now on. A copied group is what it was,
// but for two records: a run gets that epoch and lock, and a manifest becomes that of `begins`, since the copy stands
// behind segments that were not there yet. Errc::BadInput: a group makes no sense.
base::Result<RecoverySegment> build_recovery_segment(const Survey&, LaneState begins, SegmentNumber, std::uint64_t id,
                                                     std::int64_t wall_ms);

// The group that opens a run: how recovery ends.
struct RunGroup {
  std::string bytes;
  CommitRecord commit;
};
RunGroup build_run_group(const RecoverySegment&, const LaneRun&, const CommitRecord& times);

}  // namespace storage
