// SPDX-License-Identifier: Apache-2.0
#pragma once
// The first of the five worlds: time. Any thread.
#include <cstdint>

namespace io {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::uint64_t monotonic_ns() = 0;  // never goes back; only differences mean anything
  virtual std::int64_t wall_ms() = 0;        // Unix time; may step either way
};

}  // namespace io
