// SPDX-License-Identifier: Apache-2.0
#include "storage/log/tools/verify.h"

#include <algorithm>
#include <map>
#include <utility>

#include "storage/log/segment_replay.h"
#include "storage/log/tools/footer_check.h"
#include "storage/log/tools/offset_gaps.h"

namespace storage {

using base::Errc;
using base::Result;
using Certainty = OffsetGap::Certainty;

namespace {

bool overlaps(const DamagedRange& range, const OffsetGap& gap) {
  return range.last > gap.after && range.first < gap.before;
}

bool is_same(const TopicState& a, const TopicState& b) {
  return a.next_offset == b.next_offset && a.complete_after == b.complete_after && a.retention == b.retention &&
         a.identity == b.identity;
}

// But for the manifest, which names one segment more, and for what was forgotten because it holds nothing any more. A
// start may have changed the identity.
bool goes_on(const LaneState& state, const SegmentHeader& header, const LaneState& before) {
  const bool same_identity = state.identity.epoch == before.identity.epoch && state.lock == before.lock &&
                             state.identity.deduplication_key == before.identity.deduplication_key;
  if (!same_identity && header.kind != SegmentKind::Recovery) return false;
  return state.next_sequence == before.next_sequence &&
         std::ranges::equal(state.topics, before.topics,
                            [](const auto& one, const auto& other) { return is_same(one, other); });
}

std::uint64_t events_of(const GroupView& group) {
  std::uint64_t events = 0;
  for (RecordWalk walk(group.records); const auto record = walk.next();) {
    if (record->kind == RecordKind::Batch) events += BatchRecord(*record).events();
  }
  return events;
}

// Which of the whole groups of a segment can count: commits and sequences ascend. What does not is left over from a
// time before them, and indexes take no such group.
class GroupOrder final {
 public:
  bool add(const ScannedGroup& scanned) {
    end_offset_ = scanned.offset + scanned.group.bytes();
    Sequence last = last_sequence_;
    if (scanned.group.commit.number <= last_commit_ && scanned.offset != kFirstGroupAt) return false;
    for (RecordWalk walk(scanned.group.records); const auto record = walk.next();) {
      if (record->kind != RecordKind::Batch) continue;
      const BatchRecord batch(*record);
      if (batch.first_sequence() <= last || batch.last_sequence() < batch.first_sequence()) return false;
      last = batch.last_sequence();
    }
    last_commit_ = scanned.group.commit.number;
    last_sequence_ = last;
    return true;
  }
  std::uint64_t end_offset() const { return end_offset_; }

 private:
  std::uint64_t end_offset_ = 0;
  CommitNumber last_commit_ = 0;
  Sequence last_sequence_ = 0;
};

class Verifier final {
 public:
  Verifier(const StoppedLane& lane, const OnProgress& on_progress) : lane_(lane), on_progress_(on_progress) {
    for (const SurveyedSegment& segment : lane.survey.segments) bytes_all_ += segment.file_bytes;
  }

  Result<Verification> run();

 private:
  // Where the segment before ended, if nothing of it was damaged.
  struct Before {
    ManifestEntry end;
    LaneState state;
  };

  Result<void> verify_segment(const SurveyedSegment&);
  Result<void> walk_groups(const SurveyedSegment&, std::uint64_t end_offset);
  Result<std::optional<LaneState>> read_state(const SurveyedSegment&);
  Result<Replayed> replay(const SurveyedSegment&, const std::optional<LaneState>&) const;
  void compare_with_before(const SurveyedSegment&, const std::optional<LaneState>&);
  bool is_damaged_between(const ManifestEntry& before, const SurveyedSegment&) const;
  void compare_end(const SurveyedSegment&, const Replayed&);
  void note_finding(const RecoveryFinding&);
  void fault(const std::string& sentence) { add_once(out_.faults, sentence); }
  static void add_once(std::vector<std::string>&, const std::string& sentence);
  void name_topics();
  bool add_loss(const OffsetGap&);

  const StoppedLane& lane_;
  const OnProgress& on_progress_;
  std::uint64_t bytes_all_ = 0;
  Verification out_;
  std::vector<DamagedRange> damage_;
  OffsetGaps gaps_;
  std::map<Sequence, std::uint64_t> known_;  // by the first event of a damage: of how many the topics are known
  std::optional<Before> before_;
};

Result<Verification> Verifier::run() {
  damage_ = lane_.state.damage;
  for (const RecoveryFinding& finding : lane_.survey.findings) note_finding(finding);
  for (const SurveyedSegment& segment : lane_.survey.segments) {
    TRY(verify_segment(segment));
    out_.bytes += segment.file_bytes;
    on_progress_(out_.bytes, bytes_all_);
  }
  gaps_.add(lane_.survey.state, Certainty::AtMost);
  for (const ScannedGroup& scanned : lane_.survey.unproven) out_.events += events_of(scanned.group);
  name_topics();
  return std::move(out_);
}

Result<void> Verifier::verify_segment(const SurveyedSegment& segment) {
  const std::optional<LaneState> state = TRY(read_state(segment));
  compare_with_before(segment, state);
  const bool begins_run = segment.header.kind == SegmentKind::Recovery;
  if (state) gaps_.add(*state, begins_run ? Certainty::AtMost : Certainty::Known);

  Replayed replayed = TRY(replay(segment, state));
  for (const RecoveryFinding& finding : replayed.findings) note_finding(finding);
  for (const DamagedRange& range : replayed.damage) add_damage(damage_, range);
  compare_end(segment, replayed);
  ++out_.segments;
  on_progress_(out_.bytes + segment.file_bytes / 2, bytes_all_);
  TRY(walk_groups(segment, replayed.end_offset));
  before_.reset();
  const bool is_whole = replayed.damaged_bytes == 0 && replayed.proven.number == segment.end.last_commit;
  if (state && is_whole) before_ = Before{segment.end, std::move(replayed.state)};
  return {};
}

// Every group once more, for what is not the business of one group alone.
Result<void> Verifier::walk_groups(const SurveyedSegment& segment, std::uint64_t end_offset) {
  FooterCheck footer(segment);
  SegmentScan scan(segment.file, segment.file_bytes, segment.header.seed());
  for (GroupOrder order; order.end_offset() < end_offset;) {
    const ScanStep step = TRY(scan.next());
    if (std::holds_alternative<ScanEnd>(step)) break;
    const auto* scanned = std::get_if<ScannedGroup>(&step);
    if (scanned == nullptr || !order.add(*scanned)) {
      footer.note_damage();
      continue;
    }
    footer.add(scanned->offset, scanned->group);
    gaps_.add(scanned->group);
    out_.events += events_of(scanned->group);
  }
  if (const auto wrong = TRY(footer.finish())) {
    fault(*wrong);
  } else if (segment.footer == OpenSegment::Footer::Whole) {
    ++out_.footers;
  }
  return {};
}

// What the lane was before the segment's first event. None: it is damaged, or younger than the events, since retention
// has rewritten them.
Result<std::optional<LaneState>> Verifier::read_state(const SurveyedSegment& segment) {
  auto own = read_own_state(segment.file, segment.file_bytes, segment.header);
  if (!own && own.error().code != Errc::BadInput) return std::unexpected(own.error());
  if (!own) fault(segment.name + ": the lane state at its front is damaged");
  if (!own || segment.header.kind == SegmentKind::Rewritten) return std::nullopt;
  return std::move(*own);
}

// Everything up to the end that the manifest knows is synced, so what is missing is damaged.
Result<Replayed> Verifier::replay(const SurveyedSegment& segment, const std::optional<LaneState>& state) const {
  ReplayRequest request{.file = segment.file, .file_bytes = segment.file_bytes, .header = segment.header, .state = {}};
  request.proven = ~CommitNumber{0};
  request.until = segment.end.last_commit;
  request.last_sequence_max = segment.end.last_sequence;
  if (state) {
    request.state = *state;
  } else {
    request.applies = ReplayRequest::Applies::Sequences;
    request.state.next_sequence = segment.end.first_sequence;
    request.state.runs = lane_.state.runs;
  }
  RepeatWindow no_repeats(0, 0);
  return replay_segment(std::move(request), no_repeats);
}

void Verifier::compare_with_before(const SurveyedSegment& segment, const std::optional<LaneState>& state) {
  const SegmentHeader& header = segment.header;
  if (!before_ || !state || header.continues != before_->end.last_commit) return;
  if (header.continues_crc != before_->end.last_commit_crc) {
    fault(segment.name + ": it does not continue the segment before it");
  } else if (!goes_on(*state, header, before_->state) && !is_damaged_between(before_->end, segment)) {
    fault(segment.name + ": the lane state at its front is not what the groups before it come to");
  }
}

// Then a start knew of more than the groups say.
bool Verifier::is_damaged_between(const ManifestEntry& before, const SurveyedSegment& segment) const {
  return std::ranges::any_of(damage_, [&](const DamagedRange& range) {
    return range.last > before.last_sequence && range.first < segment.end.first_sequence;
  });
}

void Verifier::compare_end(const SurveyedSegment& segment, const Replayed& replayed) {
  const ManifestEntry& end = segment.end;
  if (replayed.state.next_sequence <= end.last_sequence) {
    const DamagedRange range{replayed.state.next_sequence, end.last_sequence};
    add_once(out_.places, segment.name + ": its end is damaged: events " + std::to_string(range.first) + " to " +
                              std::to_string(range.last) + " cannot be read");
    add_damage(damage_, range);
  } else if (replayed.proven.number == end.last_commit && replayed.proven.crc != end.last_commit_crc) {
    fault(segment.name + ": it ends with another commit than the one that was written down");
  }
}

void Verifier::note_finding(const RecoveryFinding& finding) {
  if (finding.kind == RecoveryFinding::Kind::Damage) add_once(out_.places, finding.sentence);
}

void Verifier::add_once(std::vector<std::string>& sentences, const std::string& sentence) {
  if (std::ranges::find(sentences, sentence) == sentences.end()) sentences.push_back(sentence);
}

// Each gap belongs to the damage that it overlaps; one that belongs to none is a fault of its own.
void Verifier::name_topics() {
  for (const DamagedRange& range : damage_) out_.damage.push_back({range, {}});
  for (const Certainty certainty : {Certainty::Known, Certainty::AtMost}) {
    for (OffsetGap gap : gaps_.gaps()) {
      // What was trimmed may have gone from the disk.
      const Sequence complete_after = lane_.topic(gap.topic).complete_after;
      const bool may_be_trimmed = complete_after > gap.after;
      if (may_be_trimmed) gap.certainty = Certainty::AtMost;
      if (gap.certainty != certainty) continue;
      gap.after = std::max(gap.after, complete_after);
      if (gap.before <= gap.after + 1 || add_loss(gap) || may_be_trimmed) continue;
      fault("up to " + std::to_string(gap.events) + " events of `" + lane_.topic(gap.topic).identity +
            "` are missing between sequences " + std::to_string(gap.after) + " and " + std::to_string(gap.before) +
            ", and nothing says why");
    }
  }
}

// Whether there is any damage that explains the gap. Where all events are accounted for, nothing is guessed.
bool Verifier::add_loss(const OffsetGap& gap) {
  bool is_explained = false;
  for (VerifiedDamage& damage : out_.damage) {
    if (!overlaps(damage.range, gap)) continue;
    is_explained = true;
    if (gap.certainty == Certainty::AtMost && known_[damage.range.first] > damage.range.last - damage.range.first) {
      continue;
    }
    const Sequence first = std::max(damage.range.first, gap.after + 1);
    const Sequence last = std::min(damage.range.last, gap.before - 1);
    const std::uint64_t events = std::min(gap.events, last - first + 1);
    const auto known = std::ranges::find(damage.lost, gap.topic, &LostEvents::topic);
    if (known == damage.lost.end()) {
      damage.lost.push_back({gap.topic, events});
    } else {
      known->events_max += events;
    }
    if (gap.certainty == Certainty::Known) known_[damage.range.first] += events;
  }
  return is_explained;
}

}  // namespace

Result<Verification> verify(const StoppedLane& lane, const OnProgress& on_progress) {
  return Verifier(lane, on_progress).run();
}

}  // namespace storage
