// SPDX-License-Identifier: Apache-2.0
// A log's description for people.
#include "codec/rfc3339.h"
#include "server/commands/log_description.h"
#include "server/commands/log_failure.h"
#include "server/commands/text_table.h"

namespace server {

namespace {

using storage::Retention;

constexpr std::size_t kLabelWidth = 13;

std::string number(std::uint64_t value) { return std::to_string(value); }
std::string or_dash(std::uint64_t value) { return value == 0 ? "-" : std::to_string(value); }

std::string time(std::int64_t unix_ms) {
  std::string text;
  codec::append_rfc3339(text, unix_ms);
  return text;
}

// The largest unit that goes into it without a rest, as a contract may have it.
std::string age(std::uint64_t ns) {
  if (ns == Retention::kUnbounded) return "-";
  constexpr std::pair<std::uint64_t, const char*> kUnits[] = {
      {86'400'000'000'000, "d"}, {3'600'000'000'000, "h"}, {60'000'000'000, "m"}, {1'000'000'000, "s"}};
  for (const auto& [unit, letter] : kUnits) {
    if (ns % unit == 0) return number(ns / unit) + letter;
  }
  return number(ns / 1'000'000) + "ms";
}

std::string line(const std::string& label, const std::string& value) {
  return label + std::string(kLabelWidth - label.size(), ' ') + value + "\n";
}

std::string sequences(const LogDescription& log) {
  const std::string range = log.events == 0 ? "none" : number(log.first) + " to " + number(log.last);
  return range + "; the next run begins at " + number(log.next_run);
}

std::string tail(const LogDescription& log) {
  std::string text;
  if (log.unproven_events > 0) text = number(log.unproven_events) + " event(s) of the newest group are not proven yet";
  if (log.torn_bytes > 0) {
    text += (text.empty() ? "" : "; ") + number(log.torn_bytes) + " bytes of a write that was never finished";
  }
  return text.empty() ? "clean" : text;
}

std::string topics(const LogDescription& log) {
  TextTable table({{"id"},
                   {"identity", Align::Left},
                   {"events"},
                   {"bytes"},
                   {"first"},
                   {"last"},
                   {"offsets", Align::Left},
                   {"trimmed through"},
                   {"age"},
                   {"bytes max"}});
  for (const LogDescription::Topic& topic : log.topics) {
    const storage::TopicContent& content = topic.content;
    const std::int64_t next = topic.state.next_offset;
    const std::int64_t first = content.events == 0 ? next : content.first_offset;
    const Retention& retention = topic.state.retention;
    table.add({number(topic.id), topic.state.identity, number(content.events), number(content.bytes),
               or_dash(content.first_sequence), or_dash(content.last_sequence),
               std::to_string(first) + " to " + std::to_string(next), or_dash(topic.state.complete_after),
               age(retention.age_ns), retention.bytes == Retention::kUnbounded ? "-" : number(retention.bytes)});
  }
  return log.topics.empty() ? "" : "\ntopics (offsets: from the first up to and without the last)\n" + table.text();
}

std::string state_of(const LogDescription::Segment& segment) {
  using State = LogDescription::Segment::State;
  std::string text = segment.state == State::Newest       ? "newest"
                     : segment.state == State::WithFooter ? "sealed"
                                                          : "sealed, no footer yet";
  if (segment.kind == storage::SegmentKind::Recovery) text += ", begun by a start";
  if (segment.kind == storage::SegmentKind::Rewritten) text += ", rewritten";
  return text;
}

std::string segments(const LogDescription& log) {
  TextTable table({{"file", Align::Left},
                   {"bytes"},
                   {"first"},
                   {"last"},
                   {"begun", Align::Left},
                   {"last event", Align::Left},
                   {"state", Align::Left}});
  for (const LogDescription::Segment& segment : log.segments) {
    table.add({segment.name, number(segment.bytes), or_dash(segment.first), or_dash(segment.last),
               time(segment.created_ms), segment.last_event_ms ? time(*segment.last_event_ms) : "-",
               state_of(segment)});
  }
  return log.segments.empty() ? "" : "\nsegments\n" + table.text();
}

std::string runs(const LogDescription& log) {
  TextTable table({{"first"}, {"end of the run before"}});
  for (const storage::LaneRun& run : log.runs) table.add({number(run.first), number(run.previous_end)});
  return log.runs.empty() ? "" : "\nruns\n" + table.text();
}

}  // namespace

std::string to_text(const LogDescription& log, const std::string& directory) {
  std::string out = line("directory", directory);
  out += line("format", number(storage::kLogFormatVersion));
  out += line("epoch", log.epoch.empty() ? "none yet" : log.epoch);
  out += line("events", number(log.events) + " in " + number(log.topics.size()) + " topic(s)");
  out += line("sequences", sequences(log));
  out += line("files", number(log.segments.size()) + " segment(s) with events, " + bytes_text(log.bytes));
  if (log.last_commit.number > 0) {
    out += line("last commit", number(log.last_commit.number) + ", " + time(log.last_commit.wall_ms));
  }
  out += line("tail", tail(log));
  out += line("damage", log.damage.empty() ? "none is known" : number(log.damage.size()) + " range(s)");
  for (const storage::DamagedRange& range : log.damage) out += line("", events_text(range));
  for (std::size_t i = 0; i < log.next_start_does.size(); ++i) {
    out += line(i == 0 ? "next start" : "", log.next_start_does[i]);
  }
  return out + topics(log) + segments(log) + runs(log);
}

}  // namespace server
