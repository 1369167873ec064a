// SPDX-License-Identifier: Apache-2.0
#pragma once
// For tests: standard streams in memory. Input is given in pieces, so that a read may end within a line.
#include <algorithm>
#include <deque>
#include <string>

#include "io/stdio.h"

namespace server {

class TestTerminal final : public io::Stdio {
 public:
  base::Result<void> write(Stream stream, base::Bytes bytes) override {
    if (stream == Stream::Output && output_is_closed) return base::fail(base::Errc::Closed, "nobody reads");
    (stream == Stream::Output ? output : error) += bytes;
    return {};
  }
  base::Result<std::size_t> read_input(std::span<char> into) override {
    if (input.empty()) return std::size_t{0};
    const std::size_t size = std::min(into.size(), input.front().size());
    std::copy_n(input.front().data(), size, into.data());
    input.front().erase(0, size);
    if (input.front().empty()) input.pop_front();
    return size;
  }
  bool is_terminal(Stream stream) override { return stream == Stream::Error && error_is_terminal; }

  std::deque<std::string> input;
  std::string output;
  std::string error;
  bool error_is_terminal = false;
  bool output_is_closed = false;
};

}  // namespace server
