// SPDX-License-Identifier: Apache-2.0
#include "codec/rfc3339.h"
#include "server/commands/log.h"
#include "server/commands/log_failure.h"
#include "server/commands/progress_line.h"
#include "server/exit_code.h"
#include "storage/log/tools/backup.h"

namespace server {

namespace {

// Whether anything is missing from the copy, printed.
bool has_findings(const storage::Backup& backup, const std::string& directory, io::Stdio& stdio) {
  for (const storage::DamagedRange& range : backup.damage) {
    say(stdio, events_text(range) + " are damaged in " + directory + ", and so in the backup");
  }
  for (const std::string& name : backup.left_out) say(stdio, name + " cannot be read and was left out");
  if (backup.unreadable_bytes > 0) {
    say(stdio, std::to_string(backup.unreadable_bytes) + " bytes cannot be read and are zeros in the backup");
  }
  return !backup.damage.empty() || !backup.left_out.empty() || backup.unreadable_bytes > 0;
}

}  // namespace

int run_log_backup(const std::string& directory, const std::string& target, io::World world, io::Stdio& stdio) {
  ProgressLine progress("copying", world.clock, stdio);
  storage::BackupSide failed{};
  const auto backup = storage::back_up(
      world.file_system, directory, target, [&](std::uint64_t done, std::uint64_t all) { progress.show(done, all); },
      failed);
  progress.clear();
  if (!backup) {
    return failed == storage::BackupSide::Source ? fail_to_read_log(stdio, backup.error(), directory)
                                                 : fail_to_write_backup(stdio, backup.error(), target);
  }
  const bool has_found = has_findings(*backup, directory, stdio);
  std::string time;
  codec::append_rfc3339(time, backup->last.wall_ms);
  say(stdio, "copied " + std::to_string(backup->segments) + " segment(s), " + bytes_text(backup->bytes) +
                 ", up to event " + std::to_string(backup->end) + " (commit " + std::to_string(backup->last.number) +
                 ", " + time + ") to " + target + "; its first start begins a new epoch");
  return has_found ? kExitFinding : kExitOk;
}

}  // namespace server
