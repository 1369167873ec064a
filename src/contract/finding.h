// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the reader of contracts has to say about one place in one file, and how it is shown to a person or a program.
//
// Lines and columns count from 1, columns in Unicode code points; 0 means the file as a whole. A finding points at the
// place a person must change, and its sentence says how. `rule` is a stable id like "asyncapi/version".
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace contract {

// A place in a file, as a person writes it.
struct Where {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;

  bool operator==(const Where&) const = default;
};

enum class Severity : std::uint8_t {
  Error,    // the contract is not served
  Warning,  // served, but probably not what was meant
  Note,     // served; worth knowing
};

std::string_view name(Severity);  // "error", "warning", "note"

struct Finding {
  Where where;
  Severity severity = Severity::Error;
  std::string rule;
  std::string sentence;

  bool operator==(const Finding&) const = default;
};

// `file:line:column: error: sentence [rule]`, without a line end; control characters as `\x1b`.
std::string to_text(const Finding&);

// One JSON object {"file","line","column","severity","rule","message"} without a line end.
std::string to_json(const Finding&);

// A JSON array of such objects, one a line; "[]" for none.
std::string to_json(const std::vector<Finding>&);

bool has_errors(const std::vector<Finding>&);

}  // namespace contract
