// SPDX-License-Identifier: Apache-2.0
#include "server/commands/input_lines.h"

#include <algorithm>
#include <span>
#include <utility>

namespace server {
namespace {

constexpr std::size_t kReadBytes = 64 << 10;

}  // namespace

InputLines::InputLines(io::Loop& loop, io::Stdio& stdio, std::size_t line_bytes_max, Callback on_more)
    : loop_(loop), stdio_(stdio), line_bytes_max_(line_bytes_max), on_more_(std::move(on_more)) {}

InputLines::~InputLines() {
  if (watching_) loop_.poller().unwatch(stdio_.input_handle());
}

std::optional<std::string> InputLines::next() {
  const std::size_t end = buffer_.find('\n', std::max(at_, searched_));
  if (end == std::string::npos && !(ended_ && at_ < buffer_.size())) {
    searched_ = buffer_.size();
    return std::nullopt;
  }
  std::string line = buffer_.substr(at_, end == std::string::npos ? end : end - at_);
  at_ = end == std::string::npos ? buffer_.size() : end + 1;
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

base::Result<InputLines::More> InputLines::read_more() {
  if (buffer_.size() - at_ > line_bytes_max_) {
    return base::fail(base::Errc::TooLarge, "a line of the input is larger than its limit");
  }
  // A regular file has no readiness, and reading one does not wait.
  const io::Handle handle = stdio_.input_handle();
  const bool waits = handle != io::kNoHandle && !std::exchange(readable_, false) &&
                     (watching_ || loop_.poller().watch_level(handle, *this).has_value());
  watching_ = waits;
  if (waits) return More::Later;
  TRY(read());
  return More::Now;
}

void InputLines::on_ready(io::Readiness) {
  loop_.poller().unwatch(stdio_.input_handle());
  watching_ = false;
  readable_ = true;
  on_more_();
}

base::Result<void> InputLines::read() {
  buffer_.erase(0, at_);
  at_ = 0;
  const std::size_t before = buffer_.size();
  searched_ = before;
  buffer_.resize(before + kReadBytes);
  const auto got = stdio_.read_input(std::span(buffer_).subspan(before));
  buffer_.resize(before + got.value_or(0));
  if (!got) return std::unexpected(got.error());
  ended_ = *got == 0;
  return {};
}

}  // namespace server
