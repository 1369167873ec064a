// SPDX-License-Identifier: Apache-2.0
#pragma once
// Counts what is on its way to the lane's loop, refuses what is too much, and can be closed: once drained() is true
// nothing that entered is still on its way, and nothing enters any more. So no caller is left without an answer.
//
// Thread: any; one word holds the count and the closed mark, so entering and closing cannot miss each other.
#include <atomic>
#include <cstdint>

namespace storage {

class Gate final {
 public:
  enum class Answer : std::uint8_t { Entered, Full, Closed };
  static constexpr std::uint64_t kUnbounded = ~std::uint64_t{0} >> 1;

  explicit Gate(std::uint64_t weight_max) : weight_max_(weight_max) {}

  // A weight is at least 1. Only what Entered leaves, with the same weight.
  Answer enter(std::uint64_t weight) {
    std::uint64_t word = word_.load(std::memory_order_relaxed);
    do {
      if ((word & kClosed) != 0) return Answer::Closed;
      if (weight > weight_max_ - word) return Answer::Full;
    } while (!word_.compare_exchange_weak(word, word + weight, std::memory_order_acq_rel, std::memory_order_relaxed));
    return Answer::Entered;
  }
  void leave(std::uint64_t weight) { word_.fetch_sub(weight, std::memory_order_acq_rel); }

  void close() { word_.fetch_or(kClosed, std::memory_order_acq_rel); }
  bool drained() const { return word_.load(std::memory_order_acquire) == kClosed; }

 private:
  static constexpr std::uint64_t kClosed = std::uint64_t{1} << 63;

  const std::uint64_t weight_max_;
  alignas(64) std::atomic<std::uint64_t> word_ = 0;  // every publishing loop writes it: a cache line of its own
};

}  // namespace storage
