// SPDX-License-Identifier: Apache-2.0
#pragma once
// Standard input, line by line, without keeping the loop from its other work: a line is there as soon as it was typed.
//
// Thread: the loop. A line ends with LF or CRLF; what follows the last one is a line too.
#include <functional>
#include <optional>
#include <string>

#include "io/loop.h"
#include "io/stdio.h"

namespace server {

class InputLines final : private io::Watcher {
 public:
  using Callback = std::function<void()>;
  InputLines(io::Loop&, io::Stdio&, std::size_t line_bytes_max, Callback on_more);
  ~InputLines();
  InputLines(const InputLines&) = delete;
  InputLines& operator=(const InputLines&) = delete;

  enum class More : std::uint8_t { Now, Later };

  // The next line that has arrived.
  std::optional<std::string> next();
  bool ended() const { return ended_ && at_ == buffer_.size(); }
  // Reads on, if next() had nothing and the input has not ended. Now: next() may have a line. Later: the callback
  // comes. Errc::TooLarge for a line beyond its limit; System if the input cannot be read.
  base::Result<More> read_more();

 private:
  void on_ready(io::Readiness) override;
  base::Result<void> read();

  io::Loop& loop_;
  io::Stdio& stdio_;
  std::size_t line_bytes_max_;
  Callback on_more_;
  std::string buffer_;
  std::size_t at_ = 0;        // of the first byte that next() has not given
  std::size_t searched_ = 0;  // there is no line end before it
  bool watching_ = false;
  bool readable_ = false;  // the callback came for what can be read now
  bool ended_ = false;
};

}  // namespace server
