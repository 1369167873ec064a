// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <fmt/format.h>

#include <iterator>

namespace base {

namespace {

std::string_view name(LogLevel level) {
  switch (level) {
    case LogLevel::Debug: return "debug";
    case LogLevel::Info: return "info";
    case LogLevel::Warning: return "warning";
    case LogLevel::Error: return "error";
  }
  return "unknown";
}

// What is not printable is escaped in both forms, so that a peer's text can neither end a line nor steer a terminal.
void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
  out += '"';
}

bool is_plain(std::string_view text) {
  return !text.empty() && text.find_first_of(" \"\\=") == std::string_view::npos &&
         text.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/[]@,+*{}()<>#?&%!;'|~^$") ==
             std::string_view::npos;
}

struct AppendValue {
  std::string& out;
  LogForm form;

  void operator()(std::string_view text) const {
    if (form == LogForm::Text && is_plain(text)) {
      out += text;
    } else {
      append_quoted(out, text);
    }
  }
  void operator()(bool value) const { out += value ? "true" : "false"; }
  void operator()(std::int64_t value) const { fmt::format_to(std::back_inserter(out), "{}", value); }
  void operator()(std::uint64_t value) const { fmt::format_to(std::back_inserter(out), "{}", value); }
};

}  // namespace

void Log::write(LogLevel level, std::string_view message, Fields fields) const {
  if (level < least_) return;
  std::string line;
  const AppendValue append{line, form_};
  if (form_ == LogForm::JsonLines) {
    line += "{\"time\":\"";
    time_text_(line);
    line.append("\",\"level\":\"").append(name(level)).append("\",\"message\":");
    append_quoted(line, message);
    for (const LogField& field : fields) {
      line += ',';
      append_quoted(line, field.name);
      line += ':';
      std::visit(append, field.value);
    }
    line += "}\n";
  } else {
    time_text_(line);
    fmt::format_to(std::back_inserter(line), " {:<7} {}", name(level), message);
    for (const LogField& field : fields) {
      line.append(" ").append(field.name).append("=");
      std::visit(append, field.value);
    }
    line += '\n';
  }
  write_line_(line);
}

}  // namespace base
