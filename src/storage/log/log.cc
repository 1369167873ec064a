// SPDX-License-Identifier: Apache-2.0
#include "storage/log/log.h"

#include <algorithm>
#include <utility>

#include "base/result.h"

namespace storage {

using Kind = io::FileRequest::Kind;

namespace {

constexpr char kReserveName[] = "reserve";
constexpr char kTemporaryEnding[] = ".tmp";

// The size of the first segment in a directory, and what a group of control records may need of a fresh one.
std::size_t first_segment_bytes(const Limits& limits) {
  return std::min(limits.segment_bytes_first, limits.segment_bytes_max);
}

// Of a rotation: opening and writing. Whatever fails behind them leaves a disk of which nobody knows what it has.
constexpr std::size_t kPassingSteps = 3;

GroupView view_of(const Block& block, const CommitRecord& commit) {
  return {base::Bytes(block.bytes).substr(0, block.bytes.size() - kCommitBytes), commit};
}

}  // namespace

Log::Log(io::Loop& loop, const LaneClock& clock, Recovered& recovered, const Limits& limits)
    : loop_(loop),
      clock_(clock),
      limits_(limits),
      directory_(recovered.directory),
      lock_(recovered.lock),
      state_(std::move(recovered.state)),
      last_commit_(recovered.last_commit),
      segment_bytes_(first_segment_bytes(limits)),
      zeros_(std::make_shared<std::string>(limits.fill_step_bytes, '\0')),
      idle_timer_([](void* self) { static_cast<Log*>(self)->prove_when_idle(); }, this) {
  CHECK(!recovered.segments.empty(), "a lane was opened without a segment to write");
  for (OpenSegment& segment : recovered.segments) segments_.push_back(std::make_unique<Segment>(std::move(segment)));
  last_number_ = newest().header.number;
  filled_to_ = newest().end_offset;
  if (!newest().index.empty()) return;  // recovery has copied events into it: whoever needs these indexes reads it
  newest().addresses = std::make_unique<AddressIndex>();
  newest().repeats = std::make_unique<SegmentRepeats>();
}

// --- jobs

void Log::persist(std::shared_ptr<Block> block, Done done) {
  CHECK(!event_job_, "a group is persisted before the one before it");
  if (phase_ == Phase::Failed) return answer_later(std::move(done), Persisted::Unknown);
  if (full_ == Full::Yes || budget_ == Budget::Exceeded) return answer_later(std::move(done), Persisted::NoSpace);
  event_job_ = Job{std::move(block), std::move(done)};
  pump();
}

void Log::persist_control(MakeRecords make, Done done) {
  if (phase_ == Phase::Failed) return answer_later(std::move(done), Persisted::Unknown);
  control_jobs_.push_back({nullptr, std::move(done), std::move(make)});
  pump();
}

void Log::answer_later(Done done, Persisted outcome) {
  loop_.post([done = std::move(done), outcome]() mutable { done(outcome); });
}

void Log::pump() {
  if (phase_ != Phase::Idle || job_) return;
  if (!control_jobs_.empty()) {
    job_ = std::move(control_jobs_.front());
    control_jobs_.pop_front();
  } else if (event_job_) {
    job_ = std::exchange(event_job_, std::nullopt);
  } else {
    return;
  }
  idle_timer_.cancel();
  advance();
}

void Log::advance() {
  if (job_->is_control()) {
    job_->block = std::make_shared<Block>();
    job_->block->bytes = job_->make(state_);
    append_commit_room(job_->block->bytes);
  }
  if (!cut_ && !wants_rotation_ && fits()) return write();
  rotate(full_ == Full::Yes && may_use_reserve() ? Room::Reserve : Room::Free);
}

bool Log::fits() const {
  const Segment& segment = *segments_.back();
  // A group that no segment has room for was refused before; a fresh segment takes what there is.
  return segment.index.empty() || segment.end_offset + job_->block->bytes.size() <= segment_bytes_;
}

void Log::finish(Persisted outcome) {
  Job job = *std::exchange(job_, std::nullopt);
  phase_ = Phase::Idle;
  job.done(outcome);
  pump();
  if (outcome != Persisted::Durable && phase_ == Phase::Idle) loop_.set_timer(idle_timer_, limits_.idle_commit_ns);
}

void Log::fail() {
  phase_ = Phase::Failed;
  condition_.store(LaneCondition::ReadOnly, std::memory_order_relaxed);
  std::deque<Job> jobs = std::exchange(control_jobs_, {});
  if (job_) jobs.push_front(*std::exchange(job_, std::nullopt));
  if (event_job_) jobs.push_back(*std::exchange(event_job_, std::nullopt));
  for (Job& job : jobs) job.done(Persisted::Unknown);
}

// --- a new segment

void Log::rotate(Room room) {
  phase_ = Phase::Rotating;
  if (room == Room::Reserve) reserve_ = Reserve::None;
  SegmentHeader header;
  header.number = header.first_replaced = last_number_ + 1;
  header.id = loop_.random().u64();
  header.continues = last_commit_.number;
  header.continues_crc = last_commit_.crc;
  header.created_ms = loop_.wall_ms();
  LaneState state = state_;
  state.lane_time_ns = clock_.now_ns();
  if (!newest().index.empty()) state.manifest.push_back(manifest_entry(newest()));
  CommitRecord commit;
  commit.number = last_commit_.number + 1;
  commit.synced_through = last_commit_.number;
  commit.previous_crc = last_commit_.crc;
  commit.lane_time_ns = state.lane_time_ns;
  commit.wall_ms = header.created_ms;
  SegmentStart start = encode_segment_start(header, state, commit);
  std::vector<io::FileRequest> steps =
      rotation_steps(room, header.number, std::make_shared<const std::string>(std::move(start.bytes)));
  run_steps(loop_, std::move(steps), [this, room, header, commit = start.commit](StepsOutcome outcome) {
    on_rotated(room, header, commit, outcome);
  });
}

// The name comes last: whatever has it is whole.
std::vector<io::FileRequest> Log::rotation_steps(Room room, SegmentNumber number,
                                                 std::shared_ptr<const std::string> start) const {
  const std::string name = path_of(segment_name(number));
  const std::string temporary = room == Room::Reserve ? path_of(kReserveName) : name + kTemporaryEnding;
  std::vector<io::FileRequest> steps;
  const io::OpenMode mode = room == Room::Reserve ? io::OpenMode::Existing : io::OpenMode::Create;
  steps.push_back({.kind = Kind::Open, .path = temporary, .mode = mode});
  if (room == Room::Free) steps.push_back({.kind = Kind::Truncate});
  steps.push_back({.kind = Kind::WriteAt, .data = *start, .keep = start});
  steps.push_back({.kind = Kind::Sync});
  steps.push_back({.kind = Kind::Rename, .path = temporary, .to = name});
  steps.push_back({.kind = Kind::SyncDirectory, .path = directory_});
  return steps;
}

void Log::on_rotated(Room room, const SegmentHeader& header, const CommitRecord& commit, StepsOutcome outcome) {
  if (!outcome.error) {
    begin_segment(header, commit, outcome.handle);
    phase_ = Phase::Idle;
    return advance();
  }
  if (outcome.handle >= 0) close_handle(outcome.handle);
  // Before it has its name, a segment without room is no segment, nor is one that could not be opened for want of
  // descriptors. Any other failure is a disk that nobody can rely on.
  const bool is_passing = is_out_of_space(*outcome.error) || is_out_of_descriptors(*outcome.error);
  if (outcome.failed_step >= kPassingSteps || !is_passing) return fail();
  if (room == Room::Free) drop(path_of(segment_name(header.number)) + kTemporaryEnding);
  on_no_room(room);
}

void Log::begin_segment(const SegmentHeader& header, const CommitRecord& commit, io::FileHandle handle) {
  std::unique_ptr<Segment> previous = std::move(segments_.back());
  segments_.pop_back();
  if (previous->index.empty()) {
    retire(std::move(previous), Name::Drop);
  } else {
    previous->end = manifest_entry(*previous);
    state_.manifest.push_back(previous->end);
    segments_.push_back(std::move(previous));
    segment_bytes_ = std::min(segment_bytes_ * 2, limits_.segment_bytes_max);
  }
  OpenSegment segment;
  segment.header = header;
  segment.path = path_of(segment_name(header.number));
  segment.handle = handle;
  segment.end_offset = kFirstGroupAt + commit.bytes + kCommitBytes;
  segment.file_bytes = segment.end_offset;
  segments_.push_back(std::make_unique<Segment>(std::move(segment)));
  newest().addresses = std::make_unique<AddressIndex>();
  newest().repeats = std::make_unique<SegmentRepeats>();
  last_number_ = header.number;
  last_commit_ = commit;
  filled_to_ = newest().end_offset;
  cut_ = wants_rotation_ = false;
}

void Log::on_no_room(Room room) {
  set_full(Full::Yes);
  cut_ = true;
  phase_ = Phase::Idle;
  if (room == Room::Free && may_use_reserve()) return rotate(Room::Reserve);
  finish(Persisted::NoSpace);
}

ManifestEntry Log::manifest_entry(const Segment& segment) const {
  return {segment.header.number, segment.header.id, segment.index.first_sequence(),   segment.index.last_sequence(),
          last_commit_.number,   last_commit_.crc,  segment.index.last_lane_time_ns()};
}

// --- a group

void Log::write() {
  phase_ = Phase::Writing;
  Block& block = *job_->block;
  commit_ = {};
  commit_.number = last_commit_.number + 1;
  if (!block.entries.empty()) {
    commit_.first_sequence = block.first();
    commit_.last_sequence = block.last();
  }
  commit_.synced_through = last_commit_.number;
  commit_.lane_time_ns = clock_.now_ns();
  commit_.wall_ms = loop_.wall_ms();
  commit_.previous_crc = last_commit_.crc;
  commit_ = seal_group(block.bytes, newest().header.seed(), commit_);
  filled_to_ = std::max(filled_to_, newest().end_offset + block.bytes.size());
  // The range is claimed: a fill that is under way there comes first, and no new one begins below.
  waits_for_fill_ = newest().filling && fill_from_ < newest().end_offset + block.bytes.size();
  if (!waits_for_fill_) submit_write();
}

void Log::submit_write() {
  waits_for_fill_ = false;
  write_error_.reset();
  const io::FileHandle handle = newest().handle;
  io::Files& files = loop_.files();
  files.submit(loop_,
               {.kind = Kind::WriteAt,
                .handle = handle,
                .offset = newest().end_offset,
                .data = job_->block->bytes,
                .keep = job_->block},
               [this](auto reply) {
                 if (!reply) write_error_ = reply.error();
               });
  files.submit(loop_, {.kind = Kind::Sync, .handle = handle}, [this](auto reply) { on_synced(reply); });
}

void Log::on_synced(const base::Result<io::FileReply>& reply) {
  // After a failed sync the page cache holds what the disk does not, and no other sync tells.
  if (!reply || (write_error_ && !is_out_of_space(*write_error_))) return fail();
  if (!write_error_) return make_durable();
  // Part of the group may be there, without its commit. Nothing is written at that place again.
  cut_ = true;
  if (job_->is_control()) {
    phase_ = Phase::Idle;
    return advance();
  }
  set_full(Full::Yes);
  finish(Persisted::NoSpace);
}

void Log::make_durable() {
  const GroupView group = view_of(*job_->block, commit_);
  CHECK(state_.apply(group).has_value(), "the lane cannot read what it wrote");
  Segment& segment = newest();
  if (segment.addresses != nullptr) {
    segment.index.add(segment.end_offset, group, *segment.addresses);
    segment.repeats->add(group);
  } else {
    segment.index.add(segment.end_offset, group);
  }
  segment.end_offset += job_->block->bytes.size();
  segment.file_bytes = std::max(segment.file_bytes, segment.end_offset);
  last_commit_ = commit_;
  fill_ahead();
  if (commit_.records > 0) loop_.set_timer(idle_timer_, limits_.idle_commit_ns);
  finish(Persisted::Durable);
}

// After a second without traffic: the newest group is proven.
void Log::prove_when_idle() {
  // The reserve is for what frees space.
  if (!is_idle() || full_ == Full::Yes) return;
  persist_control([](const LaneState&) { return std::string(); }, [](Persisted) {});
}

// --- zeros ahead of the writer

void Log::fill_ahead() {
  Segment& segment = newest();
  const std::uint64_t end = std::min<std::uint64_t>(segment.end_offset + limits_.fill_ahead_bytes, segment_bytes_);
  // Large groups extend the file themselves: zeros for them would be written twice.
  const bool worth_it = job_->block->bytes.size() < limits_.fill_step_bytes;
  if (segment.filling || full_ == Full::Yes || !worth_it || filled_to_ + limits_.fill_step_bytes > end) return;
  segment.filling = true;
  fill_from_ = filled_to_;
  segment.file_bytes = filled_to_ + zeros_->size();
  filled_to_ += zeros_->size();
  loop_.files().submit(loop_,
                       {.kind = Kind::WriteAt,
                        .handle = segment.handle,
                        .offset = fill_from_,
                        .data = *zeros_,
                        .keep = zeros_,
                        .urgency = io::Urgency::Background},
                       [this, &segment](auto) { on_filled(segment); });
}

// A fill that failed is no loss: the writer extends the file, and is told if there is no room.
void Log::on_filled(Segment& segment) {
  segment.filling = false;
  close_when_unused();
  if (segment.removed) return close_if_unused(segment);
  if (waits_for_fill_ && &segment == &newest()) submit_write();
}

// --- space

std::uint64_t Log::file_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& segment : segments_) bytes += segment->file_bytes;
  return bytes;
}

void Log::set_budget(Budget budget) {
  budget_ = budget;
  if (phase_ != Phase::Failed) set_full(full_);
}

void Log::set_full(Full full) {
  full_ = full;
  const bool refuses = full == Full::Yes || budget_ == Budget::Exceeded;
  condition_.store(refuses ? LaneCondition::Full : LaneCondition::Writable, std::memory_order_relaxed);
}

void Log::maintain() {
  if (phase_ == Phase::Failed) return;
  const bool old = !newest().index.empty() &&
                   clock_.now_ns() - newest().index.extents().front().lane_time_ns >= limits_.segment_age_ns;
  if (old) seal();
  const std::uint64_t window_ns = limits_.repeat_window_ns;
  if (newest().repeats != nullptr && clock_.now_ns() > window_ns) {
    newest().repeats->forget_before(clock_.now_ns() - window_ns);
  }
  switch (reserve_) {
    case Reserve::Unknown: return find_reserve();
    case Reserve::None: return refill_reserve();
    case Reserve::Busy: return;
    case Reserve::Ready: return set_full(Full::No);  // the next group tries again
  }
}

// One that an earlier start has left.
void Log::find_reserve() {
  reserve_ = Reserve::Busy;
  loop_.files().submit(loop_, {.kind = Kind::Status, .path = path_of(kReserveName)}, [this](auto reply) {
    const bool whole = reply && reply->status.size >= first_segment_bytes(limits_);
    reserve_ = whole ? Reserve::Ready : Reserve::None;
    if (!whole && !closed_) refill_reserve();
    close_when_unused();
  });
}

void Log::refill_reserve() {
  reserve_ = Reserve::Busy;
  const std::string name = path_of(kReserveName);
  std::vector<io::FileRequest> steps;
  steps.push_back({.kind = Kind::Open, .path = name + kTemporaryEnding, .mode = io::OpenMode::Create});
  steps.push_back({.kind = Kind::Allocate, .size = first_segment_bytes(limits_)});
  steps.push_back({.kind = Kind::Sync});
  steps.push_back({.kind = Kind::Close});
  steps.push_back({.kind = Kind::Rename, .path = name + kTemporaryEnding, .to = name});
  run_steps(loop_, std::move(steps), [this, name](const StepsOutcome& outcome) {
    reserve_ = outcome.error ? Reserve::None : Reserve::Ready;
    close_when_unused();
    if (!outcome.error) return;
    if (outcome.handle >= 0 && outcome.failed_step < 3) close_handle(outcome.handle);
    drop(name + kTemporaryEnding);
  });
}

void Log::remove_segment(SegmentNumber number, Done done) {
  persist_control(
      [number](const LaneState& state) {
        std::vector<ManifestEntry> manifest = state.manifest;
        std::erase_if(manifest, [&](const ManifestEntry& entry) { return entry.number == number; });
        std::string records;
        append_control_record(records, RecordKind::Segments, 0, encode_manifest(manifest));
        return records;
      },
      [this, number, done = std::move(done)](Persisted outcome) mutable {
        const auto found = std::ranges::find(segments_, number, [](const auto& each) { return each->header.number; });
        if (outcome == Persisted::Durable && found != segments_.end()) {
          std::unique_ptr<Segment> segment = std::move(*found);
          segments_.erase(found);
          retire(std::move(segment), Name::Drop);
        }
        done(outcome);
      });
}

void Log::replace_segments(SegmentNumber first, std::unique_ptr<Segment> segment, Done done) {
  const ManifestEntry entry = segment->end;
  persist_control(
      [first, entry](const LaneState& state) {
        std::vector<ManifestEntry> manifest = state.manifest;
        const auto is_replaced = [&](const ManifestEntry& each) {
          return each.number >= first && each.number <= entry.number;
        };
        const auto replaced = std::ranges::find_if(manifest, is_replaced);
        const auto at = manifest.insert(replaced, entry) + 1;
        manifest.erase(std::remove_if(at, manifest.end(), is_replaced), manifest.end());
        std::string records;
        append_control_record(records, RecordKind::Segments, 0, encode_manifest(manifest));
        return records;
      },
      [this, first, segment = std::move(segment), done = std::move(done)](Persisted outcome) mutable {
        if (outcome == Persisted::Durable) {
          take_place(first, std::move(segment));
        } else {
          close_handle(segment->handle);  // a later start finds the file
        }
        done(outcome);
      });
}

void Log::take_place(SegmentNumber first, std::unique_ptr<Segment> segment) {
  const SegmentNumber last = segment->header.number;
  const auto number_of = [](const auto& each) { return each->header.number; };
  const auto from = std::ranges::lower_bound(segments_, first, {}, number_of);
  const auto to = std::ranges::upper_bound(segments_, last, {}, number_of);
  Segments replaced(std::make_move_iterator(from), std::make_move_iterator(to));
  segments_.insert(segments_.erase(from, to), std::move(segment));
  for (std::unique_ptr<Segment>& each : replaced) {
    const Name name = each->header.number == last ? Name::Keep : Name::Drop;
    retire(std::move(each), name);
  }
}

void Log::retire(std::unique_ptr<Segment> segment, Name name) {
  segment->removed = true;
  if (name == Name::Drop) drop(segment->path);
  Segment& retired = *retired_.emplace_back(std::move(segment));
  close_if_unused(retired);
}

void Log::end_read(Segment& segment) {
  CHECK(segment.reads > 0, "a read of a segment ends twice");
  --segment.reads;
  close_if_unused(segment);
}

void Log::close_if_unused(Segment& segment) {
  if (!segment.removed || segment.reads > 0 || segment.filling) return;
  close_handle(segment.handle);
  std::erase_if(retired_, [&](const auto& each) { return each.get() == &segment; });
  close_when_unused();
}

void Log::close_handle(io::FileHandle handle) {
  loop_.files().submit(loop_, {.kind = Kind::Close, .handle = handle}, [](auto) {});
}

// What stays because of an error is found at the next start.
void Log::drop(const std::string& path) {
  loop_.files().submit(loop_, {.kind = Kind::Remove, .path = path}, [](auto) {});
}

void Log::close(io::Task closed) {
  idle_timer_.cancel();
  closed_ = std::move(closed);
  close_when_unused();
}

void Log::close_when_unused() {
  const bool filling = std::ranges::any_of(segments_, [](const auto& segment) { return segment->filling; });
  if (!closed_ || filling || !retired_.empty() || reserve_ == Reserve::Busy) return;
  std::vector<io::FileRequest> steps;
  for (const auto& segment : segments_) steps.push_back({.kind = Kind::Close, .handle = segment->handle});
  steps.push_back({.kind = Kind::Close, .handle = lock_});
  run_steps(loop_, std::move(steps),
            [closed = std::exchange(closed_, nullptr)](const StepsOutcome&) mutable { closed(); });
}

}  // namespace storage
