// SPDX-License-Identifier: Apache-2.0
#pragma once
// A hashed timing wheel (Varghese and Lauck, 1987, scheme 6): setting and cancelling are O(1) and allocate nothing.
// A timer fires in the first tick at or after its deadline, so up to kTickNs late and never early.
//
// Thread: the loop that owns the wheel. A Timer cancels itself when it is destroyed and may be set, cancelled or
// destroyed from any timer's callback, its own included.
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/ring.h"

namespace io {

class TimerWheel;

class Timer : private base::RingLink {
 public:
  using Callback = void (*)(void* context);
  Timer(Callback callback, void* context) : callback_(callback), context_(context) {}
  ~Timer() { unlink(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void cancel() { unlink(); }
  bool is_set() const { return !alone(); }

 private:
  friend class TimerWheel;
  std::uint64_t deadline_ns_ = 0;
  Callback callback_ = nullptr;
  void* context_ = nullptr;
};

class TimerWheel {
 public:
  static constexpr std::uint64_t kTickNs = 4'000'000;
  static constexpr std::size_t kSlots = 4096;  // one turn of the wheel is 16 s; longer timers go round
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  explicit TimerWheel(std::uint64_t now_ns) : tick_(now_ns / kTickNs) {}
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  void set(Timer&, std::uint64_t deadline_ns);  // a timer that is set already is moved
  void advance(std::uint64_t now_ns);           // fires what is due, in order of ticks
  // A time at which advance() should be called: no later than the earliest deadline's tick; kNever if none is set.
  std::uint64_t next_ns() const;

 private:
  void fire_slot(std::size_t slot);

  std::array<base::RingLink, kSlots> slots_;
  std::array<std::uint64_t, kSlots / 64> occupied_ = {};  // a set bit may stand for a slot that was emptied since
  std::uint64_t tick_;                                    // every deadline at or before this tick has fired
};

}  // namespace io
