// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a fan-out run is judged by: did every subscriber get every event once and in order, and how late.
//
// Order: where the i-th event of every burst comes over connection i, no order between connections is promised. Then
// all decoded subscribers must agree on one order, in which the events of each connection are as published. Otherwise
// the order is that of publishing.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "subscribers.h"

namespace bench {

struct Latency {
  double p50_ms = 0;
  double p99_ms = 0;
  double max_ms = 0;
};

struct Faults {
  std::size_t short_subscribers = 0;  // received another number of events than were published
  std::size_t disordered = 0;         // decoded streams that miss, repeat or reorder an event
  std::size_t closed = 0;             // streams that the server ended
  std::uint32_t refused = 0;          // publishes that were not answered 2xx
  std::uint32_t unanswered = 0;
  std::string first;  // what was seen first, for a human

  bool none() const {
    return short_subscribers == 0 && disordered == 0 && closed == 0 && refused == 0 && unanswered == 0;
  }
};

// `events` were published in bursts of `burst`.
enum class Order : unsigned char { Exact, PerConnection };
void judge_order(std::span<const Subscribers::Sample>, std::uint32_t events, std::uint32_t burst, Order, Faults&);

// Of events numbered from `first` on; sent_at_ns[n] belongs to event n.
Latency latency(std::span<const Subscribers::Sample>, std::uint32_t first, std::span<const std::int64_t> sent_at_ns);

}  // namespace bench
