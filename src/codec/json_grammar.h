// SPDX-License-Identifier: Apache-2.0
#pragma once
// RFC 8259, decided byte by byte: the judge of what the fast parser refuses. That one also refuses numbers beyond 64
// bits and some escapes, which are well-formed. Pure function, any thread; neither recursion nor allocation.
#include "base/bytes.h"
#include "base/result.h"

namespace codec::json {

inline constexpr unsigned kJsonDepthMax = 64;  // objects and arrays within each other, empty ones too

// Exactly one JSON text in strict UTF-8, white space around it, no byte order mark; else Errc::BadInput. Nested deeper
// than kJsonDepthMax: Errc::TooLarge.
base::Result<void> check_grammar(base::Bytes text);

}  // namespace codec::json
