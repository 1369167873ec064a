// SPDX-License-Identifier: Apache-2.0
#pragma once
// Makes a directory another history on purpose: a new lock file has another identity than the one that the log
// remembers, so the next start goes on under a new epoch.
//
// Thread: one, synchronous. It may be cut off anywhere: the lock is the old one, or the new one as a whole.
#include "storage/log/open_file.h"

namespace storage {

// Errc::NotFound: no such directory. Errc::Conflict: another process uses it. Errc::Invalid: it holds no lane.
// Errc::BadInput: its file `lock` is not a lane's. A lane whose lock file is missing gets one.
base::Result<void> fork_lane(io::FileSystem&, const std::string& directory);

// A lock file that was never there before, in place of whatever has its name, and durable.
base::Result<void> make_new_lock(const Directory&);

}  // namespace storage
