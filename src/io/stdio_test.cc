// SPDX-License-Identifier: Apache-2.0
#include "io/stdio.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <thread>

namespace io {
namespace {

// Puts one end of a pipe in the place of a standard stream for the time of a test.
class Redirected {
 public:
  explicit Redirected(int stream) : stream_(stream), saved_(dup(stream)) {
    CHECK(pipe2(ends_, O_CLOEXEC) == 0, "a test needs a pipe");
    dup2(ends_[stream == STDIN_FILENO ? 0 : 1], stream);
    close(ends_[stream == STDIN_FILENO ? 0 : 1]);
  }
  ~Redirected() {
    restore();
    close(saved_);
  }
  int far_end() const { return ends_[stream_ == STDIN_FILENO ? 1 : 0]; }
  void restore() { dup2(saved_, stream_); }

 private:
  int stream_;
  int saved_;
  int ends_[2] = {-1, -1};
};

TEST(RealStdio, reads_all_of_standard_input_up_to_a_bound) {
  RealStdio stdio;
  const std::string text(200'000, 'i');
  for (const std::size_t bound : {text.size(), text.size() - 1}) {
    Redirected input(STDIN_FILENO);
    EXPECT_FALSE(stdio.is_terminal(Stdio::Stream::Input));
    std::jthread feeder([&, end = input.far_end()] {
      base::Bytes rest = text;
      while (!rest.empty())
        rest.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(0, write(end, rest.data(), rest.size()))));
      close(end);
    });
    const auto all = stdio.read_all_input(bound);
    if (bound == text.size()) {
      EXPECT_EQ(all.value(), text);
    } else {
      EXPECT_EQ(all.error().code, base::Errc::TooLarge);
    }
  }
}

TEST(RealStdio, writes_all_of_it_even_to_a_slow_and_non_blocking_reader) {
  RealStdio stdio;
  const std::string text(1'000'000, 'o');
  std::string received;
  Redirected output(STDOUT_FILENO);
  fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK);
  std::jthread reader([&, end = output.far_end()] {
    std::string step(3'000, '\0');
    while (received.size() < text.size()) {
      const ssize_t got = read(end, step.data(), step.size());
      if (got <= 0) break;
      received.append(step, 0, static_cast<std::size_t>(got));
    }
    close(end);
  });
  const auto written = stdio.write(Stdio::Stream::Output, text);
  reader.join();
  output.restore();
  EXPECT_TRUE(written);
  EXPECT_EQ(received, text);
}

TEST(RealStdio, a_reader_that_is_gone_is_closed) {
  RealStdio stdio;
  const auto before = signal(SIGPIPE, SIG_IGN);
  Redirected output(STDOUT_FILENO);
  close(output.far_end());
  const auto written = stdio.write(Stdio::Stream::Output, "text");
  output.restore();
  signal(SIGPIPE, before);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, base::Errc::Closed);
}

}  // namespace
}  // namespace io
