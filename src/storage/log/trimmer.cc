// SPDX-License-Identifier: Apache-2.0
#include "storage/log/trimmer.h"

#include <algorithm>
#include <utility>

namespace storage {

using Kind = io::FileRequest::Kind;

Trimmer::Trimmer(io::Loop& loop, Log& log, TopicTable& topics, const LaneClock& clock, const Limits& limits)
    : loop_(loop), log_(log), topics_(topics), clock_(clock), limits_(limits), bytes_max_(limits.bytes_max) {}

void Trimmer::run() {
  if (running_ || stopping_ || log_.has_failed()) return;
  running_ = true;
  planned_ = 0;
  look_at_segments();
  ask_for_space();
  judge_space();
  plan_topics();
  read_next();
}

// --- what there is

// Places stay right when segments come behind the others and when dead ones go. When one was rewritten they do not:
// its parts are others.
void Trimmer::look_at_segments() {
  std::vector<std::uint64_t> rewritten;
  for (const auto& segment : log_.segments()) {
    if (segment->header.kind == SegmentKind::Rewritten) rewritten.push_back(segment->header.id);
  }
  std::ranges::sort(rewritten);
  if (!std::ranges::includes(rewritten_, rewritten)) places_.clear();
  rewritten_ = std::move(rewritten);
  usage_.keep_only(log_.segments());
  const std::vector<TopicState>& topics = log_.state().topics;
  while (places_.size() < topics.size()) places_.emplace_back(topics[places_.size()].complete_after);
}

TrimLimits Trimmer::limits_of(const Retention& retention) const {
  return {clock_.older_than_ns(retention.age_ns), retention.bytes, space_through_};
}

// --- space

void Trimmer::ask_for_space() {
  if (limits_.bytes_max > 0 || asking_ > 0) return;
  if (asked_ns_ && loop_.now_ns() - *asked_ns_ < kSpaceAskNs) return;
  asked_ns_ = loop_.now_ns();
  ++asking_;
  loop_.files().submit(loop_, {.kind = Kind::Space, .path = log_.segments().back()->path}, [this](auto reply) {
    --asking_;
    if (reply) bytes_max_ = default_bytes_max(reply->space.total_bytes);
  });
}

SegmentSpace Trimmer::space_of(const Segment& segment) const {
  const bool is_newest = &segment == log_.segments().back().get();
  const bool is_dead = is_newest ? segment.index.empty() : usage_.is_dead(segment);
  const std::uint64_t now = clock_.now_ns(), last = segment.index.last_lane_time_ns();
  return {segment.file_bytes, now - std::min(last, now), is_dead ? SegmentSpace::Life::Dead : SegmentSpace::Life::Live};
}

void Trimmer::judge_space() {
  space_through_ = 0;
  const Segments& segments = log_.segments();
  const auto is_counted = [this](const auto& segment) { return usage_.is_counted(*segment); };
  if (bytes_max_ == 0 || !std::all_of(segments.begin(), segments.end() - 1, is_counted)) return;
  std::vector<SegmentSpace> spaces;
  for (const auto& segment : segments) spaces.push_back(space_of(*segment));
  const SpaceVerdict verdict =
      storage::judge_space(spaces, {bytes_max_, limits_.protect_age_ns, limits_.repeat_window_ns}, budget_);
  if (verdict.trim_through) space_through_ = segments[*verdict.trim_through]->index.last_sequence();
  if (verdict.budget != budget_) {
    budget_ = verdict.budget;
    log_.set_budget(budget_);
  }
  if (verdict.seal == SpaceVerdict::Seal::No) return;
  log_.seal();
  ++asking_;
  // While publishing is refused nobody else brings the group that opens the next segment.
  log_.persist_control([](const LaneState&) { return std::string(); }, [this](Persisted) { --asking_; });
}

// --- what goes

void Trimmer::plan_topics() {
  const Segments& segments = log_.segments();
  SegmentIndexes indexes;
  for (const auto& segment : segments) indexes.push_back(&segment->index);
  TrimPlanner planner(std::move(indexes), kTrimStepsMax);
  for (auto at = segments.begin(); at != segments.end() - 1 && !planner.is_exhausted(); ++at) {
    if (!usage_.is_counted(**at)) planner.spend(kLookUpSteps * (1 + usage_.count(**at, topics_)));
  }
  // The next run begins with the first one that could not be planned to the end.
  std::optional<std::size_t> left_over;
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const std::size_t at = (next_topic_ + i) % places_.size();
    const bool is_full = planner.is_exhausted() || planned_ == kTrimTopicsMax;
    const bool is_whole = !is_full && plan(static_cast<TopicId>(at + 1), planner) == Planned::All;
    if (!is_whole && !left_over) left_over = at;
    if (is_full) break;
  }
  next_topic_ = left_over.value_or(0);
}

Trimmer::Planned Trimmer::plan(TopicId topic, TrimPlanner& planner) {
  const Retention& retention = log_.state().topics[topic - 1].retention;
  const Sequence complete_after = topics_.at(topic).complete_after;
  Move move{.topic = topic, .retention = retention, .limits = limits_of(retention), .plan = {}};
  move.plan = planner.plan(topic, places_[topic - 1], move.limits);
  if (move.plan.boundary) return read_later(move);
  if (move.plan.complete_after > complete_after) {
    ++planned_;
    moves_.push_back(move);
  }
  return planner.is_exhausted() ? Planned::Part : Planned::All;
}

// Topics of one age have their boundary in the same extent.
Trimmer::Planned Trimmer::read_later(const Move& move) {
  ++planned_;
  Segment* segment = log_.segments()[move.plan.boundary->segment].get();
  const std::size_t extent = move.plan.boundary->extent;
  const auto found = std::ranges::find_if(
      readings_, [&](const Reading& reading) { return reading.segment == segment && reading.number == extent; });
  if (found != readings_.end()) {
    found->moves.push_back(move);
    return Planned::All;
  }
  if (readings_.size() == kBoundaryReadsMax) {
    decide(move);  // whole parts need no reading
    return Planned::Part;
  }
  log_.begin_read(*segment);
  Reading& reading =
      readings_.emplace_back(segment, extent, segment->index.extents()[extent], youngest_ns(segment->index, extent));
  reading.moves.push_back(move);
  return Planned::All;
}

// --- boundaries

void Trimmer::read_next() {
  if (stopping_) return end();
  if (readings_.empty()) return persist();
  Reading reading = std::move(readings_.back());
  readings_.pop_back();
  ++counters_.boundary_reads;
  io::FileRequest request{.kind = Kind::ReadAt,
                          .handle = reading.segment->handle,
                          .offset = reading.extent.offset,
                          .size = reading.extent.end_offset + kCommitBytes - reading.extent.offset};
  loop_.files().submit(loop_, std::move(request), [this, reading = std::move(reading)](auto read) mutable {
    on_extent(std::move(reading), read ? std::move(read->data) : std::string());
  });
}

// No bytes: it cannot be read.
void Trimmer::on_extent(Reading reading, std::string bytes) {
  const BoundaryExtent extent(std::move(bytes), reading.segment->header.seed(), reading.youngest_ns);
  for (Move& move : reading.moves) {
    const BoundaryCut cut = extent.cut(move.topic, move.plan.complete_after, move.limits, *move.plan.boundary);
    move.unreadable = cut.end.next == 0 && cut.complete_after == move.plan.complete_after;
    if (!move.unreadable) move.plan.end = cut.end;
    move.plan.complete_after = cut.complete_after;
    move.plan.trimmed.add(cut.trimmed);
    decide(move);
  }
  log_.end_read(*reading.segment);
  read_next();
}

// What was learned is of use even if nothing moves.
void Trimmer::decide(const Move& move) {
  if (move.plan.complete_after > topics_.at(move.topic).complete_after) return moves_.push_back(move);
  TopicPlace& place = places_[move.topic - 1];
  if (move.plan.end.next > 0) place.move_to(place.complete_after, move.plan.end);
  place.unreadable = move.unreadable;
}

void Trimmer::end() {
  for (const Reading& reading : readings_) log_.end_read(*reading.segment);
  readings_.clear();
  moves_.clear();
  running_ = false;
}

// --- what is done about it

void Trimmer::persist() {
  if (moves_.empty()) return remove_dead();
  log_.persist_control([this](const LaneState& state) { return make_records(state); },
                       [this](Persisted outcome) {
                         if (outcome == Persisted::Durable) {
                           for (const Move& move : moves_) apply(move);
                         }
                         moves_.clear();
                         remove_dead();
                       });
}

// A retention that was declared since the run began is looked at by the next one.
std::string Trimmer::make_records(const LaneState& state) {
  std::erase_if(moves_, [&](const Move& move) { return state.topics[move.topic - 1].retention != move.retention; });
  std::vector<std::pair<TopicId, Sequence>> trims;
  for (const Move& move : moves_) trims.emplace_back(move.topic, move.plan.complete_after);
  std::string records;
  if (!trims.empty()) append_control_record(records, RecordKind::Trim, 0, encode_trims(trims));
  return records;
}

void Trimmer::apply(const Move& move) {
  Topic& topic = topics_.at(move.topic);
  TopicPlace& place = places_[move.topic - 1];
  const Sequence from = topic.complete_after, to = move.plan.complete_after;
  CHECK(to > from, "a topic is trimmed backwards");
  // Only the newest segment can be without an event.
  const Segments& segments = log_.segments();
  const auto end = segments.end() - (segments.back()->index.empty() ? 1 : 0);
  const auto last_sequence = [](const auto& segment) { return segment->index.last_sequence(); };
  auto segment = std::ranges::upper_bound(segments.begin(), end, from, {}, last_sequence);
  for (; segment != end && (*segment)->index.first_sequence() <= to; ++segment) {
    usage_.trimmed(**segment, move.topic, from, to);
    place.discount(move.topic, (*segment)->index, to);
  }
  topic.complete_after = to;
  place.move_to(to, move.plan.end);
  place.unreadable = move.unreadable;
  counters_.trimmed.add(move.plan.trimmed);
}

// One that somebody reads stays for now: a rewriting begins and ends with the segments as they are.
void Trimmer::remove_dead() {
  const Segments& segments = log_.segments();
  const std::uint64_t now = clock_.now_ns();
  const auto can_go = [&](const auto& segment) {
    const std::uint64_t last = segment->index.last_lane_time_ns();
    return segment->reads == 0 && now > last && now - last > limits_.repeat_window_ns && usage_.is_dead(*segment);
  };
  std::vector<SegmentNumber> dead;
  for (auto at = segments.begin(); at != segments.end() - 1 && dead.size() < kSegmentRemovalsMax; ++at) {
    if (can_go(*at)) dead.push_back((*at)->header.number);
  }
  if (stopping_ || dead.empty()) return end();
  const std::size_t count = dead.size();
  log_.remove_segments(std::move(dead), [this, count](Persisted outcome) {
    if (outcome == Persisted::Durable) counters_.segments_removed += count;
    end();
  });
}

}  // namespace storage
