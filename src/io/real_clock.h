// SPDX-License-Identifier: Apache-2.0
#pragma once
// CLOCK_MONOTONIC and CLOCK_REALTIME. Any thread.
#include "io/clock.h"

namespace io {

class RealClock final : public Clock {
 public:
  std::uint64_t monotonic_ns() override;
  std::int64_t wall_ms() override;
};

}  // namespace io
