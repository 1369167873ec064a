// SPDX-License-Identifier: Apache-2.0
#pragma once
// Collects what one load finds, up to kFindingsMax; beyond it the count is kept, and errors still count as errors.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "contract/finding.h"
#include "contract/limits.h"

namespace contract {

class Findings final {
 public:
  void error(const Where&, std::string_view rule, std::string sentence);
  void warning(const Where&, std::string_view rule, std::string sentence);
  void note(const Where&, std::string_view rule, std::string sentence);

  bool has_errors() const { return errors_ > 0; }
  std::size_t errors() const { return errors_; }
  bool full() const { return findings_.size() >= kFindingsMax; }  // then costly suggestions are left out

  // In order of files as first named, then lines and columns; equal ones once. Leaves this empty.
  std::vector<Finding> take();

 private:
  void add(Finding);

  std::vector<Finding> findings_;
  std::size_t errors_ = 0;
  std::size_t left_out_ = 0;
};

}  // namespace contract
