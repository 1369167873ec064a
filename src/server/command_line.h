// SPDX-License-Identifier: Apache-2.0
#pragma once
// The words of the command line: what they mean, what --help says, and which command they start.
#include "io/stdio.h"

namespace server {

// Returns the exit code (exit_code.h).
int run_command_line(int argc, const char* const* argv, io::Stdio&);

}  // namespace server
