// SPDX-License-Identifier: Apache-2.0
#include "storage/log/segment_replay.h"

#include <algorithm>
#include <deque>
#include <utility>

namespace storage {

using base::Errc;
using base::fail;
using base::Result;

namespace {

// An event takes at least its address's hash and an empty record: so many bytes cannot have held more events.
constexpr std::uint64_t kEventBytesMin = 15;

bool is_lane_state(const GroupView& group) {
  RecordWalk walk(group.records);
  const auto record = walk.next();
  return record && record->kind == RecordKind::LaneState;
}

// Its batches ascend, begin behind `after`, and are what the commit says.
bool sequences_fit(const GroupView& group, Sequence after) {
  Sequence first = 0;
  Sequence last = 0;
  for (RecordWalk walk(group.records); const auto record = walk.next();) {
    if (record->kind != RecordKind::Batch) continue;
    const BatchRecord batch(*record);
    if (batch.first_sequence() <= after || batch.last_sequence() < batch.first_sequence()) return false;
    if (first == 0) first = batch.first_sequence();
    after = last = batch.last_sequence();
  }
  return first == group.commit.first_sequence && last == group.commit.last_sequence;
}

std::optional<LaneRun> run_of(const GroupView& group) {
  for (RecordWalk walk(group.records); const auto record = walk.next();) {
    if (record->kind == RecordKind::Run) return decode_run(record->body());
  }
  return std::nullopt;
}

// The last event that can lie before this group, if it says so: the sequences of a run count on by one.
std::optional<Sequence> last_before(const GroupView& group) {
  if (group.commit.first_sequence > 0) return group.commit.first_sequence - 1;
  const auto run = run_of(group);
  return run ? std::optional(run->previous_end) : std::nullopt;
}

class Replay final {
 public:
  Replay(ReplayRequest request, RepeatWindow& repeats);

  Result<Replayed> run();

 private:
  // A group that counts, and what is missing before it.
  struct Item {
    ScannedGroup scanned;
    std::optional<ScannedDamage> gap;

    const CommitRecord& commit() const { return scanned.group.commit; }
  };
  // Events are missing from `first` on; up to where, a later group will tell.
  struct OpenDamage {
    Sequence first;
    std::uint64_t offset;
    std::uint64_t bytes;  // 0: they stood before this segment

    std::uint64_t events_max() const { return bytes == 0 ? ~std::uint64_t{0} : bytes / kEventBytesMin; }
  };

  bool counts(const ScannedGroup&, bool behind_gap) const;
  void take(ScannedGroup, std::optional<ScannedDamage> gap);
  Result<void> settle_proven();
  void settle_gap(const ScannedDamage&, CommitNumber next);
  Result<void> settle(const ScannedGroup&);
  std::vector<DamagedRange> lost_of(const ScannedDamage&, CommitNumber next) const;
  bool lacks_commits(const ScannedDamage&, CommitNumber next) const;
  void close_damage(Sequence last);
  void lose(DamagedRange, const OpenDamage&);
  void lose_over_runs(DamagedRange, const OpenDamage&);
  void note(const OpenDamage&, const std::string& what);
  void note_no_loss(const OpenDamage&);
  void finish(std::uint64_t torn_from, std::uint64_t used_end);

  ReplayRequest request_;
  RepeatWindow& repeats_;
  Replayed out_;
  CommitNumber proven_;
  CommitRecord last_;  // the newest that counts
  Sequence last_sequence_;
  std::deque<Item> pending_;  // not proven yet
  std::optional<OpenDamage> open_;
};

Replay::Replay(ReplayRequest request, RepeatWindow& repeats)
    : request_(std::move(request)), repeats_(repeats), proven_(std::max(request_.proven, request_.header.continues)) {
  // Retention synced what it has rewritten before it got its name.
  if (request_.header.kind == SegmentKind::Rewritten) proven_ = ~CommitNumber{0};
  out_.state = std::move(request_.state);
  last_.number = request_.header.continues;
  last_.crc = request_.header.continues_crc;
  last_.lane_time_ns = out_.state.lane_time_ns;
  last_.wall_ms = request_.header.created_ms;
  out_.proven = last_;
  out_.end_offset = kFirstGroupAt;
  last_sequence_ = out_.state.next_sequence - 1;
  if (request_.before == ReplayRequest::Before::Uncertain)
    open_ = OpenDamage{out_.state.next_sequence, kFirstGroupAt, 0};
}

Result<Replayed> Replay::run() {
  SegmentScan scan(request_.file, request_.file_bytes, request_.header.seed());
  std::optional<ScannedDamage> gap;
  while (last_.number < request_.until) {
    ScanStep step = TRY(scan.next());
    if (const auto* end = std::get_if<ScanEnd>(&step)) {
      finish(gap ? gap->offset : end->offset, end->bytes > 0 || gap ? end->offset + end->bytes : end->offset);
      return std::move(out_);
    }
    if (auto* damage = std::get_if<ScannedDamage>(&step)) {
      if (!gap) gap = ScannedDamage{damage->offset, 0, {}};
      gap->bytes = damage->offset + damage->bytes - gap->offset;
      std::ranges::copy(damage->commits, std::back_inserter(gap->commits));
      continue;
    }
    auto& group = std::get<ScannedGroup>(step);
    if (group.group.commit.number > request_.until) break;
    if (counts(group, gap.has_value())) {
      take(std::move(group), std::exchange(gap, std::nullopt));
      TRY(settle_proven());
    } else {
      if (!gap) gap = ScannedDamage{group.offset, 0, {}};
      gap->bytes = group.offset + group.group.bytes() - gap->offset;
    }
  }
  finish(0, 0);
  return std::move(out_);
}

bool Replay::counts(const ScannedGroup& scanned, bool behind_gap) const {
  const CommitRecord& commit = scanned.group.commit;
  const bool is_rewritten = request_.header.kind == SegmentKind::Rewritten;
  if (is_lane_state(scanned.group)) {
    if (scanned.offset != kFirstGroupAt) return false;
    if (is_rewritten) return true;  // its state is of another time than its groups
  }
  if (commit.number <= last_.number || !sequences_fit(scanned.group, last_sequence_)) return false;
  if (is_rewritten) return true;
  if (commit.number == last_.number + 1) return commit.previous_crc == last_.crc;
  return behind_gap;
}

void Replay::take(ScannedGroup scanned, std::optional<ScannedDamage> gap) {
  const SegmentHeader& header = request_.header;
  last_ = scanned.group.commit;
  if (last_.first_sequence > 0) last_sequence_ = last_.last_sequence;
  const CommitNumber synced = std::min(last_.synced_through, std::max<CommitNumber>(last_.number, 1) - 1);
  out_.newest_known_synced = std::max(out_.newest_known_synced, synced);
  proven_ = std::max(proven_, synced);
  if (is_lane_state(scanned.group)) {
    out_.own_state = Replayed::OwnState::Whole;
    out_.proven.wall_ms = last_.wall_ms;
  } else if (last_.number > header.continues + 1 && last_.number - header.continues - 1 <= header.copies) {
    ++out_.copies;
  } else if (last_.first_sequence == 0 && run_of(scanned.group)) {
    out_.own_run = Replayed::OwnRun::Found;
  }
  pending_.push_back({std::move(scanned), std::move(gap)});
}

// What was waiting for a proof, up to the first that still waits.
Result<void> Replay::settle_proven() {
  while (!pending_.empty()) {
    Item& item = pending_.front();
    if (item.gap) {
      const bool lacks_groups = item.commit().number > out_.proven.number + 1;
      if (lacks_groups && proven_ <= out_.proven.number) return {};
      settle_gap(*item.gap, item.commit().number);
      item.gap.reset();
    }
    if (item.commit().number > proven_) return {};
    TRY(settle(item.scanned));
    pending_.pop_front();
  }
  return {};
}

void Replay::settle_gap(const ScannedDamage& gap, CommitNumber next) {
  // Who asks knows the lane state from elsewhere.
  if (gap.offset == kFirstGroupAt && next == request_.header.continues + 2) return;
  out_.damaged_bytes += gap.bytes;
  const OpenDamage damage{out_.state.next_sequence, gap.offset, gap.bytes};
  const std::vector<DamagedRange> lost = lost_of(gap, next);
  if (lacks_commits(gap, next)) {
    if (open_) open_->bytes += open_->bytes == 0 ? 0 : gap.bytes;
    if (!open_) open_ = damage;
  } else if (!lost.empty()) {
    close_damage(lost.front().first - 1);
    for (const DamagedRange& range : lost) lose(range, damage);
  } else {
    note_no_loss(damage);
  }
}

// The events of the groups whose commits are whole.
std::vector<DamagedRange> Replay::lost_of(const ScannedDamage& gap, CommitNumber next) const {
  std::vector<DamagedRange> lost;
  Sequence after = out_.state.next_sequence - 1;
  for (const CommitRecord& commit : gap.commits) {
    if (commit.number <= out_.proven.number || commit.number >= next) continue;
    if (commit.first_sequence <= after || commit.last_sequence < commit.first_sequence) continue;
    if (!lost.empty() && commit.first_sequence == after + 1)
      lost.back().last = commit.last_sequence;
    else
      lost.push_back({commit.first_sequence, commit.last_sequence});
    after = commit.last_sequence;
  }
  return lost;
}

// Whether a group was there of which nothing is known. Numbers tell it, except where retention has left some out: there
// the bytes do.
bool Replay::lacks_commits(const ScannedDamage& gap, CommitNumber next) const {
  std::uint64_t known = 0, bytes = 0;
  for (const CommitRecord& commit : gap.commits) {
    if (commit.number <= out_.proven.number || commit.number >= next) continue;
    ++known;
    bytes += commit.bytes + kCommitBytes;
  }
  if (request_.header.kind == SegmentKind::Rewritten) return bytes < gap.bytes;
  return next - out_.proven.number - 1 > known;
}

// `last`: of the events that can be missing.
void Replay::close_damage(Sequence last) {
  if (!open_) return;
  const OpenDamage damage = *std::exchange(open_, std::nullopt);
  if (last >= damage.first) return lose_over_runs({damage.first, last}, damage);
  note_no_loss(damage);
}

// What lies between two runs is no event. Where no run is known and so few bytes cannot have held so many events, one
// began in there, and its record is lost: then the events are those behind the end of the run before, and those before
// the first one that is known.
void Replay::lose_over_runs(DamagedRange range, const OpenDamage& damage) {
  for (const DamagedRange& part : parts_by_runs(range, out_.state.runs)) {
    const std::uint64_t events_max = std::min(damage.events_max(), part.last);
    if (part.last - part.first < 2 * events_max) {
      lose(part, damage);
      continue;
    }
    const LaneRun run{.first = part.last - events_max, .previous_end = part.first - 1 + events_max};
    lose({part.first, run.previous_end}, damage);
    lose({run.first, part.last}, damage);
    out_.state.runs.insert(std::ranges::upper_bound(out_.state.runs, run.first, {}, &LaneRun::first), run);
  }
}

void Replay::lose(DamagedRange range, const OpenDamage& damage) {
  note(damage, "events " + std::to_string(range.first) + " to " + std::to_string(range.last) + " cannot be read");
  out_.damage.push_back(range);
  out_.state.next_sequence = std::max(out_.state.next_sequence, range.last + 1);
  // Whatever topics they were of, nobody is given their offsets; a topic's next batch says what its offset really is.
  const std::uint64_t lost = std::min(range.last - range.first + 1, damage.events_max() + 1);
  for (TopicState& topic : out_.state.topics) topic.next_offset += static_cast<std::int64_t>(lost);
}

void Replay::note(const OpenDamage& damage, const std::string& what) {
  if (damage.bytes == 0) {
    out_.findings.push_back({RecoveryFinding::Kind::Damage,
                             segment_name(request_.header.number) + ": what came before it is damaged: " + what});
    return;
  }
  out_.findings.push_back({RecoveryFinding::Kind::Damage, segment_name(request_.header.number) + ": " +
                                                              std::to_string(damage.bytes) + " bytes at " +
                                                              std::to_string(damage.offset) + " are damaged: " + what});
}

// What an older segment said of anything but events, later lane states have said again.
void Replay::note_no_loss(const OpenDamage& damage) {
  if (request_.applies == ReplayRequest::Applies::Sequences || damage.bytes == 0) return;
  note(damage, "no event is lost, but perhaps what they said of topics, trimming or files");
}

Result<void> Replay::settle(const ScannedGroup& scanned) {
  out_.proven = scanned.group.commit;
  out_.end_offset = scanned.offset + scanned.group.bytes();
  if (scanned.offset == kFirstGroupAt && is_lane_state(scanned.group)) return {};
  if (open_) {
    if (const auto last = last_before(scanned.group)) close_damage(*last);
  }
  if (request_.applies == ReplayRequest::Applies::Everything) {
    TRY(out_.state.apply(scanned.group));
  } else if (scanned.group.commit.first_sequence > 0) {
    out_.state.next_sequence = scanned.group.commit.last_sequence + 1;
  }
  out_.index.add(scanned.offset, scanned.group);
  repeats_.add(scanned.group);
  return {};
}

void Replay::finish(std::uint64_t torn_from, std::uint64_t used_end) {
  for (Item& item : pending_) {
    if (item.gap) {
      torn_from = item.gap->offset;
      break;
    }
    if (is_lane_state(item.scanned.group)) continue;  // every segment has its own
    out_.unproven.push_back(std::move(item.scanned));
  }
  if (used_end > torn_from) out_.torn_bytes = used_end - torn_from;
  out_.last = out_.unproven.empty() ? out_.proven : out_.unproven.back().group.commit;
  for (const ScannedGroup& scanned : out_.unproven) {
    const auto last = last_before(scanned.group);
    if (last) close_damage(*last);
    repeats_.add(scanned.group);
  }
  if (!open_ || open_->bytes == 0 || request_.last_sequence_max == 0) return;
  out_.unbounded_from = open_->first;
  close_damage(std::min(open_->first - 1 + open_->events_max(), request_.last_sequence_max));
}

}  // namespace

Result<Replayed> replay_segment(ReplayRequest request, RepeatWindow& repeats) {
  return Replay(std::move(request), repeats).run();
}

std::vector<DamagedRange> parts_by_runs(DamagedRange range, const std::vector<LaneRun>& runs) {
  std::vector<DamagedRange> parts;
  for (const LaneRun& run : runs) {
    if (run.previous_end >= range.last || run.first <= range.first) continue;
    if (run.previous_end >= range.first) parts.push_back({range.first, run.previous_end});
    range.first = run.first;
  }
  if (range.first <= range.last) parts.push_back(range);
  return parts;
}

Result<LaneState> read_own_state(const OpenFile& file, std::uint64_t file_bytes, const SegmentHeader& header) {
  SegmentScan scan(file, file_bytes, header.seed());
  const ScanStep step = TRY(scan.next());
  const auto* scanned = std::get_if<ScannedGroup>(&step);
  if (!scanned || !is_lane_state(scanned->group)) return fail(Errc::BadInput, "the lane state of a segment is damaged");
  RecordWalk walk(scanned->group.records);
  return decode_lane_state(walk.next()->body());
}

}  // namespace storage
