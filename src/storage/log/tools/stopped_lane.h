// SPDX-License-Identifier: Apache-2.0
#pragma once
// A lane that no process uses, opened to be looked at: locked as a server would lock it, and surveyed. Nothing is
// written.
//
// A value that keeps the lock; one thread. Must not outlive the file system.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "storage/log/survey.h"

namespace storage {

inline constexpr char kLockFileName[] = "lock";

struct StoppedLane {
  OpenFile lock;                              // not open if the directory has none: a copy by hand, perhaps
  std::optional<LockIdentity> lock_identity;  // of the file
  Survey survey;
  LaneState state;  // at its end

  const TopicState& topic(TopicId id) const { return state.topics[id - 1]; }
};

// Errc::NotFound: no such directory. Errc::Conflict: another process uses it. Errc::Invalid: it holds no lane. Others
// as survey().
base::Result<StoppedLane> open_stopped_lane(io::FileSystem&, const std::string& directory);

// Errc::Invalid: the directory holds neither a lock file nor a segment.
base::Result<void> check_holds_lane(const Directory&);

// The lock alone, for whoever changes the directory; not open if it has none. Errc::Conflict as above.
base::Result<OpenFile> lock_directory(const Directory&);

// What a start will find: the state of the survey, with the groups that are not proven.
base::Result<LaneState> state_at_end(const Survey&);

// How far a tool that reads everything has come, now and then.
using OnProgress = std::function<void(std::uint64_t bytes_done, std::uint64_t bytes_all)>;

}  // namespace storage
