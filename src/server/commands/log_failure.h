// SPDX-License-Identifier: Apache-2.0
#pragma once
// Why `tidewire log` cannot do its work: a sentence for the person who asked for it, and how the program ends.
#include <string>

#include "base/result.h"
#include "io/stdio.h"
#include "storage/log/lane_state.h"

namespace server {

// Each prints its sentence; the result is the exit code.
int fail_to_read_log(io::Stdio&, const base::Error&, const std::string& directory);
int fail_to_write_backup(io::Stdio&, const base::Error&, const std::string& target);
int fail_usage(io::Stdio&, const std::string& sentence);

void say(io::Stdio&, const std::string& sentence);
std::string events_text(storage::DamagedRange);  // "event 7", "events 7 to 9 (3)"
std::string bytes_text(std::uint64_t bytes);     // "1.5 MiB"

}  // namespace server
