// SPDX-License-Identifier: Apache-2.0
#pragma once
// The usage of a log, written by the lane's loop and read by whoever asks: relaxed atomics, since no number says
// anything about another one.
//
// Thread: set() on one thread; get() on any.
#include <atomic>

#include "storage/lane.h"

namespace storage {

class SharedUsage final {
 public:
  void set(const LogUsage& usage) {
    store(bytes_, usage.bytes);
    store(segments_, usage.segments);
    store(dead_bytes_, usage.dead_bytes);
    store(trimmed_by_age_, usage.trimmed_by_age);
    store(trimmed_by_bytes_, usage.trimmed_by_bytes);
    store(trimmed_by_total_, usage.trimmed_by_total);
  }
  LogUsage get() const {
    return {load(bytes_),          load(segments_),         load(dead_bytes_),
            load(trimmed_by_age_), load(trimmed_by_bytes_), load(trimmed_by_total_)};
  }

 private:
  using Number = std::atomic<std::uint64_t>;
  static void store(Number& number, std::uint64_t value) { number.store(value, std::memory_order_relaxed); }
  static std::uint64_t load(const Number& number) { return number.load(std::memory_order_relaxed); }

  Number bytes_ = 0;
  Number segments_ = 0;
  Number dead_bytes_ = 0;
  Number trimmed_by_age_ = 0;
  Number trimmed_by_bytes_ = 0;
  Number trimmed_by_total_ = 0;
};

}  // namespace storage
