// SPDX-License-Identifier: Apache-2.0
#include "io/timers.h"

#include <algorithm>
#include <bit>

namespace io {

TimerWheel::~TimerWheel() {
  for (base::RingLink& head : slots_)
    while (!head.alone()) head.next->unlink();
}

void TimerWheel::set(Timer& timer, std::uint64_t deadline_ns) {
  timer.cancel();
  // Rounded up, and never into a tick that has passed: early would break a promise, late is within it.
  const std::uint64_t due = std::max((deadline_ns + kTickNs - 1) / kTickNs, tick_ + 1);
  const std::size_t slot = due % kSlots;
  timer.deadline_ns_ = due * kTickNs;
  slots_[slot].push_back(timer);
  occupied_[slot / 64] |= std::uint64_t{1} << slot % 64;
}

void TimerWheel::advance(std::uint64_t now_ns) {
  const std::uint64_t target = now_ns / kTickNs;
  while (tick_ < target) {
    // Straight to the next slot with anything in it, so that a long pause costs little and still fires in order.
    tick_ = std::min(target, next_ns() / kTickNs);
    const std::size_t slot = tick_ % kSlots;
    if (occupied_[slot / 64] >> slot % 64 & 1) fire_slot(slot);
  }
}

void TimerWheel::fire_slot(std::size_t slot) {
  base::RingLink& head = slots_[slot];
  // What is due moves to a ring of its own first: a callback may set timers into this very slot.
  base::RingLink due;
  for (base::RingLink* link = head.next; link != &head;) {
    base::RingLink* next = link->next;
    if (static_cast<Timer*>(link)->deadline_ns_ <= tick_ * kTickNs) {
      link->unlink();
      due.push_back(*link);
    }
    link = next;
  }
  if (head.alone()) occupied_[slot / 64] &= ~(std::uint64_t{1} << slot % 64);
  while (!due.alone()) {
    Timer* timer = static_cast<Timer*>(due.next);
    timer->unlink();
    timer->callback_(timer->context_);
  }
}

std::uint64_t TimerWheel::next_ns() const {
  const std::size_t first = (tick_ + 1) % kSlots;
  for (std::size_t step = 0; step < kSlots;) {
    const std::size_t slot = (first + step) % kSlots;
    const std::uint64_t word = occupied_[slot / 64] >> slot % 64;
    if (word != 0) {
      const std::size_t found = step + static_cast<std::size_t>(std::countr_zero(word));
      return (tick_ + 1 + found) * kTickNs;
    }
    step += 64 - slot % 64;
  }
  return kNever;
}

}  // namespace io
