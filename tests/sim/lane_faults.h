// SPDX-License-Identifier: Apache-2.0
#pragma once
// Single failures of file operations, that can be taken back when nothing has come to them. One thread.
#include <cstdint>
#include <optional>
#include <vector>

#include "tests/support/sim_files.h"

namespace lane_sim {

class LaneFaults final {
 public:
  using Kind = sim::SimFiles::Kind;
  explicit LaneFaults(sim::SimFiles& files) : files_(files) {}

  void fail_call(std::uint64_t call, int error_number) {
    files_.fail_call(call, error_of(error_number));
    armed_.push_back({std::nullopt, files_.calls() + call});
  }
  // ReadAt, WriteAt, Sync or Allocate.
  void fail_kind(Kind kind, std::uint64_t call, int error_number) {
    files_.fail_kind(kind, call, error_of(error_number));
    armed_.push_back({kind, files_.calls(kind) + call});
  }

  bool is_armed() const {
    for (const Armed& armed : armed_) {
      if (calls(armed) < armed.call) return true;
    }
    return false;
  }
  // The power must be on. What was waited for happens to operations of no consequence.
  void disarm() {
    for (const Armed& armed : armed_) {
      io::FileRequest request{.kind = armed.kind.value_or(Kind::ReadAt)};
      while (calls(armed) < armed.call) (void)files_.carry_out(request);
    }
    armed_.clear();
  }

 private:
  struct Armed {
    std::optional<Kind> kind;  // any
    std::uint64_t call;
  };
  std::uint64_t calls(const Armed& armed) const { return armed.kind ? files_.calls(*armed.kind) : files_.calls(); }
  static base::Error error_of(int error_number) {
    return {base::Errc::System, "a failure made by the test", error_number};
  }

  sim::SimFiles& files_;
  std::vector<Armed> armed_;
};

}  // namespace lane_sim
