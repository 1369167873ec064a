// SPDX-License-Identifier: Apache-2.0
#pragma once
// Times as RFC 3339 date-time, section 5.6. Pure functions, any thread; what time it is comes from the caller.
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace codec {

struct UnixTime {
  std::int64_t seconds = 0;      // since 1970-01-01T00:00:00Z, without leap seconds; negative before
  std::int32_t nanoseconds = 0;  // 0 to 999,999,999, always forward

  std::int64_t ms() const { return seconds * 1000 + nanoseconds / 1'000'000; }  // rounded down
  bool operator==(const UnixTime&) const = default;
};

// All of `text` is one date-time; "t" and "z" may be lower-case, a space does not replace "T". Digits behind the
// ninth of a fraction are dropped. A leap second (:60) may stand only at the end of a month in UTC and is read as the
// second that follows. Anything else is Errc::BadInput.
base::Result<UnixTime> parse_rfc3339(base::Bytes text);

// "2026-11-23T17:09:47.123Z": always 24 characters. A time outside of the years 0 to 9999 becomes the nearest end.
void append_rfc3339(std::string& out, std::int64_t unix_ms);

}  // namespace codec
