// SPDX-License-Identifier: Apache-2.0
#pragma once
// Opens a file below a directory without ever leaving it and without following a link, however the tree changes
// meanwhile. The directory itself may be reached through links; what is below it may not.
//
// Errc::NotFound: no such file, not a regular file, or a path that would leave. Errc::System otherwise. Any thread.
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace io {

// Relative, of plain components: no "..", ".", empty component or NUL.
bool stays_beneath(base::Bytes path);

// A descriptor to read from. Uses openat2(2), and open_by_components where the system does not have it.
base::Result<int> open_beneath(const std::string& root, const std::string& path);

// One openat(2) with O_NOFOLLOW for each component.
base::Result<int> open_by_components(int root, const std::string& path);

}  // namespace io
