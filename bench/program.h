// SPDX-License-Identifier: Apache-2.0
#pragma once
// How a measuring program ends.
#include <string_view>

#include "base/result.h"

namespace bench {

// Says on stderr, behind the program's name, what went wrong. The exit code of that: 64 (EX_USAGE) for Errc::BadInput,
// 70 (EX_SOFTWARE) otherwise.
int report(std::string_view program, const base::Error&);

}  // namespace bench
