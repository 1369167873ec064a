// SPDX-License-Identifier: Apache-2.0
#include "storage/log/tools/stopped_lane.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace storage {

using base::Errc;
using base::fail;
using base::Result;

namespace {

// Locking needs no right to write, but for network file systems: so it is tried first.
Result<OpenFile> open_lock(const Directory& directory) {
  auto opened = directory.open(kLockFileName, io::OpenMode::Existing);
  const bool is_read_only = !opened && (opened.error().sys_errno == EACCES || opened.error().sys_errno == EROFS);
  return is_read_only ? directory.open(kLockFileName, io::OpenMode::ExistingRead) : std::move(opened);
}

}  // namespace

Result<void> check_holds_lane(const Directory& directory) {
  const auto is_of_lane = [](const std::string& name) { return name == kLockFileName || segment_number(name); };
  if (std::ranges::none_of(TRY(directory.names()), is_of_lane)) {
    return fail(Errc::Invalid, "the directory holds no lane");
  }
  return {};
}

Result<OpenFile> lock_directory(const Directory& directory) {
  auto opened = open_lock(directory);
  if (!opened && opened.error().code == Errc::NotFound) return OpenFile();
  if (!opened) return opened;
  const auto locked = opened->lock();
  if (!locked && locked.error().sys_errno == EWOULDBLOCK) {
    return fail(Errc::Conflict, "another process uses the lane", EWOULDBLOCK);
  }
  if (!locked) return std::unexpected(locked.error());
  return opened;
}

Result<StoppedLane> open_stopped_lane(io::FileSystem& file_system, const std::string& path) {
  const Directory directory(file_system, path);
  TRY(check_holds_lane(directory));
  StoppedLane lane;
  lane.lock = TRY(lock_directory(directory));
  if (lane.lock.is_open()) {
    const io::FileStatus status = TRY(directory.status(kLockFileName));
    lane.lock_identity = LockIdentity{status.inode, status.birth_ns};
  }
  lane.survey = TRY(survey(file_system, path, {}));
  lane.state = TRY(state_at_end(lane.survey));
  return lane;
}

Result<LaneState> state_at_end(const Survey& survey) {
  LaneState state = survey.state;
  for (const ScannedGroup& scanned : survey.unproven) TRY(state.apply(scanned.group));
  return state;
}

}  // namespace storage
