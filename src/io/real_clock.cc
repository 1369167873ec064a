// SPDX-License-Identifier: Apache-2.0
#include "io/real_clock.h"

#include <time.h>

namespace io {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::int64_t kNsPerMs = 1'000'000;

std::int64_t read_ns(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return now.tv_sec * kNsPerSecond + now.tv_nsec;
}

}  // namespace

std::uint64_t RealClock::monotonic_ns() { return static_cast<std::uint64_t>(read_ns(CLOCK_MONOTONIC)); }

std::int64_t RealClock::wall_ms() { return read_ns(CLOCK_REALTIME) / kNsPerMs; }

}  // namespace io
