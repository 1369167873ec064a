// SPDX-License-Identifier: Apache-2.0
#include "io/stdio.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

namespace io {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr std::size_t kReadStepBytes = 64 * 1024;

int descriptor(Stdio::Stream stream) {
  switch (stream) {
    case Stdio::Stream::Input: return STDIN_FILENO;
    case Stdio::Stream::Output: return STDOUT_FILENO;
    case Stdio::Stream::Error: return STDERR_FILENO;
  }
  return STDERR_FILENO;
}

// A shell may hand over a stream that another program made non-blocking.
bool wait_after(int error, int stream, short events) {
  if (error == EINTR) return true;
  if (error != EAGAIN) return false;
  pollfd ready{stream, events, 0};
  ::poll(&ready, 1, -1);
  return true;
}

}  // namespace

Result<std::string> Stdio::read_all_input(std::size_t bytes_max) {
  std::string all;
  while (true) {
    const std::size_t before = all.size();
    all.resize(before + kReadStepBytes);
    const std::size_t got = TRY(read_input(std::span(all).subspan(before)));
    all.resize(before + got);
    if (all.size() > bytes_max) return fail(Errc::TooLarge, "standard input is larger than its limit");
    if (got == 0) return all;
  }
}

Result<void> RealStdio::write(Stream stream, base::Bytes bytes) {
  const int to = descriptor(stream);
  while (!bytes.empty()) {
    const ssize_t put = ::write(to, bytes.data(), bytes.size());
    if (put >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(put));
    } else if (!wait_after(errno, to, POLLOUT)) {
      return fail(errno == EPIPE ? Errc::Closed : Errc::System, "cannot write to a standard stream", errno);
    }
  }
  return {};
}

Result<std::size_t> RealStdio::read_input(std::span<char> into) {
  while (true) {
    const ssize_t got = ::read(STDIN_FILENO, into.data(), into.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (!wait_after(errno, STDIN_FILENO, POLLIN)) {
      return fail(Errc::System, "cannot read standard input", errno);
    }
  }
}

Handle RealStdio::input_handle() { return STDIN_FILENO; }

bool RealStdio::is_terminal(Stream stream) { return isatty(descriptor(stream)) == 1; }

}  // namespace io
