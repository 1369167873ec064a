// SPDX-License-Identifier: Apache-2.0
#include "server/commands/progress_line.h"

#include <utility>

#include "server/commands/log_failure.h"

namespace server {

namespace {

using Stream = io::Stdio::Stream;

constexpr std::uint64_t kPeriodNs = 200'000'000;  // between two of its states
constexpr const char* kClearLine = "\r\x1b[K";    // ECMA-48 section 8.3.41, erase in line

}  // namespace

ProgressLine::ProgressLine(std::string what, io::Clock& clock, io::Stdio& stdio)
    : what_(std::move(what)),
      clock_(clock),
      stdio_(stdio),
      is_terminal_(stdio.is_terminal(Stream::Error)),
      shown_ns_(clock.monotonic_ns()) {}

void ProgressLine::show(std::uint64_t bytes_done, std::uint64_t bytes_all) {
  if (!is_terminal_) return;
  const std::uint64_t now_ns = clock_.monotonic_ns();
  if (now_ns - shown_ns_ < kPeriodNs) return;
  shown_ns_ = now_ns;
  is_shown_ = true;
  const std::uint64_t percent = bytes_all == 0 ? 100 : bytes_done * 100 / bytes_all;
  (void)stdio_.write(Stream::Error,
                     kClearLine + what_ + ": " + std::to_string(percent) + " % of " + bytes_text(bytes_all));
}

void ProgressLine::clear() {
  if (std::exchange(is_shown_, false)) (void)stdio_.write(Stream::Error, kClearLine);
}

}  // namespace server
