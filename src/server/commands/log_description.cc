// SPDX-License-Identifier: Apache-2.0
#include "server/commands/log_description.h"

#include <algorithm>

#include "engine/cursor.h"
#include "storage/limits.h"

namespace server {

using storage::StoppedLane;
using storage::Survey;
using NextStart = LogDescription::NextStart;

namespace {

constexpr std::size_t kEpochAt = 1;  // of a cursor's token (docs/formats/cursor.md)
constexpr std::size_t kEpochDigits = 13;

void describe_segments(const StoppedLane& lane, LogDescription& log) {
  using State = LogDescription::Segment::State;
  const Survey& survey = lane.survey;
  for (const storage::SurveyedSegment& segment : survey.segments) {
    const bool is_newest = survey.newest && segment.header.number == survey.newest->number;
    const bool has_footer = segment.footer == storage::OpenSegment::Footer::Whole;
    log.segments.push_back({.name = segment.name,
                            .kind = segment.header.kind,
                            .bytes = segment.file_bytes,
                            .first = segment.index.first_sequence(),
                            .last = segment.index.last_sequence(),
                            .created_ms = segment.header.created_ms,
                            .last_event_ms = segment.index.wall_ms_max(),
                            .state = has_footer  ? State::WithFooter
                                     : is_newest ? State::Newest
                                                 : State::WithoutFooter});
    log.bytes += segment.file_bytes;
  }
}

void describe_topics(const StoppedLane& lane, const std::vector<storage::TopicContent>& contents, LogDescription& log) {
  for (std::size_t i = 0; i < contents.size(); ++i) {
    const storage::TopicContent& content = contents[i];
    log.topics.push_back({static_cast<storage::TopicId>(i + 1), lane.state.topics[i], content});
    log.events += content.events;
    log.last = std::max(log.last, content.last_sequence);
    if (content.events == 0) continue;
    log.first = log.first == 0 ? content.first_sequence : std::min(log.first, content.first_sequence);
  }
}

std::uint64_t events_of(const std::vector<storage::ScannedGroup>& groups) {
  std::uint64_t events = 0;
  for (const storage::ScannedGroup& scanned : groups) {
    for (storage::RecordWalk walk(scanned.group.records); const auto record = walk.next();) {
      if (record->kind == storage::RecordKind::Batch) events += storage::BatchRecord(*record).events();
    }
  }
  return events;
}

NextStart next_start_of(const StoppedLane& lane) {
  if (lane.survey.history == Survey::History::None) return NextStart::First;
  if (!lane.lock.is_open()) return NextStart::Refused;
  const bool is_same = lane.survey.history == Survey::History::Whole && lane.lock_identity == lane.state.lock;
  return is_same ? NextStart::SameEpoch : NextStart::NewEpoch;
}

std::string epoch_sentence(NextStart next, const Survey& survey) {
  switch (next) {
    case NextStart::First: return "begins the first history of this directory";
    case NextStart::SameEpoch: return "goes on under the same epoch";
    case NextStart::NewEpoch:
      return survey.history == Survey::History::NotProvable
                 ? "goes on under a new epoch: what followed the damaged lane state is not provable"
                 : "goes on under a new epoch: the directory is a copy, or was forked";
    case NextStart::Refused:
      return "is refused: the file `lock` is missing; `tidewire log fork` makes a new one, and a new epoch";
  }
  return "";
}

void describe_next_start(const StoppedLane& lane, LogDescription& log) {
  const Survey& survey = lane.survey;
  log.next_start = next_start_of(lane);
  log.next_start_does.push_back(epoch_sentence(log.next_start, survey));
  if (log.unproven_events > 0) {
    log.next_start_does.push_back("copies the newest " + std::to_string(log.unproven_events) +
                                  " event(s), which are whole but not proven to be on the disk");
  }
  for (const storage::RecoveryFinding& finding : survey.findings)
    log.next_start_does.push_back("finds: " + finding.sentence);
  for (const std::string& name : survey.superseded)
    log.next_start_does.push_back("removes " + name + ", which is superseded");
  for (const std::string& name : survey.unreadable) {
    log.next_start_does.push_back("puts " + name + " aside, of which nothing can be read");
  }
}

}  // namespace

std::string epoch_text(std::uint64_t epoch) { return engine::Cursor{epoch, 0}.token().substr(kEpochAt, kEpochDigits); }

base::Result<LogDescription> describe_log(const StoppedLane& lane) {
  const Survey& survey = lane.survey;
  LogDescription log{};
  describe_segments(lane, log);
  describe_topics(lane, TRY(storage::take_inventory(lane)), log);
  if (survey.history != Survey::History::None) log.epoch = epoch_text(lane.state.identity.epoch);
  log.next_run = survey.history == Survey::History::None ? 1 : lane.state.next_sequence - 1 + storage::kRunGap;
  log.last_commit = survey.last;
  log.unproven_events = events_of(survey.unproven);
  log.torn_bytes = survey.torn_bytes;
  log.runs = lane.state.runs;
  log.damage = lane.state.damage;
  describe_next_start(lane, log);
  return log;
}

}  // namespace server
