// SPDX-License-Identifier: Apache-2.0
#include "server/commands/log_failure.h"

#include <cerrno>
#include <cstring>

#include "server/exit_code.h"

namespace server {

using base::Errc;

namespace {

constexpr const char* kUnits[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
constexpr std::uint64_t kUnitStep = 1'024;

std::string reason(const base::Error& error) {
  return error.sys_errno != 0 ? std::string(error.text) + ": " + std::strerror(error.sys_errno) : error.text;
}

int end(io::Stdio& stdio, int exit_code, const std::string& sentence) {
  say(stdio, sentence);
  return exit_code;
}

}  // namespace

void say(io::Stdio& stdio, const std::string& sentence) {
  (void)stdio.write(io::Stdio::Stream::Error, "tidewire: " + sentence + "\n");
}

int fail_usage(io::Stdio& stdio, const std::string& sentence) { return end(stdio, kExitUsage, sentence); }

int fail_to_read_log(io::Stdio& stdio, const base::Error& error, const std::string& directory) {
  switch (error.code) {
    case Errc::NotFound: return end(stdio, kExitInputOutput, "there is no directory " + directory);
    case Errc::Invalid:
      return end(stdio, kExitConfiguration,
                 directory + " holds no log of Tidewire: give the directory that `tidewire serve --data` names");
    case Errc::Conflict:
      return end(stdio, kExitConfiguration,
                 "another tidewire uses " + directory + ": stop it first; only `tidewire log backup` works beside it");
    case Errc::Unsupported:
      return end(stdio, kExitConfiguration,
                 directory + " was written by a newer version of Tidewire: use that version");
    case Errc::BadInput:
      return end(stdio, kExitFinding, "the log in " + directory + " cannot be read: " + reason(error));
    case Errc::Again:
      return end(stdio, kExitInputOutput, "the log in " + directory + " changes too fast to be read; try again");
    default: break;
  }
  if (error.sys_errno == ENOTDIR) return end(stdio, kExitConfiguration, directory + " is not a directory");
  return end(stdio, kExitInputOutput, "cannot read the log in " + directory + ": " + reason(error));
}

int fail_to_write_backup(io::Stdio& stdio, const base::Error& error, const std::string& target) {
  if (error.code == Errc::Conflict) {
    return end(stdio, kExitConfiguration, target + " is not empty: a backup goes into a new or an empty directory");
  }
  if (error.sys_errno == ENOTDIR) return end(stdio, kExitConfiguration, target + " is not a directory");
  return end(stdio, kExitInputOutput, "cannot write the backup to " + target + ": " + reason(error));
}

std::string events_text(storage::DamagedRange range) {
  if (range.first == range.last) return "event " + std::to_string(range.first);
  return "events " + std::to_string(range.first) + " to " + std::to_string(range.last) + " (" +
         std::to_string(range.last - range.first + 1) + ")";
}

std::string bytes_text(std::uint64_t bytes) {
  std::size_t unit = 0;
  std::uint64_t divisor = 1;
  while (bytes / divisor >= kUnitStep && unit + 1 < std::size(kUnits)) {
    divisor *= kUnitStep;
    ++unit;
  }
  std::string text = std::to_string(bytes / divisor);
  if (unit > 0) text += "." + std::to_string(bytes % divisor * 10 / divisor);
  return text + " " + kUnits[unit];
}

}  // namespace server
