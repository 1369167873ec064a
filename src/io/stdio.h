// SPDX-License-Identifier: Apache-2.0
#pragma once
// The standard streams, for command-line programs. Calls wait until they are done, so a loop that serves others does
// not use them.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "io/network.h"

namespace io {

class Stdio {
 public:
  enum class Stream : std::uint8_t { Input, Output, Error };

  virtual ~Stdio() = default;
  // All of it, unbuffered. Errc::Closed: nobody reads there any more.
  virtual base::Result<void> write(Stream, base::Bytes) = 0;
  virtual base::Result<std::size_t> read_input(std::span<char> into) = 0;  // 0: the end
  virtual bool is_terminal(Stream) = 0;
  // For Poller::watch_level by a command with a loop; kNoHandle: reading never waits. A regular file cannot be watched.
  virtual Handle input_handle() { return kNoHandle; }

  // Standard input to its end; Errc::TooLarge over `bytes_max`.
  base::Result<std::string> read_all_input(std::size_t bytes_max);
};

class RealStdio final : public Stdio {
 public:
  base::Result<void> write(Stream, base::Bytes) override;
  base::Result<std::size_t> read_input(std::span<char> into) override;
  bool is_terminal(Stream) override;
  Handle input_handle() override;
};

}  // namespace io
