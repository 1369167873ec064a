// SPDX-License-Identifier: Apache-2.0
#include "server/start_failure.h"

#include <cerrno>
#include <cstring>

#include "server/exit_code.h"
#include "storage/limits.h"

namespace server {

namespace {

std::string reason(const base::Error& error) {
  return error.sys_errno != 0 ? std::string(error.text) + ": " + std::strerror(error.sys_errno) : error.text;
}

// What is before the last component; "." if there is nothing.
std::string parent_of(const std::string& path) {
  const std::size_t last = path.find_last_not_of('/');
  const std::size_t slash = path.find_last_of('/', last);
  if (last == std::string::npos || slash == 0) return "/";
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

constexpr const char* kAnother = "choose another directory with --data";

// For the reserve and a first segment: with that publishing goes on, too. A start alone needs much less.
constexpr std::uint64_t kRoomMiB = 2 * storage::kSegmentBytesFirst >> 20;

StartFailure no_directory(int sys_errno, const std::string& directory) {
  switch (sys_errno) {
    case ENOENT: {
      const std::string parent = parent_of(directory);
      return {kExitInputOutput, "cannot create " + directory + ": there is no " + parent +
                                    ", and only the last component is created; run `mkdir -p " + parent + "`, or " +
                                    kAnother};
    }
    case EACCES:
    case EPERM:
    case EROFS:
      return {kExitInputOutput, "cannot write to " + directory + ": " + std::strerror(sys_errno) +
                                    "; give this user the right to create and change files there, or " + kAnother};
    case ENOSPC:
    case EDQUOT:
      return {kExitInputOutput, "no room for the log in " + directory + ": " + std::strerror(sys_errno) +
                                    "; free at least " + std::to_string(kRoomMiB) + " MiB there, or " + kAnother};
    default: return {kExitConfiguration, directory + " is not a directory: " + kAnother};  // ENOTDIR, EEXIST
  }
}

}  // namespace

StartFailure cannot_listen(const base::Error& error, const std::string& endpoint) {
  std::string sentence = "cannot listen on " + endpoint + ": ";
  if (error.sys_errno == EADDRINUSE) {
    sentence +=
        "another program listens there already; stop it, or choose another address with --listen, --app-listen or "
        "--admin";
  } else {
    sentence += error.sys_errno != 0 ? std::strerror(error.sys_errno) : error.text;
  }
  return {kExitInputOutput, std::move(sentence)};
}

StartFailure cannot_declare(storage::LaneCondition condition, const std::string& directory) {
  if (condition == storage::LaneCondition::ReadOnly) {
    return {kExitInputOutput,
            "the log in " + directory + " cannot be written: a sync failed; check the disk, then start again"};
  }
  return no_directory(ENOSPC, directory);
}

StartFailure cannot_open_log(const base::Error& error, const std::string& directory) {
  if (error.code == base::Errc::BadInput) {
    return {kExitConfiguration, directory + " is not a log of Tidewire (" + reason(error) + "): " + kAnother};
  }
  if (error.code == base::Errc::Unsupported) {
    return {kExitConfiguration,
            directory + " was written by a newer version of Tidewire: start that version, or " + kAnother};
  }
  switch (error.sys_errno) {
    case EWOULDBLOCK: return {kExitConfiguration, "another tidewire uses " + directory + "; stop it, or " + kAnother};
    case ENOENT:
    case EACCES:
    case EPERM:
    case EROFS:
    case ENOSPC:
    case EDQUOT:
    case ENOTDIR:
    case EEXIST: return no_directory(error.sys_errno, directory);
    default:
      return {kExitInputOutput,
              "cannot open the log in " + directory + ": " + reason(error) + "; check the disk, or " + kAnother};
  }
}

}  // namespace server
