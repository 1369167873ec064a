// SPDX-License-Identifier: Apache-2.0
#include "server/commands/log.h"
#include "server/commands/log_failure.h"
#include "server/exit_code.h"
#include "storage/log/tools/fork.h"

namespace server {

int run_log_fork(const std::string& directory, io::FileSystem& file_system, io::Stdio& stdio) {
  const auto forked = storage::fork_lane(file_system, directory);
  if (!forked && forked.error().code == base::Errc::BadInput) {
    say(stdio, directory + " is not a log of Tidewire (" + forked.error().text + ")");
    return kExitConfiguration;
  }
  if (!forked) return fail_to_read_log(stdio, forked.error(), directory);
  say(stdio, directory +
                 " is another history from now on: its next start keeps all events and begins a new epoch, so that "
                 "every cursor from before is answered with a reset (epoch-changed), never with other events");
  return kExitOk;
}

}  // namespace server
