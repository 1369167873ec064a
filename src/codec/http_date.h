// SPDX-License-Identifier: Apache-2.0
#pragma once
// IMF-fixdate, the preferred date of RFC 9110 section 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT". Pure functions, any
// thread. The two obsolete forms are not read: a date that is not understood counts as absent.
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace codec {

inline constexpr std::size_t kHttpDateChars = 29;

// A time outside of the years 0 to 9999 becomes the nearest end.
void append_http_date(std::string& out, std::int64_t unix_seconds);

// Exactly 29 characters, case-sensitive, the day of the week as the date says; else Errc::BadInput.
base::Result<std::int64_t> parse_http_date(base::Bytes text);

}  // namespace codec
