// SPDX-License-Identifier: Apache-2.0
#pragma once
// Writes metrics in the Prometheus text exposition format, version 0.0.4. Counters live with the thread that counts;
// whoever answers /metrics collects them and writes them here. Any thread; borrows the string.
//
//   text.family("tidewire_connections_open", "Connections that are open.", Prometheus::Kind::Gauge);
//   text.sample({{"loop", "0"}}, 17);
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace base {

class Prometheus final {
 public:
  enum class Kind : std::uint8_t { Counter, Gauge };
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  explicit Prometheus(std::string& out) : out_(out) {}

  // Begins a family: all its samples follow before the next one. `help` is one line.
  void family(std::string_view name, std::string_view help, Kind);
  void sample(Labels, std::uint64_t value);
  void sample(std::uint64_t value) { sample({}, value); }

 private:
  std::string& out_;
  std::string name_;
};

}  // namespace base
