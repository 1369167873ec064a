// SPDX-License-Identifier: Apache-2.0
#pragma once
// One line at a terminal that says how far long work has come, and goes when it is done. Elsewhere, nothing.
//
// Belongs to one thread. Nothing else may write to the terminal while the line stands there.
#include <cstdint>
#include <string>

#include "io/clock.h"
#include "io/stdio.h"

namespace server {

class ProgressLine final {
 public:
  ProgressLine(std::string what, io::Clock&, io::Stdio&);
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(std::uint64_t bytes_done, std::uint64_t bytes_all);  // some times a second, however often it is called
  void clear();

 private:
  const std::string what_;
  io::Clock& clock_;
  io::Stdio& stdio_;
  const bool is_terminal_;
  std::uint64_t shown_ns_;  // work that is done within the first period shows nothing
  bool is_shown_ = false;
};

}  // namespace server
