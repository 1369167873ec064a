// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a person at a terminal is told about a response or a failure. Pure; everything a server sent is made harmless
// first: no control character of it reaches the terminal.
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "protocols/http/codec/response_parser.h"

namespace protocols::http {

inline constexpr std::size_t kProblemFaultsShownMax = 10;

// Controls, the C1 ones included, become spaces.
std::string printable(std::string_view text);

// `Title (422): detail`, and a line `  pointer: detail` for each of the `errors` of a problem (RFC 9457); the status
// alone if the body is no problem.
std::string problem_sentence(const ResponseHead&, base::Bytes body);

// `cannot connect: Connection refused`.
std::string failure_sentence(const base::Error&);

}  // namespace protocols::http
