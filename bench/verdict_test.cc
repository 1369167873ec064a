// SPDX-License-Identifier: Apache-2.0
#include "verdict.h"

#include <gtest/gtest.h>

namespace bench {
namespace {

using Numbers = std::vector<std::uint32_t>;

Subscribers::Sample sample(const Numbers& numbers) {
  Subscribers::Sample sample{0, StreamDecoder(StreamDecoder::Coding::Identity), {}};
  for (const std::uint32_t n : numbers) sample.decoder.feed("data: {\"n\":" + std::to_string(n) + "}\n\n");
  sample.received_at_ns.assign(numbers.size(), 0);
  return sample;
}

std::size_t disordered(const std::vector<Numbers>& streams, std::uint32_t events, std::uint32_t burst, Order order) {
  std::vector<Subscribers::Sample> samples;
  for (const Numbers& numbers : streams) samples.push_back(sample(numbers));
  Faults faults;
  judge_order(samples, events, burst, order, faults);
  return faults.disordered;
}

TEST(Verdict, accepts_every_event_once_and_in_order) {
  EXPECT_EQ(disordered({{1, 2, 3}, {1, 2, 3}}, 3, 1, Order::Exact), 0u);
}

TEST(Verdict, finds_a_missing_a_repeated_and_a_swapped_event) {
  EXPECT_EQ(disordered({{1, 2}}, 3, 1, Order::Exact), 1u);
  EXPECT_EQ(disordered({{1, 2, 2}}, 3, 1, Order::Exact), 1u);
  EXPECT_EQ(disordered({{1, 3, 2}}, 3, 1, Order::Exact), 1u);
  EXPECT_EQ(disordered({{1, 2, 4}}, 3, 1, Order::Exact), 1u);
}

TEST(Verdict, accepts_another_order_between_connections_only_if_all_streams_agree) {
  EXPECT_EQ(disordered({{2, 1, 3, 4}, {2, 1, 3, 4}}, 4, 2, Order::PerConnection), 0u);
  EXPECT_EQ(disordered({{2, 1, 3, 4}, {1, 2, 3, 4}}, 4, 2, Order::PerConnection), 1u);
  EXPECT_EQ(disordered({{3, 1, 2, 4}}, 4, 2, Order::PerConnection), 1u);
}

TEST(Verdict, latency_leaves_the_warm_up_out) {
  std::vector<Subscribers::Sample> samples = {sample({1, 2, 3})};
  samples[0].received_at_ns = {900'000'000, 3'000'000, 5'000'000};
  const std::vector<std::int64_t> sent_at_ns = {0, 0, 1'000'000, 1'000'000};
  const Latency found = latency(samples, 2, sent_at_ns);
  EXPECT_DOUBLE_EQ(found.p50_ms, 2.0);
  EXPECT_DOUBLE_EQ(found.max_ms, 4.0);
}

}  // namespace
}  // namespace bench
