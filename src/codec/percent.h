// SPDX-License-Identifier: Apache-2.0
#pragma once
// Percent-encoding, RFC 3986 section 2.1. Pure functions, any thread.
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace codec {

enum class PercentKeep : std::uint8_t {
  Unreserved,   // RFC 3986 section 2.3: safe as a path segment and as a query value
  Path,         // also "/", ":", "@" and the sub-delimiters of section 2.2: a path of several segments
  HeaderValue,  // CloudEvents HTTP binding 3.1.3.2: all of U+0021 to U+007E but '"' and '%'
};

void append_percent_encoded(std::string& out, base::Bytes, PercentKeep);

// "%41" becomes "A"; everything else, "+" too, stays. A "%" without two hexadecimal digits is Errc::BadInput, and
// `out` is as before. The result is octets: whoever needs text checks is_utf8.
base::Result<void> decode_percent(std::string& out, base::Bytes text);

}  // namespace codec
