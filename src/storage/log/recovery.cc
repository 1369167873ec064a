// SPDX-License-Identifier: Apache-2.0
#include "storage/log/recovery.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "storage/lane_clock.h"
#include "storage/log/file_steps.h"
#include "storage/log/lock_file.h"
#include "storage/log/recovery_room.h"
#include "storage/log/recovery_segment.h"
#include "storage/log/reserve.h"

namespace storage {

using base::Errc;
using base::fail;
using base::Result;
using Kind = RecoveryFinding::Kind;

namespace {

constexpr std::uint64_t kRunGapsMax = 1u << 16;  // of one start, whatever numbers files have

constexpr std::uint64_t kRunGroupBytesMax = 256;

constexpr char kDamagedEnding[] = ".damaged";

class Recovery final {
 public:
  Recovery(io::World world, const std::string& directory, const Limits& limits)
      : world_(world), directory_(world.file_system, directory), limits_(limits) {}

  Result<Recovered> run();

 private:
  Result<void> settle_identity();
  // Where the room for the new segment comes from; each is tried when the one before it was not enough.
  enum class Room : std::uint8_t { Free, Unfinished, Reserve, Zeros, AllZeros };
  Result<void> write_where_there_is_room();
  bool find_room(Room);
  bool reuse_unfinished();
  bool give_back(std::uint64_t bytes);
  Result<void> write_segment(Room);
  Result<void> write_start(Room, const std::string& temporary);
  std::uint64_t bytes_needed() const { return round_up_to_block(segment_.bytes.size() + kRunGroupBytesMax); }
  Sequence first_of_run(Sequence next_sequence) const;
  void add_lost_run();
  Result<void> open_run();
  void forget_old_repeats();
  void clean_up();
  void make_reserve_of_largest(std::vector<std::string>& superseded);
  void enlarge_reserve(std::uint64_t bytes_wanted);
  std::uint64_t size_of(const std::string& name) const;
  std::uint64_t free_bytes() const;
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
  bool was_full_ = false;               // some attempt found no space
  Recovered::Room room_ = Recovered::Room::Enough;
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
  TRY(write_where_there_is_room());
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

Result<void> Recovery::write_where_there_is_room() {
  number_ = found_.highest_number;
  auto written = write_segment(Room::Free);
  // A reserve that was too small is free room after that.
  for (const Room room : {Room::Unfinished, Room::Reserve, Room::Free, Room::Zeros, Room::AllZeros}) {
    if (written || !is_out_of_space(written.error())) return written;
    was_full_ = true;
    if (find_room(room)) written = write_segment(room == Room::Unfinished ? Room::Reserve : room);
  }
  return written;
}

// Whether it is worth a try. Nothing that goes here says anything about the lane, so it need not wait for the new
// segment.
bool Recovery::find_room(Room room) {
  switch (room) {
    case Room::Free: return true;
    case Room::Unfinished: return size_of(kReserveName) == 0 && reuse_unfinished();
    case Room::Reserve: return size_of(kReserveName) > 0;
    case Room::Zeros: return give_back(bytes_needed());
    case Room::AllZeros: return give_back(std::numeric_limits<std::uint64_t>::max());
  }
  return false;
}

// What was begun by somebody who had the room for it.
bool Recovery::reuse_unfinished() {
  std::vector<std::string> unfinished;
  std::ranges::copy_if(found_.names, std::back_inserter(unfinished), is_unfinished);
  const auto size = [this](const std::string& name) { return size_of(name); };
  const auto largest = std::ranges::max_element(unfinished, {}, size);
  if (largest == unfinished.end() || size(*largest) == 0 || !make_reserve_of(directory_, *largest)) return false;
  std::erase(found_.names, *largest);
  return true;
}

bool Recovery::give_back(std::uint64_t bytes) {
  std::vector<std::string> names;
  for (auto name = found_.names.rbegin(); name != found_.names.rend(); ++name) {
    if (segment_number(*name)) names.push_back(*name);
  }
  const std::vector<Shortened> shortened = give_back_zeros(directory_, names, bytes);
  for (const Shortened& file : shortened) {
    const auto counting = std::ranges::find(found_.segments, file.name, &SurveyedSegment::name);
    if (counting != found_.segments.end()) counting->file_bytes = file.bytes;
  }
  return !shortened.empty();
}

// All steps of docs/formats/log.md, 3. A second attempt takes another number: of the first one nobody knows what is on
// the disk.
Result<void> Recovery::write_segment(Room room) {
  if (number_ == std::numeric_limits<SegmentNumber>::max()) {
    return fail(Errc::TooLarge, "no number is left for a new segment");
  }
  const std::string name = segment_name(++number_);
  const std::string temporary = temporary_name(name);
  add_lost_run();
  segment_ = TRY(build_recovery_segment(found_, begins_, number_, world_.random.u64(), world_.clock.wall_ms()));
  const auto written = write_start(room, temporary);
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

// On a full disk with room for the run: once the segment has its name, it does not fail for want of that.
Result<void> Recovery::write_start(Room room, const std::string& temporary) {
  if (room == Room::Reserve) {
    TRY(directory_.rename(kReserveName, temporary));
    TRY(directory_.sync());
  }
  file_ = TRY(directory_.open(temporary, room == Room::Reserve ? io::OpenMode::Existing : io::OpenMode::CreateNew));
  const std::uint64_t bytes = segment_.bytes.size();
  TRY(file_.write(0, segment_.bytes));
  if (was_full_) TRY(file_.write(bytes, std::string(bytes_needed() - bytes, '\0')));
  return file_.sync();
}

// Sequences begin above every one that was ever given out. If a start has left nothing but its segment, the disk may
// have lied to it, and its run began a gap above what is found now: so each such segment counts for one gap.
Sequence Recovery::first_of_run(Sequence next_sequence) const {
  if (found_.history == Survey::History::None) return 1;
  const std::uint64_t gaps = std::min<std::uint64_t>(number_ - found_.runs_known_through, kRunGapsMax);
  return next_sequence - 1 + gaps * limits_.run_gap;
}

// Where a run began of which nothing is left, nobody knows, and somebody may have seen its events: whatever may have
// been one is damage, up to the run that begins now.
void Recovery::add_lost_run() {
  if (found_.lost_run_from == 0) return;
  const DamagedRange range{found_.lost_run_from, first_of_run(found_.state.next_sequence) - 1};
  add_damage(begins_.damage, range);
  note(Kind::Damage, "the record of a run is lost, and perhaps events of it: none from " + std::to_string(range.first) +
                         " to " + std::to_string(range.last) + " can be read");
}

Result<void> Recovery::open_run() {
  LaneRun run{.first = first_of_run(segment_.state.next_sequence), .previous_end = segment_.state.end()};
  // A position in damage is not ahead.
  if (!segment_.state.damage.empty()) run.previous_end = std::max(run.previous_end, segment_.state.damage.back().last);
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
  std::vector<std::string> unfinished;
  std::ranges::copy_if(found_.names, std::back_inserter(unfinished), is_unfinished);
  remove(unfinished, "unfinished");
  std::vector<std::string> superseded = std::exchange(found_.superseded, {});
  std::ranges::copy(abandoned_, std::back_inserter(superseded));
  const std::uint64_t wanted = reserve_bytes(limits_, segment_.bytes.size());
  const bool is_tight = size_of(kReserveName) < wanted && (was_full_ || free_bytes() < wanted);
  if (is_tight) make_reserve_of_largest(superseded);
  remove(superseded, "superseded");
  for (const std::string& name : found_.unreadable) put_aside(name);
  if (is_tight) enlarge_reserve(wanted);
  if (!directory_.sync()) note(Kind::Info, "the directory could not be synced after cleaning up");
  if (was_full_) note(Kind::Info, "the disk is full: this start took room that was kept for it");
  if (is_tight && size_of(kReserveName) < wanted) room_ = Recovered::Room::Short;
}

// The next start must find as much as this one, and room that is free for a moment may be somebody else's in the next.
void Recovery::make_reserve_of_largest(std::vector<std::string>& superseded) {
  const auto size = [this](const std::string& name) { return size_of(name); };
  const auto largest = std::ranges::max_element(superseded, {}, size);
  if (largest == superseded.end() || size(*largest) <= size_of(kReserveName)) return;
  if (make_reserve_of(directory_, *largest)) superseded.erase(largest);
}

// Segments that are not written any more have no use for zeros. They give them back step by step, so that whenever this
// ends there are some, here or there.
void Recovery::enlarge_reserve(std::uint64_t bytes_wanted) {
  std::uint64_t step = bytes_needed();
  for (std::uint64_t bytes = size_of(kReserveName); bytes < bytes_wanted && give_back(step); step *= 2) {
    static_cast<void>(grow_reserve(directory_, std::min(bytes + step, bytes_wanted), bytes_needed()));
    bytes = size_of(kReserveName);
  }
  if (!grow_reserve(directory_, bytes_wanted, bytes_needed())) note(Kind::Info, "the reserve could not be enlarged");
}

// Of the file system; one that does not tell has enough.
std::uint64_t Recovery::free_bytes() const {
  const auto reply = world_.file_system.carry_out({.kind = io::FileRequest::Kind::Space, .path = directory_.path()});
  return reply ? reply->space.free_bytes : std::numeric_limits<std::uint64_t>::max();
}

// 0: there is none.
std::uint64_t Recovery::size_of(const std::string& name) const {
  const auto found = directory_.status(name);
  return found ? found->size : 0;
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
  newest.end_offset = segment_.bytes.size();
  newest.file_bytes = std::max(newest.end_offset, size_of(segment_name(segment_.header.number)));
  recovered.repeats = std::move(found_.repeats);
  if (found_.history != Survey::History::None) recovered.previous_wall_ms = found_.last.wall_ms;
  recovered.room = room_;
  recovered.findings = std::move(found_.findings);
  return recovered;
}

}  // namespace

Result<Recovered> recover(io::World world, const std::string& directory, const Limits& limits) {
  return Recovery(world, directory, limits).run();
}

}  // namespace storage
