// SPDX-License-Identifier: Apache-2.0
#pragma once
// The file `lock` of a lane's directory (docs/formats/log.md, "The directory"): says that the directory is a lane,
// keeps every other process out for as long as it is open, and by its inode tells the lane from all copies of it.
//
// Thread: one, synchronous.
#include <string>
#include <vector>

#include "storage/log/lane_state.h"
#include "storage/log/open_file.h"

namespace storage {

struct LaneLock {
  OpenFile file;
  LockIdentity identity;
};

// Makes the lock file as well, in a directory without segments. Errc::System with EWOULDBLOCK: another process uses the
// lane. Errc::BadInput: the file is not a lane's, or is missing beside segments. Errc::Unsupported: of a newer version.
base::Result<LaneLock> take_lock(const Directory&);

std::string encode_lock();
// What identifies the lane of a directory that is not going to be opened.
base::Result<LockIdentity> read_lock_identity(const Directory&);

}  // namespace storage
