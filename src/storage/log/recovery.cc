// SPDX-License-Identifier: Apache-2.0
#include "storage/log/recovery.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "storage/lane_clock.h"
#include "storage/log/file_steps.h"
#include "storage/log/lock_file.h"
#include "storage/log/recovery_segment.h"

namespace storage {

using base::Errc;
using base::fail;
using base::Result;
using Kind = RecoveryFinding::Kind;

namespace {

constexpr std::uint64_t kRunGapsMax = 1u << 16;  // of one start, whatever numbers files have

constexpr char kReserveName[] = "reserve";
constexpr char kTemporaryEnding[] = ".tmp";
constexpr char kDamagedEnding[] = ".damaged";

class Recovery final {
 public:
  Recovery(io::World world, const std::string& directory, const Limits& limits)
      : world_(world), directory_(world.file_system, directory), limits_(limits) {}

  Result<Recovered> run();

 private:
  Result<void> settle_identity();
  Result<void> write_segment();
  Result<void> write_with_reserve();
  Sequence first_of_run() const;
  Result<void> open_run();
  void forget_old_repeats();
  void clean_up();
  void remove(const std::vector<std::string>& names, const char* what);
  void put_aside(const std::string& name);
  Recovered hand_over();
  void note(Kind kind, std::string sentence) { found_.findings.push_back({kind, std::move(sentence)}); }

  io::World world_;
  Directory directory_;
  const Limits& limits_;
  LaneLock lock_;
  Survey found_;
  LaneState begins_;                    // what the new segment begins with
  SegmentNumber number_ = 0;            // of the new segment
  std::vector<std::string> abandoned_;  // segments of attempts for which there was no space
  RecoverySegment segment_;
  OpenFile file_;  // of segment_
};

Result<Recovered> Recovery::run() {
  TRY(directory_.make());
  lock_ = TRY(take_lock(directory_));
  found_ = TRY(survey(world_.file_system, directory_.path(),
                      {.mode = io::OpenMode::Existing,
                       .repeat_window_ns = limits_.repeat_window_ns,
                       .repeat_entries_max = limits_.repeat_entries_max}));
  TRY(settle_identity());
  TRY(write_with_reserve());
  clean_up();
  forget_old_repeats();
  return hand_over();
}

// The new segment's lane state has the new epoch already: if this start ends here, the next one finds nothing unusual
// any more and must not fall back to the old epoch.
Result<void> Recovery::settle_identity() {
  LaneState end = found_.state;
  for (const ScannedGroup& scanned : found_.unproven) TRY(end.apply(scanned.group));
  begins_ = found_.state;
  begins_.identity.epoch = end.identity.epoch;
  begins_.lock = lock_.identity;
  if (found_.history == Survey::History::None ||
      begins_.identity.deduplication_key == LaneState{}.identity.deduplication_key) {
    world_.random.fill(begins_.identity.deduplication_key);
  }
  if (found_.history == Survey::History::Whole && end.lock == lock_.identity) return {};
  begins_.identity.epoch = world_.random.u64();
  if (found_.history == Survey::History::None) return {};
  note(Kind::EpochChanged,
       found_.history == Survey::History::NotProvable
           ? "the history goes on under a new epoch: what followed the damaged lane state is not provable"
           : "the history goes on under a new epoch: the directory is a copy");
  return {};
}

Result<void> Recovery::write_with_reserve() {
  number_ = found_.highest_number;
  auto written = write_segment();
  const bool has_reserve = std::ranges::find(found_.names, kReserveName) != found_.names.end();
  if (written || !is_out_of_space(written.error()) || !has_reserve) return written;
  TRY(directory_.remove(kReserveName));
  note(Kind::Info, "the disk is full: the reserve was given up for this start");
  return write_segment();
}

// All steps of docs/formats/log.md, 3. A second attempt takes another number: of the first one nobody knows what is on
// the disk.
Result<void> Recovery::write_segment() {
  if (number_ == std::numeric_limits<SegmentNumber>::max()) {
    return fail(Errc::TooLarge, "no number is left for a new segment");
  }
  const std::string name = segment_name(++number_);
  const std::string temporary = name + kTemporaryEnding;
  segment_ = TRY(build_recovery_segment(found_, begins_, number_, world_.random.u64(), world_.clock.wall_ms()));
  file_ = TRY(directory_.open(temporary, io::OpenMode::CreateNew));
  auto written = file_.write(0, segment_.bytes);
  if (written) written = file_.sync();
  if (!written) {
    // What stays is found at the next start.
    static_cast<void>(directory_.remove(temporary));
    return written;
  }
  abandoned_.push_back(temporary);
  TRY(directory_.rename(temporary, name));
  abandoned_.back() = name;
  TRY(directory_.sync());
  TRY(open_run());
  abandoned_.pop_back();
  return {};
}

// Sequences begin above every one that was ever given out. If a start has left nothing but its segment, the disk may
// have lied to it, and its run began a gap above what is found now: so each such segment counts for one gap.
Sequence Recovery::first_of_run() const {
  if (found_.history == Survey::History::None) return 1;
  const std::uint64_t gaps = std::min<std::uint64_t>(number_ - found_.runs_known_through, kRunGapsMax);
  return segment_.state.next_sequence - 1 + gaps * limits_.run_gap;
}

Result<void> Recovery::open_run() {
  const LaneRun run{.first = first_of_run(), .previous_end = segment_.state.end()};
  CommitRecord times;
  times.lane_time_ns = segment_.state.lane_time_ns;
  times.wall_ms = world_.clock.wall_ms();
  const RunGroup group = build_run_group(segment_, run, times);
  TRY(file_.write(segment_.bytes.size(), group.bytes));
  TRY(file_.sync());
  const GroupView view{base::Bytes(group.bytes).substr(0, group.bytes.size() - kCommitBytes), group.commit};
  TRY(segment_.state.apply(view));
  segment_.index.add(segment_.bytes.size(), view);
  segment_.last = group.commit;
  segment_.bytes += group.bytes;
  return {};
}

// From here on the lane is safe: what goes wrong is only reported.
void Recovery::clean_up() {
  std::vector<std::string> temporary;
  for (const std::string& name : found_.names) {
    if (name.ends_with(kTemporaryEnding)) temporary.push_back(name);
  }
  remove(temporary, "unfinished");
  std::vector<std::string> superseded = std::exchange(found_.superseded, {});
  std::ranges::copy(abandoned_, std::back_inserter(superseded));
  remove(superseded, "superseded");
  for (const std::string& name : found_.unreadable) put_aside(name);
  if (!directory_.sync()) note(Kind::Info, "the directory could not be synced after cleaning up");
}

void Recovery::remove(const std::vector<std::string>& names, const char* what) {
  std::string list;
  for (const std::string& name : names) {
    const auto removed = directory_.remove(name);
    if (!removed) note(Kind::Info, name + " is " + what + " and could not be removed");
    if (removed) list += (list.empty() ? "" : ", ") + name;
  }
  if (!list.empty()) note(Kind::Removed, std::string("removed what was ") + what + ": " + list);
}

void Recovery::put_aside(const std::string& name) {
  const std::string aside = name + kDamagedEnding;
  if (directory_.rename(name, aside)) return note(Kind::Info, name + " cannot be read and is kept as " + aside);
  note(Kind::Info, name + " cannot be read and could not be put aside");
}

// The age of an id counts from the lane's time now (docs/formats/log.md, "Time").
void Recovery::forget_old_repeats() {
  std::uint64_t now_ns = found_.last.lane_time_ns;
  const std::int64_t passed_ms = world_.clock.wall_ms() - found_.last.wall_ms;
  if (passed_ms > 0 && static_cast<std::uint64_t>(passed_ms) <= kBelievableStepNs / 1'000'000) {
    now_ns += static_cast<std::uint64_t>(passed_ms) * 1'000'000;
  }
  const std::uint64_t oldest_ns = now_ns - std::min(now_ns, limits_.repeat_window_ns);
  std::erase_if(found_.repeats, [&](const RestoredRepeat& repeat) { return repeat.lane_time_ns < oldest_ns; });
}

Recovered Recovery::hand_over() {
  Recovered recovered;
  recovered.directory = directory_.path();
  recovered.lock = lock_.file.release();
  recovered.last_commit = segment_.last;
  recovered.state = std::move(segment_.state);
  for (SurveyedSegment& older : found_.segments) {
    OpenSegment& open = recovered.segments.emplace_back();
    open.header = older.header;
    open.path = directory_.path_of(older.name);
    open.handle = older.file.release();
    open.index = std::move(older.index);
    open.end_offset = older.end_offset;
    open.file_bytes = older.file_bytes;
    open.end = older.end;
    open.footer = older.footer;
  }
  OpenSegment& newest = recovered.segments.emplace_back();
  newest.header = segment_.header;
  newest.path = directory_.path_of(segment_name(segment_.header.number));
  newest.handle = file_.release();
  newest.index = std::move(segment_.index);
  newest.end_offset = newest.file_bytes = segment_.bytes.size();
  recovered.repeats = std::move(found_.repeats);
  if (found_.history != Survey::History::None) recovered.previous_wall_ms = found_.last.wall_ms;
  recovered.findings = std::move(found_.findings);
  return recovered;
}

}  // namespace

Result<Recovered> recover(io::World world, const std::string& directory, const Limits& limits) {
  return Recovery(world, directory, limits).run();
}

}  // namespace storage
