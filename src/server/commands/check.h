// SPDX-License-Identifier: Apache-2.0
#pragma once
// `tidewire check`: reads contracts as `serve` would and prints every finding.
#include "io/files.h"
#include "io/stdio.h"
#include "server/settings.h"

namespace server {

enum class FindingForm : std::uint8_t { Text, Json };

// Returns the exit code: 0, 1 for an error among the findings, 74 if a file could not be read.
int run_check(const Settings&, FindingForm, io::FileSystem&, io::Stdio&);

}  // namespace server
