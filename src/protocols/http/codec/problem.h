// SPDX-License-Identifier: Apache-2.0
#pragma once
// RFC 9457 problem documents: `{"type","title","status","detail", ...}`. Views must outlive the call only.
#include <string>
#include <string_view>

namespace protocols::http {

inline constexpr std::string_view kProblemMediaType = "application/problem+json";

struct Problem {
  int status = 500;
  std::string_view type = {};     // stable slug, `no-such-channel` -> `urn:tidewire:problem:no-such-channel`;
                                  // empty: about:blank, which says no more than the status (RFC 9457 section 4.2.1)
  std::string_view title = {};    // the same for every problem of the type; empty: the reason phrase of the status
  std::string_view detail = {};   // of this occurrence; empty: left out. What is not UTF-8 becomes U+FFFD
  std::string_view members = {};  // further members as JSON without braces: `"reason":"ahead","latest":"0..."`
};

std::string problem_document(const Problem&);

}  // namespace protocols::http
