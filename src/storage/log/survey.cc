// SPDX-License-Identifier: Apache-2.0
#include "storage/log/survey.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "storage/log/sealed_segment.h"
#include "storage/log/segment_replay.h"

namespace storage {

using base::Errc;
using base::fail;
using base::Result;
using Kind = RecoveryFinding::Kind;

namespace {

constexpr std::size_t kSegmentNameBytes = 24;  // of a segment; what is derived from it has more behind

bool is_covered(const std::vector<DamagedRange>& damage, const DamagedRange& range) {
  return std::ranges::any_of(
      damage, [&](const DamagedRange& each) { return each.first <= range.first && range.last <= each.last; });
}

ManifestEntry manifest_entry(const SegmentHeader& header, const Replayed& replayed) {
  return {
      header.number,          header.id,           replayed.index.first_sequence(),   replayed.index.last_sequence(),
      replayed.proven.number, replayed.proven.crc, replayed.index.last_lane_time_ns()};
}

// Recovery syncs what it copies before it uses it, and a later commit proves that: only then is it damage if a copy is
// missing.
bool was_not_finished(const SegmentHeader& header, const Replayed& replayed) {
  if (header.kind != SegmentKind::Recovery) return false;
  const bool is_complete = replayed.own_state == Replayed::OwnState::Whole && replayed.copies == header.copies;
  return !is_complete && replayed.newest_known_synced < header.continues + 1 + header.copies;
}

// What the lane was at some commit, and what was found to be damaged before it.
struct RebuiltState {
  LaneState state;
  ReplayRequest::Before before = ReplayRequest::Before::Complete;
  std::vector<DamagedRange> damage = {};  // not part of `state`
  std::vector<RecoveryFinding> findings = {};
};

// What the lane was at that commit, if the segment is the last one before it. `begins` is what the segment says itself.
Result<RebuiltState> replay_until(CommitNumber until, const SegmentFile& file, RebuiltState begins) {
  LaneState& state = begins.state;
  const bool is_rewritten = file.header->kind == SegmentKind::Rewritten;
  ReplayRequest request{.file = file.file, .file_bytes = file.bytes, .header = *file.header, .state = {}};
  if (is_rewritten) request.applies = ReplayRequest::Applies::Sequences;
  if (!is_rewritten) request.state = state;
  request.before = begins.before;
  request.last_sequence_max = 0;
  request.proven = request.until = until;
  RepeatWindow no_repeats(0, 0);
  Replayed replayed = TRY(replay_segment(std::move(request), no_repeats));
  if (is_rewritten) {
    // It was rewritten later, perhaps behind what follows now: only where the sequences stood is turned back.
    state.next_sequence = replayed.index.last_sequence() + 1;
    std::erase_if(state.runs, [&](const LaneRun& run) { return run.first > state.next_sequence; });
    std::erase_if(state.manifest, [&](const ManifestEntry& entry) { return entry.number >= file.number; });
  } else {
    state = std::move(replayed.state);
    begins.before = ReplayRequest::Before::Uncertain;
    // The manifest will not know it: an entry ends with the last event that can be read.
    std::ranges::copy(replayed.damage, std::back_inserter(begins.damage));
    std::ranges::move(replayed.findings, std::back_inserter(begins.findings));
  }
  if (!replayed.index.empty()) state.manifest.push_back(manifest_entry(*file.header, replayed));
  return begins;
}

class Surveyor final {
 public:
  Surveyor(io::FileSystem& file_system, const std::string& directory, const SurveyOptions& options)
      : directory_(file_system, directory), options_(options) {}

  Result<Survey> run();

 private:
  Result<void> open_files();
  Result<void> find_newest();
  Result<bool> take_as_newest(std::size_t index);
  Result<std::optional<RebuiltState>> state_before(std::size_t index) const;
  Result<std::optional<RebuiltState>> rebuild_state_before(std::size_t index) const;
  Result<std::vector<ManifestEntry>> manifest_at_end();
  Result<void> read_older(const std::vector<ManifestEntry>& manifest);
  Result<void> read_entry(const ManifestEntry&);
  void take_trims_of(const SurveyedSegment& rewritten);
  void bound_trims();
  void lose_entry(const ManifestEntry&, const std::string& why);
  void add_newest();
  void add_repeats();
  void sort_out_the_rest();
  void note_damage(const std::vector<DamagedRange>&, std::vector<RecoveryFinding>);
  void note(Kind kind, std::string sentence) { out_.findings.push_back({kind, std::move(sentence)}); }

  Directory directory_;
  const SurveyOptions options_;
  Survey out_;
  std::vector<SegmentFile> files_;                   // newest first
  std::size_t newest_ = 0;                           // of files_
  RebuiltState begins_;                              // before the newest: what was found on the way to it
  Replayed replayed_;                                // the newest
  std::vector<std::deque<RestoredRepeat>> repeats_;  // newest first
  std::size_t repeats_room_ = 0;
  std::uint64_t lane_time_ns_ = 0;  // of the newest commit
  Sequence end_ = 0;                // of the lane
};

Result<Survey> Surveyor::run() {
  TRY(open_files());
  if (files_.empty()) return std::move(out_);
  TRY(find_newest());
  const std::vector<ManifestEntry> manifest = TRY(manifest_at_end());
  TRY(read_older(manifest));
  bound_trims();
  add_newest();
  add_repeats();
  sort_out_the_rest();
  return std::move(out_);
}

Result<void> Surveyor::open_files() {
  out_.names = TRY(directory_.names());
  for (const std::string& name : out_.names) {
    const auto number = segment_number(name.substr(0, kSegmentNameBytes));
    if (!number) continue;
    out_.highest_number = std::max(out_.highest_number, *number);
    if (name.size() == kSegmentNameBytes) files_.push_back(TRY(open_segment_file(directory_, name, options_.mode)));
  }
  std::ranges::reverse(files_);
  return {};
}

// The newest file that can be read, unless recovery was cut off while it made that: then the one before it.
Result<void> Surveyor::find_newest() {
  out_.history = Survey::History::Whole;
  for (newest_ = 0; newest_ < files_.size(); ++newest_) {
    if (!TRY(take_as_newest(newest_))) continue;
    out_.newest = files_[newest_].header;
    out_.state = std::move(replayed_.state);
    out_.proven = replayed_.proven;
    out_.last = replayed_.last;
    out_.unproven = std::move(replayed_.unproven);
    note_damage(begins_.damage, std::move(begins_.findings));
    return {};
  }
  return fail(Errc::BadInput, "no segment of this directory can be read");
}

Result<bool> Surveyor::take_as_newest(std::size_t index) {
  const SegmentFile& file = files_[index];
  if (!file.header) {
    out_.history = Survey::History::NotProvable;
    note(Kind::Damage, file.name + ": its header is damaged, and nothing in it can be read any more");
    return false;
  }
  std::optional<RebuiltState> begins = TRY(state_before(index));
  ReplayRequest request{.file = file.file, .file_bytes = file.bytes, .header = *file.header, .state = {}};
  // The lane state of a rewritten segment is younger than its groups.
  const bool is_replayed = begins && file.header->kind != SegmentKind::Rewritten;
  if (is_replayed) {
    request.state = begins->state;
    request.before = begins->before;
  }
  if (!is_replayed) request.applies = ReplayRequest::Applies::Sequences;
  RepeatWindow repeats(options_.repeat_window_ns, options_.repeat_entries_max);
  Replayed replayed = TRY(replay_segment(std::move(request), repeats));
  // With nothing older it was finished, since the originals went after that: what it lacks, the disk has lost.
  const bool has_older = index + 1 < files_.size() || replayed.own_state == Replayed::OwnState::Damaged;
  if (has_older && was_not_finished(*file.header, replayed)) {
    note(Kind::Info, file.name + ": was not finished by an earlier recovery, and does not count");
    return false;
  }
  if (replayed.own_state == Replayed::OwnState::Damaged) {
    out_.history = Survey::History::NotProvable;
    note(Kind::Damage, file.name + ": its lane state is damaged");
  }
  if (!begins) {
    out_.unreadable.push_back(file.name);
    return false;
  }
  replayed_ = std::move(replayed);
  if (!is_replayed) replayed_.state = std::move(begins->state);
  begins_ = *std::move(begins);
  lane_time_ns_ = repeats.newest_ns();
  repeats_room_ = repeats.room();
  repeats_.push_back(repeats.take());
  return true;
}

// What the lane was when the segment began: as it says itself, or by what came before it. None: nobody knows.
Result<std::optional<RebuiltState>> Surveyor::state_before(std::size_t index) const {
  const SegmentFile& file = files_[index];
  auto own = read_own_state(file.file, file.bytes, *file.header);
  if (own) return RebuiltState{*std::move(own)};
  if (own.error().code != Errc::BadInput) return std::unexpected(own.error());
  return rebuild_state_before(index);
}

Result<std::optional<RebuiltState>> Surveyor::rebuild_state_before(std::size_t index) const {
  const SegmentHeader& header = *files_[index].header;
  if (header.kind == SegmentKind::Rewritten) return std::nullopt;
  if (header.continues == 0) return RebuiltState{};  // the lane's first one
  for (std::size_t i = index + 1; i < files_.size(); ++i) {
    const SegmentFile& older = files_[i];
    if (!older.header || older.header->continues > header.continues) continue;
    std::optional<RebuiltState> state = TRY(state_before(i));
    if (!state) return std::nullopt;
    return replay_until(header.continues, older, *std::move(state));
  }
  return std::nullopt;
}

// What is not proven yet will be copied, so that a file which it has removed is not missed.
Result<std::vector<ManifestEntry>> Surveyor::manifest_at_end() {
  LaneState state = out_.state;
  for (const ScannedGroup& scanned : out_.unproven) TRY(state.apply(scanned.group));
  end_ = state.end();
  return std::move(state.manifest);
}

Result<void> Surveyor::read_older(const std::vector<ManifestEntry>& manifest) {
  SegmentNumber replaced_from = files_[newest_].number;
  for (auto entry = manifest.rbegin(); entry != manifest.rend(); ++entry) {
    // Retention ended between the rewritten file's name and the manifest that says so.
    if (entry->number >= replaced_from) continue;
    TRY(read_entry(*entry));
    if (out_.segments.empty() || out_.segments.back().header.kind != SegmentKind::Rewritten) continue;
    const SegmentHeader& header = out_.segments.back().header;
    replaced_from = std::min({replaced_from, header.number, header.first_replaced});
  }
  std::ranges::reverse(out_.segments);
  return {};
}

Result<void> Surveyor::read_entry(const ManifestEntry& entry) {
  const auto file = std::ranges::find(files_, entry.number, &SegmentFile::number);
  if (file == files_.end()) {
    lose_entry(entry, "is missing");
    return {};
  }
  if (file->header && file->header->id != entry.id && file->header->kind != SegmentKind::Rewritten) {
    out_.unreadable.push_back(file->name);
    lose_entry(entry, "is another file of that name");
    return {};
  }
  RepeatWindow repeats(options_.repeat_window_ns, repeats_room_, lane_time_ns_);
  SealedReading reading = TRY(read_sealed_segment(*file, entry, out_.state.runs, repeats));
  repeats_room_ = repeats.room();
  repeats_.push_back(repeats.take());
  if (!reading.segment) {
    out_.unreadable.push_back(file->name);
    lose_entry(entry, "cannot be read");
    return {};
  }
  if (reading.segment->end.id != entry.id || replayed_.damaged_bytes > 0) take_trims_of(*reading.segment);
  note_damage(reading.damage, std::move(reading.findings));
  out_.segments.push_back(*std::move(reading.segment));
  return {};
}

// What was left out of a rewritten segment was trimmed before. If what said so is lost, the segment still knows.
void Surveyor::take_trims_of(const SurveyedSegment& rewritten) {
  const auto own = read_own_state(rewritten.file, rewritten.file_bytes, rewritten.header);
  if (!own) return;
  const std::size_t topics = std::min(own->topics.size(), out_.state.topics.size());
  for (std::size_t i = 0; i < topics; ++i) {
    Sequence& complete_after = out_.state.topics[i].complete_after;
    complete_after = std::max(complete_after, own->topics[i].complete_after);
  }
}

// A rewritten segment, younger than its groups, may have known of events that are lost.
void Surveyor::bound_trims() {
  for (auto& topic : out_.state.topics) topic.complete_after = std::min(topic.complete_after, end_);
}

void Surveyor::lose_entry(const ManifestEntry& entry, const std::string& why) {
  const DamagedRange range{entry.first_sequence, entry.last_sequence};
  note_damage({range},
              {{Kind::Damage, segment_name(entry.number) + " " + why + ": events " + std::to_string(range.first) +
                                  " to " + std::to_string(range.last) + " are lost"}});
}

// What an earlier start knew is not found again.
void Surveyor::note_damage(const std::vector<DamagedRange>& damage, std::vector<RecoveryFinding> findings) {
  bool is_new = damage.empty();
  for (const DamagedRange& whole : damage) {
    for (const DamagedRange& range : parts_by_runs(whole, out_.state.runs)) {
      if (is_covered(out_.state.damage, range)) continue;
      is_new = true;
      add_damage(out_.state.damage, range);
      out_.new_damage.push_back(range);
    }
  }
  if (is_new) std::ranges::move(findings, std::back_inserter(out_.findings));
}

void Surveyor::add_newest() {
  SegmentFile& file = files_[newest_];
  const std::uint64_t end =
      out_.unproven.empty() ? replayed_.end_offset : out_.unproven.back().offset + out_.unproven.back().group.bytes();
  const auto footer = read_footer_trailer(file.file, file.bytes, *file.header);
  if (replayed_.torn_bytes > 0 && !(footer && footer->groups_end == end)) {
    out_.torn_bytes = replayed_.torn_bytes;
    note(Kind::TornTail, file.name + ": the last " + std::to_string(out_.torn_bytes) +
                             " bytes are a write that was never finished; nobody was told of it");
  }
  // A regular segment was begun by a run that is known; one of recovery may have lost its own.
  const bool knows_run = replayed_.own_run == Replayed::OwnRun::Found || file.header->kind != SegmentKind::Recovery;
  if (!knows_run) out_.lost_run_from = replayed_.unbounded_from;
  if (knows_run) out_.runs_known_through = file.number;
  if (!knows_run && !out_.segments.empty()) out_.runs_known_through = out_.segments.back().header.number;
  const bool is_damaged = !replayed_.damage.empty();
  note_damage(replayed_.damage, std::move(replayed_.findings));
  if (replayed_.index.empty()) {
    if (is_damaged) out_.unreadable.push_back(file.name);
  } else {
    SurveyedSegment& segment = out_.segments.emplace_back();
    segment.header = *file.header;
    segment.name = file.name;
    segment.file = std::move(file.file);
    segment.end = manifest_entry(segment.header, replayed_);
    segment.index = std::move(replayed_.index);
    segment.end_offset = replayed_.end_offset;
    segment.file_bytes = file.bytes;
  }
  out_.state.manifest.clear();
  for (const SurveyedSegment& segment : out_.segments) out_.state.manifest.push_back(segment.end);
}

void Surveyor::add_repeats() {
  for (auto older = repeats_.rbegin(); older != repeats_.rend(); ++older) {
    out_.repeats.insert(out_.repeats.end(), older->begin(), older->end());
  }
}

void Surveyor::sort_out_the_rest() {
  for (const SegmentFile& file : files_) {
    const auto counting = std::ranges::find(out_.segments, file.name, &SurveyedSegment::name);
    const auto unreadable = std::ranges::find(out_.unreadable, file.name);
    if (counting != out_.segments.end() || unreadable != out_.unreadable.end()) continue;
    (file.header ? out_.superseded : out_.unreadable).push_back(file.name);
  }
}

}  // namespace

Result<Survey> survey(io::FileSystem& file_system, const std::string& directory, const SurveyOptions& options) {
  return Surveyor(file_system, directory, options).run();
}

}  // namespace storage
