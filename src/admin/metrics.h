// SPDX-License-Identifier: Apache-2.0
#pragma once
// What each loop counted, as one Prometheus page. Counters belong to their loop; a snapshot of each comes by message.
#include <string>
#include <vector>

#include "engine/engine.h"
#include "net/connections.h"

namespace admin {

struct LoopSnapshot {
  std::string loop;
  net::TrafficCounters traffic;
  engine::EventCounters events;
  std::uint64_t connections = 0;
  std::uint64_t subscriptions = 0;
};

struct ProcessSnapshot {
  std::string version;
  std::uint64_t durable_sequence = 0;
  std::uint64_t channels = 0;
  storage::LaneCondition condition = storage::LaneCondition::Writable;
  storage::LogUsage log = {};
};

std::string metrics_page(const ProcessSnapshot&, const std::vector<LoopSnapshot>&);

}  // namespace admin
