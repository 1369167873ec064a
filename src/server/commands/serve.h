// SPDX-License-Identifier: Apache-2.0
#pragma once
// `tidewire serve`: reads contracts and configuration, says what it will do, serves until a signal, drains.
#include "io/stdio.h"
#include "server/settings.h"

namespace server {

// Returns the exit code. Must be called on the program's first thread before any other is started.
int run_serve(const Settings&, io::Stdio&);

}  // namespace server
