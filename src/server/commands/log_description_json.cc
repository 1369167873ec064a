// SPDX-License-Identifier: Apache-2.0
// A log's description as JSON, for programs: docs/log_command.md lists the members.
#include "codec/json_writer.h"
#include "codec/rfc3339.h"
#include "server/commands/log_description.h"

namespace server {

namespace {

using codec::json::Writer;
using storage::Retention;

constexpr std::uint64_t kNsPerMs = 1'000'000;

void number(Writer& json, std::string_view name, std::uint64_t value) { json.key(name).unsigned_integer(value); }

// 0 is before the first sequence: there is none.
void sequence(Writer& json, std::string_view name, storage::Sequence value) {
  json.key(name);
  value == 0 ? json.null() : json.unsigned_integer(value);
}

void bound(Writer& json, std::string_view name, std::uint64_t value, std::uint64_t unit) {
  json.key(name);
  value == Retention::kUnbounded ? json.null() : json.unsigned_integer(value / unit);
}

void time(Writer& json, std::string_view name, std::int64_t unix_ms) {
  std::string text;
  codec::append_rfc3339(text, unix_ms);
  json.member(name, text);
}

std::string_view name_of(storage::SegmentKind kind) {
  switch (kind) {
    case storage::SegmentKind::Regular: return "regular";
    case storage::SegmentKind::Recovery: return "recovery";
    case storage::SegmentKind::Rewritten: return "rewritten";
  }
  return "";
}

std::string_view name_of(LogDescription::NextStart next) {
  switch (next) {
    case LogDescription::NextStart::First: return "first";
    case LogDescription::NextStart::SameEpoch: return "same-epoch";
    case LogDescription::NextStart::NewEpoch: return "new-epoch";
    case LogDescription::NextStart::Refused: return "refused";
  }
  return "";
}

void append(Writer& json, const LogDescription::Topic& topic) {
  json.begin_object();
  number(json, "id", topic.id);
  json.member("identity", topic.state.identity);
  number(json, "events", topic.content.events);
  number(json, "bytes", topic.content.bytes);
  sequence(json, "first_sequence", topic.content.first_sequence);
  sequence(json, "last_sequence", topic.content.last_sequence);
  json.key("first_offset");
  topic.content.events == 0 ? json.null() : json.integer(topic.content.first_offset);
  json.key("next_offset").integer(topic.state.next_offset);
  number(json, "complete_after", topic.state.complete_after);
  json.key("retention").begin_object();
  bound(json, "age_ms", topic.state.retention.age_ns, kNsPerMs);
  bound(json, "bytes", topic.state.retention.bytes, 1);
  json.end_object().end_object();
}

void append(Writer& json, const LogDescription::Segment& segment) {
  using State = LogDescription::Segment::State;
  json.begin_object().member("name", segment.name).member("kind", name_of(segment.kind));
  number(json, "bytes", segment.bytes);
  sequence(json, "first_sequence", segment.first);
  sequence(json, "last_sequence", segment.last);
  time(json, "created", segment.created_ms);
  if (segment.last_event_ms) time(json, "last_event", *segment.last_event_ms);
  json.key("newest").boolean(segment.state == State::Newest);
  json.key("footer").boolean(segment.state == State::WithFooter).end_object();
}

void append_sequences(Writer& json, const LogDescription& log) {
  json.key("sequences").begin_object();
  sequence(json, "first", log.first);
  sequence(json, "last", log.last);
  number(json, "next_run", log.next_run);
  json.end_object();
}

}  // namespace

std::string to_json(const LogDescription& log, const std::string& directory) {
  std::string out;
  Writer json(out);
  json.begin_object().member("directory", directory);
  number(json, "format", storage::kLogFormatVersion);
  json.key("epoch");
  log.epoch.empty() ? json.null() : json.string(log.epoch);
  append_sequences(json, log);
  number(json, "events", log.events);
  number(json, "bytes", log.bytes);
  json.key("last_commit").begin_object();
  number(json, "number", log.last_commit.number);
  time(json, "time", log.last_commit.wall_ms);
  json.end_object().key("tail").begin_object();
  number(json, "unproven_events", log.unproven_events);
  number(json, "torn_bytes", log.torn_bytes);
  json.end_object().key("topics").begin_array();
  for (const LogDescription::Topic& topic : log.topics) append(json, topic);
  json.end_array().key("segments").begin_array();
  for (const LogDescription::Segment& segment : log.segments) append(json, segment);
  json.end_array().key("runs").begin_array();
  for (const storage::LaneRun& run : log.runs) {
    json.begin_object();
    number(json, "first", run.first);
    number(json, "previous_end", run.previous_end);
    json.end_object();
  }
  json.end_array().key("damage").begin_array();
  for (const storage::DamagedRange& range : log.damage) {
    json.begin_object();
    number(json, "first", range.first);
    number(json, "last", range.last);
    json.end_object();
  }
  json.end_array().key("next_start").begin_object().member("history", name_of(log.next_start));
  json.key("does").begin_array();
  for (const std::string& sentence : log.next_start_does) json.string(sentence);
  json.end_array().end_object().end_object();
  return out + "\n";
}

}  // namespace server
