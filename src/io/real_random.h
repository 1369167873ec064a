// SPDX-License-Identifier: Apache-2.0
#pragma once
// getrandom(2): unpredictable bytes, unbuffered, so that no copy of them stays in memory or survives a fork. Any
// thread.
#include "io/random.h"

namespace io {

class RealRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t>) override;
};

}  // namespace io
