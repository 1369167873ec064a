// SPDX-License-Identifier: Apache-2.0
#include "admin/metrics.h"

#include <array>

#include "base/prometheus.h"

namespace admin {

namespace {

using Kind = base::Prometheus::Kind;

struct LoopMetric {
  std::string_view name;
  std::string_view help;
  Kind kind;
  std::uint64_t (*value)(const LoopSnapshot&);
};

constexpr std::array kLoopMetrics = {
    LoopMetric{"tidewire_connections_open", "Connections that are open.", Kind::Gauge,
               [](const LoopSnapshot& s) { return s.connections; }},
    LoopMetric{"tidewire_connections_accepted_total", "Connections accepted.", Kind::Counter,
               [](const LoopSnapshot& s) { return s.traffic.accepted; }},
    LoopMetric{"tidewire_accept_pauses_total", "Times that accepting paused for want of descriptors or memory.",
               Kind::Counter, [](const LoopSnapshot& s) { return s.traffic.accept_refusals; }},
    LoopMetric{"tidewire_received_bytes_total", "Bytes read from sockets.", Kind::Counter,
               [](const LoopSnapshot& s) { return s.traffic.received_bytes; }},
    LoopMetric{"tidewire_sent_bytes_total", "Bytes written to sockets.", Kind::Counter,
               [](const LoopSnapshot& s) { return s.traffic.sent_bytes; }},
    LoopMetric{"tidewire_socket_writes_total", "Calls that wrote to a socket.", Kind::Counter,
               [](const LoopSnapshot& s) { return s.traffic.writes; }},
    LoopMetric{"tidewire_subscriptions", "Subscriptions that are open.", Kind::Gauge,
               [](const LoopSnapshot& s) { return s.subscriptions; }},
    LoopMetric{"tidewire_events_published_total", "Events acknowledged as new.", Kind::Counter,
               [](const LoopSnapshot& s) { return s.events.published; }},
    LoopMetric{"tidewire_events_repeated_total", "Publishes recognised as repeats.", Kind::Counter,
               [](const LoopSnapshot& s) { return s.events.repeated; }},
    LoopMetric{"tidewire_events_refused_total", "Publishes that the log did not take.", Kind::Counter,
               [](const LoopSnapshot& s) { return s.events.refused; }},
    LoopMetric{"tidewire_events_delivered_total", "Events handed to subscriptions.", Kind::Counter,
               [](const LoopSnapshot& s) { return s.events.delivered; }},
    LoopMetric{"tidewire_ephemeral_events_dropped_total", "Ephemeral events for subscribers or loops without room.",
               Kind::Counter, [](const LoopSnapshot& s) { return s.events.ephemeral_dropped; }},
    LoopMetric{"tidewire_tail_lost_total", "Commits that a loop was too busy to be shown.", Kind::Counter,
               [](const LoopSnapshot& s) { return s.events.tail_lost; }},
    LoopMetric{"tidewire_lane_reads_total", "Reads of the log by subscriptions and pages.", Kind::Counter,
               [](const LoopSnapshot& s) { return s.events.cold_reads; }},
};

// Zeros of a lane without a directory.
struct LogMetric {
  std::string_view name;
  std::string_view help;
  std::uint64_t storage::LogUsage::* value;
};

constexpr std::array kLogMetrics = {
    LogMetric{"tidewire_log_bytes", "Bytes of all segments of the log.", &storage::LogUsage::bytes},
    LogMetric{"tidewire_log_segments", "Segments of the log.", &storage::LogUsage::segments},
    LogMetric{"tidewire_log_bytes_dead_but_held", "Bytes of trimmed events that still take space.",
              &storage::LogUsage::dead_bytes},
};

struct ConditionName {
  storage::LaneCondition condition;
  std::string_view name;
};

constexpr std::array kConditionNames = {
    ConditionName{storage::LaneCondition::Writable, "writable"},
    ConditionName{storage::LaneCondition::Full, "full"},
    ConditionName{storage::LaneCondition::ReadOnly, "read-only"},
};

void write_log(base::Prometheus& text, const storage::LogUsage& log) {
  for (const LogMetric& metric : kLogMetrics) {
    text.family(metric.name, metric.help, Kind::Gauge);
    text.sample(log.*metric.value);
  }
  text.family("tidewire_events_trimmed_total",
              "Events that retention took: by age or bytes of their channel, or by those of all (storage.bytes_max).",
              Kind::Counter);
  text.sample({{"reason", "age"}}, log.trimmed_by_age);
  text.sample({{"reason", "bytes"}}, log.trimmed_by_bytes);
  text.sample({{"reason", "total"}}, log.trimmed_by_total);
}

}  // namespace

std::string metrics_page(const ProcessSnapshot& process, const std::vector<LoopSnapshot>& loops) {
  std::string out;
  base::Prometheus text(out);
  text.family("tidewire_build", "The version that runs.", Kind::Gauge);
  text.sample({{"version", process.version}}, 1);
  text.family("tidewire_channels", "Channels of the contracts.", Kind::Gauge);
  text.sample(process.channels);
  text.family("tidewire_durable_sequence", "Everything up to this event is durable.", Kind::Gauge);
  text.sample(process.durable_sequence);
  text.family("tidewire_lane_condition",
              "1 for what the log is: writable, full (publishing gets 507) or read-only (a sync failed).", Kind::Gauge);
  for (const ConditionName& each : kConditionNames)
    text.sample({{"condition", each.name}}, each.condition == process.condition ? 1 : 0);
  write_log(text, process.log);
  for (const LoopMetric& metric : kLoopMetrics) {
    text.family(metric.name, metric.help, metric.kind);
    for (const LoopSnapshot& loop : loops) text.sample({{"loop", loop.loop}}, metric.value(loop));
  }
  return out;
}

}  // namespace admin
