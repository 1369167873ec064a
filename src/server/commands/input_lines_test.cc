// SPDX-License-Identifier: Apache-2.0
#include "server/commands/input_lines.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "io/real_world.h"

namespace server {
namespace {

// Reads as the command does: whatever is there, and goes on when the callback comes.
class Reading {
 public:
  explicit Reading(std::size_t line_bytes_max = 1'000'000)
      : loop_(real_.world(), "test"), lines_(loop_, stdio_, line_bytes_max, [this] { take(); }) {}

  void take() {
    ++callbacks_;
    while (!lines_.ended()) {
      if (auto line = lines_.next()) {
        got.push_back(*line);
        continue;
      }
      if (lines_.ended()) break;
      const auto more = lines_.read_more();
      if (!more) {
        error = more.error().code;
        return loop_.stop();
      }
      if (*more == InputLines::More::Later) return;
    }
    loop_.stop();
  }
  void run() {
    take();
    loop_.run();
  }
  void turn() { loop_.turn(io::Loop::Wait::UntilReady); }
  int callbacks() const { return callbacks_; }

  std::vector<std::string> got;
  base::Errc error = base::Errc::Again;

 private:
  io::RealWorld real_;
  io::RealStdio stdio_;
  io::Loop loop_;
  InputLines lines_;
  int callbacks_ = 0;
};

class InputLinesTest : public testing::Test {
 protected:
  InputLinesTest() : saved_(dup(STDIN_FILENO)) {
    CHECK(pipe(ends_) == 0, "a test needs a pipe");
    dup2(ends_[0], STDIN_FILENO);
    close(ends_[0]);
  }
  ~InputLinesTest() override {
    hang_up();
    dup2(saved_, STDIN_FILENO);
    close(saved_);
  }
  void type(const std::string& text) {
    ASSERT_EQ(write(ends_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void hang_up() {
    if (ends_[1] >= 0) close(std::exchange(ends_[1], -1));
  }

 private:
  int saved_;
  int ends_[2] = {-1, -1};
};

using Lines = std::vector<std::string>;

TEST_F(InputLinesTest, a_line_is_there_as_soon_as_it_was_typed) {
  Reading reading;
  reading.take();
  EXPECT_EQ(reading.got, Lines{});
  type("one\ntw");
  reading.turn();
  EXPECT_EQ(reading.got, Lines{"one"});
  type("o\r\n\nthree");
  reading.turn();
  EXPECT_EQ(reading.got, (Lines{"one", "two", ""}));
  hang_up();
  reading.run();
  EXPECT_EQ(reading.got, (Lines{"one", "two", "", "three"}));
  EXPECT_LT(reading.callbacks(), 10) << "it does not spin";
}

TEST_F(InputLinesTest, a_line_has_a_limit) {
  Reading reading(100);
  type(std::string(300, 'x'));
  reading.run();
  EXPECT_EQ(reading.error, base::Errc::TooLarge);
}

TEST(InputLines, a_regular_file_is_read_to_its_end) {
  std::FILE* const file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += std::to_string(i) + "\n";
  std::fwrite(text.data(), 1, text.size(), file);
  std::fflush(file);
  ASSERT_EQ(std::fseek(file, 0, SEEK_SET), 0);
  const int saved = dup(STDIN_FILENO);
  dup2(fileno(file), STDIN_FILENO);
  Reading reading;
  reading.run();
  dup2(saved, STDIN_FILENO);
  close(saved);
  std::fclose(file);
  ASSERT_EQ(reading.got.size(), 50'000U);
  EXPECT_EQ(reading.got.back(), "49999");
}

}  // namespace
}  // namespace server
