// SPDX-License-Identifier: Apache-2.0
#pragma once
// The world of randomness: unpredictable in the real one, repeatable from a seed in the simulated one. Any thread.
#include <cstdint>
#include <span>

namespace io {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::uint8_t>) = 0;

  std::uint64_t u64() {
    std::uint8_t bytes[8];
    fill(bytes);
    std::uint64_t value = 0;
    for (const std::uint8_t byte : bytes) value = value << 8 | byte;
    return value;
  }
};

}  // namespace io
