// SPDX-License-Identifier: Apache-2.0
#pragma once
// The structured log: a message and named values, one line each; text for people, JSON lines for programs.
//
//   log.info("listening", {{"role", "public"}, {"url", url}});
//
// Thread: any, provided that `write_line` is. Nothing here knows a clock or a stream: both are handed in.
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace base {

enum class LogLevel : std::uint8_t { Debug, Info, Warning, Error };
enum class LogForm : std::uint8_t { Text, JsonLines };

struct LogField {
  std::string_view name;
  std::variant<std::string_view, std::int64_t, std::uint64_t, bool> value;
};

class Log final {
 public:
  using Fields = std::initializer_list<LogField>;
  using WriteLine = std::function<void(std::string_view line)>;  // with its line end
  using TimeText = std::function<void(std::string& out)>;        // appends the time of now, RFC 3339

  Log(LogForm form, LogLevel least, WriteLine write_line, TimeText time_text)
      : form_(form), least_(least), write_line_(std::move(write_line)), time_text_(std::move(time_text)) {}

  void debug(std::string_view message, Fields fields = {}) const { write(LogLevel::Debug, message, fields); }
  void info(std::string_view message, Fields fields = {}) const { write(LogLevel::Info, message, fields); }
  void warning(std::string_view message, Fields fields = {}) const { write(LogLevel::Warning, message, fields); }
  void error(std::string_view message, Fields fields = {}) const { write(LogLevel::Error, message, fields); }

 private:
  void write(LogLevel, std::string_view message, Fields) const;

  LogForm form_;
  LogLevel least_;
  WriteLine write_line_;
  TimeText time_text_;
};

}  // namespace base
