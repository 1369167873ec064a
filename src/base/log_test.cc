// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <gtest/gtest.h>

namespace base {
namespace {

std::string line_of(LogForm form, const std::function<void(const Log&)>& use) {
  std::string lines;
  const Log log(
      form, LogLevel::Info, [&](std::string_view line) { lines += line; },
      [](std::string& out) { out += "2026-01-01T00:00:00.000Z"; });
  use(log);
  return lines;
}

TEST(Log, text_lines_quote_only_what_needs_it) {
  EXPECT_EQ(line_of(LogForm::Text,
                    [](const Log& log) {
                      log.info("listening",
                               {{"url", "http://127.0.0.1:8080"}, {"why", "two words"}, {"n", std::uint64_t{7}}});
                    }),
            "2026-01-01T00:00:00.000Z info    listening url=http://127.0.0.1:8080 why=\"two words\" n=7\n");
}

TEST(Log, json_lines_escape_what_a_peer_sent) {
  EXPECT_EQ(
      line_of(LogForm::JsonLines,
              [](const Log& log) { log.error("bad", {{"text", "a\"b\n"}, {"ok", false}, {"n", std::int64_t{-1}}}); }),
      R"({"time":"2026-01-01T00:00:00.000Z","level":"error","message":"bad","text":"a\"b\u000a","ok":false,"n":-1})"
      "\n");
}

TEST(Log, a_text_line_is_one_line_whatever_a_peer_sent) {
  const std::string line = line_of(LogForm::Text, [](const Log& log) { log.info("x", {{"t", "a\r\n\x1b[31m"}}); });
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
}

TEST(Log, what_is_below_the_least_level_is_not_written) {
  EXPECT_EQ(line_of(LogForm::Text, [](const Log& log) { log.debug("x"); }), "");
}

}  // namespace
}  // namespace base
