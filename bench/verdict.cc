// SPDX-License-Identifier: Apache-2.0
#include "verdict.h"

#include <algorithm>

namespace bench {

namespace {

constexpr double kNsPerMs = 1e6;

const char* fault_of(const std::vector<std::uint32_t>& numbers, std::uint32_t events, std::uint32_t burst,
                     Order order) {
  if (numbers.size() != events) return "a decoded stream misses or repeats events";
  std::vector<bool> seen(events + 1);
  std::vector<std::uint32_t> newest(burst);  // by connection
  for (std::uint32_t i = 0; i < events; ++i) {
    const std::uint32_t n = numbers[i];
    if (n == 0 || n > events || seen[n]) return "a decoded stream repeats an event or has one that was not published";
    seen[n] = true;
    std::uint32_t& before = newest[(n - 1) % burst];
    const bool in_place = order == Order::Exact ? n == i + 1 : n > before;
    before = n;
    if (!in_place) return "a decoded stream is out of order";
  }
  return nullptr;
}

}  // namespace

void judge_order(std::span<const Subscribers::Sample> samples, std::uint32_t events, std::uint32_t burst, Order order,
                 Faults& faults) {
  for (const auto& sample : samples) {
    const auto& numbers = sample.decoder.numbers();
    const char* fault = sample.decoder.fault();
    if (fault == nullptr) fault = fault_of(numbers, events, burst, order);
    if (fault == nullptr && numbers != samples.front().decoder.numbers()) fault = "two decoded streams disagree";
    if (fault == nullptr) continue;
    ++faults.disordered;
    if (faults.first.empty()) faults.first = fault;
  }
}

Latency latency(std::span<const Subscribers::Sample> samples, std::uint32_t first,
                std::span<const std::int64_t> sent_at_ns) {
  std::vector<double> all_ms;
  for (const auto& sample : samples) {
    const auto& numbers = sample.decoder.numbers();
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (numbers[i] < first || numbers[i] >= sent_at_ns.size()) continue;
      all_ms.push_back(static_cast<double>(sample.received_at_ns[i] - sent_at_ns[numbers[i]]) / kNsPerMs);
    }
  }
  if (all_ms.empty()) return {};
  std::sort(all_ms.begin(), all_ms.end());
  const std::size_t last = all_ms.size() - 1;
  return {all_ms[last / 2], all_ms[last * 99 / 100], all_ms[last]};
}

}  // namespace bench
