// SPDX-License-Identifier: Apache-2.0
#include "contract/finding.h"

#include <fmt/format.h>

#include <algorithm>

namespace contract {
namespace {

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(byte));
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace

std::string_view name(Severity severity) {
  switch (severity) {
    case Severity::Error: return "error";
    case Severity::Warning: return "warning";
    case Severity::Note: return "note";
  }
  return "error";
}

std::string to_text(const Finding& finding) {
  const Where& at = finding.where;
  std::string place = at.file;
  if (at.line > 0) place += fmt::format(":{}:{}", at.line, at.column);
  const std::string line =
      fmt::format("{}: {}: {} [{}]", place, name(finding.severity), finding.sentence, finding.rule);
  // A document must not be able to write to the terminal, or a line of its own.
  std::string out;
  for (const char c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(byte));
    } else {
      out += c;
    }
  }
  return out;
}

std::string to_json(const Finding& finding) {
  std::string out = "{\"file\":";
  append_quoted(out, finding.where.file);
  out += fmt::format(",\"line\":{},\"column\":{},\"severity\":\"{}\",\"rule\":", finding.where.line,
                     finding.where.column, name(finding.severity));
  append_quoted(out, finding.rule);
  out += ",\"message\":";
  append_quoted(out, finding.sentence);
  out += '}';
  return out;
}

std::string to_json(const std::vector<Finding>& findings) {
  if (findings.empty()) return "[]";
  std::string out = "[\n";
  for (const Finding& finding : findings) {
    out += to_json(finding);
    out += &finding == &findings.back() ? "\n" : ",\n";
  }
  return out + "]";
}

bool has_errors(const std::vector<Finding>& findings) {
  return std::any_of(findings.begin(), findings.end(),
                     [](const Finding& finding) { return finding.severity == Severity::Error; });
}

}  // namespace contract
