// SPDX-License-Identifier: Apache-2.0
#include "server/commands/log.h"
#include "server/commands/log_description.h"
#include "server/commands/log_failure.h"
#include "server/exit_code.h"

namespace server {

int run_log_info(const std::string& directory, LogForm form, io::FileSystem& file_system, io::Stdio& stdio) {
  const auto lane = storage::open_stopped_lane(file_system, directory);
  if (!lane) return fail_to_read_log(stdio, lane.error(), directory);
  const auto log = describe_log(*lane);
  if (!log) return fail_to_read_log(stdio, log.error(), directory);
  const std::string text = form == LogForm::Json ? to_json(*log, directory) : to_text(*log, directory);
  const auto written = stdio.write(io::Stdio::Stream::Output, text);
  return written || written.error().code == base::Errc::Closed ? kExitOk : kExitInputOutput;
}

}  // namespace server
