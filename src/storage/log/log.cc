// SPDX-License-Identifier: Apache-2.0
#include "storage/log/log.h"

#include <algorithm>
#include <utility>

#include "base/result.h"
#include "storage/log/state_pruning.h"

namespace storage {

using Kind = io::FileRequest::Kind;

namespace {

constexpr std::uint64_t kStatesPerSegmentMin = 8;  // so that most of a segment is not lane state

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
      start_bytes_(kFirstGroupAt + encode_lane_state(state_).size()),
      segment_bytes_(first_segment_bytes(limits)),
      zeros_(std::make_shared<std::string>(limits.fill_step_bytes, '\0')),
      idle_timer_([](void* self) { static_cast<Log*>(self)->prove_when_idle(); }, this) {
  CHECK(!recovered.segments.empty(), "a lane was opened without a segment to write");
  for (OpenSegment& segment : recovered.segments) segments_.push_back(std::make_unique<Segment>(std::move(segment)));
  last_number_ = newest().header.number;
  filled_to_ = newest().end_offset;
  make_room_for_state();
  if (recovered.room == Recovered::Room::Short) set_full(Full::Yes);
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
  return segment.end_offset <= start_bytes_ || segment.end_offset + job_->block->bytes.size() <= segment_bytes_;
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
  waits_for_reserve_ = false;
  std::deque<Job> jobs = std::exchange(control_jobs_, {});
  if (job_) jobs.push_front(*std::exchange(job_, std::nullopt));
  if (event_job_) jobs.push_back(*std::exchange(event_job_, std::nullopt));
  for (Job& job : jobs) job.done(Persisted::Unknown);
}

// --- a new segment

void Log::rotate(Room room) {
  phase_ = Phase::Rotating;
  Rotation rotation{.room = room, .header = {}, .commit = {}};
  if (room == Room::Reserve) rotation.file_bytes = std::exchange(reserve_bytes_, 0);
  SegmentHeader& header = rotation.header;
  header.number = header.first_replaced = last_number_ + 1;
  header.id = loop_.random().u64();
  header.continues = last_commit_.number;
  header.continues_crc = last_commit_.crc;
  header.created_ms = loop_.wall_ms();
  header.append_ms_before = std::max(newest().header.append_ms_before, newest().index.wall_ms_max());
  forget_trimmed(state_);
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
  rotation.commit = start.commit;
  std::vector<io::FileRequest> steps =
      rotation_steps(rotation, std::make_shared<const std::string>(std::move(start.bytes)));
  run_steps(loop_, std::move(steps), [this, rotation](const StepsOutcome& outcome) { on_rotated(rotation, outcome); });
}

// The name comes last: whatever has it is whole. The reserve gives up its own name first: what has that was not
// written.
std::vector<io::FileRequest> Log::rotation_steps(Rotation& rotation, std::shared_ptr<const std::string> start) const {
  const std::string name = path_of(segment_name(rotation.header.number));
  const std::string temporary = temporary_name(name);
  std::vector<io::FileRequest> steps;
  if (rotation.room == Room::Reserve) {
    steps.push_back({.kind = Kind::Rename, .path = path_of(kReserveName), .to = temporary});
    steps.push_back({.kind = Kind::SyncDirectory, .path = directory_});
    steps.push_back({.kind = Kind::Open, .path = temporary, .mode = io::OpenMode::Existing});
  } else {
    steps.push_back({.kind = Kind::Open, .path = temporary, .mode = io::OpenMode::Create});
    steps.push_back({.kind = Kind::Truncate});
  }
  steps.push_back({.kind = Kind::WriteAt, .data = *start, .keep = start});
  rotation.sync_step = steps.size();
  steps.push_back({.kind = Kind::Sync});
  steps.push_back({.kind = Kind::Rename, .path = temporary, .to = name});
  steps.push_back({.kind = Kind::SyncDirectory, .path = directory_});
  return steps;
}

void Log::on_rotated(const Rotation& rotation, const StepsOutcome& outcome) {
  if (!outcome.error) {
    begin_segment(rotation, outcome.handle);
    phase_ = Phase::Idle;
    return advance();
  }
  if (outcome.handle >= 0) close_handle(outcome.handle);
  // Before it has its name, a segment without room is no segment, nor is one that could not be opened for want of
  // descriptors. Any other failure is a disk that nobody can rely on.
  const bool is_passing = is_out_of_space(*outcome.error) || is_out_of_descriptors(*outcome.error);
  if (outcome.failed_step >= rotation.sync_step || !is_passing) return fail();
  drop(temporary_name(path_of(segment_name(rotation.header.number))));
  on_no_room(rotation.room);
}

void Log::begin_segment(const Rotation& rotation, io::FileHandle handle) {
  std::unique_ptr<Segment> previous = std::move(segments_.back());
  segments_.pop_back();
  if (previous->index.empty()) {
    retire(std::move(previous), Name::Drop);
  } else {
    previous->end = manifest_entry(*previous);
    state_.manifest.push_back(previous->end);
    segments_.push_back(std::move(previous));
    segment_bytes_ = std::min<std::uint64_t>(segment_bytes_ * 2, limits_.segment_bytes_max);
  }
  OpenSegment segment;
  segment.header = rotation.header;
  segment.path = path_of(segment_name(rotation.header.number));
  segment.handle = handle;
  segment.end_offset = kFirstGroupAt + rotation.commit.bytes + kCommitBytes;
  segment.file_bytes = std::max(segment.end_offset, rotation.file_bytes);
  segments_.push_back(std::make_unique<Segment>(std::move(segment)));
  newest().addresses = std::make_unique<AddressIndex>();
  newest().repeats = std::make_unique<SegmentRepeats>();
  last_number_ = rotation.header.number;
  last_commit_ = rotation.commit;
  filled_to_ = newest().end_offset;
  start_bytes_ = newest().end_offset;
  make_room_for_state();
  cut_ = wants_rotation_ = false;
}

void Log::make_room_for_state() {
  segment_bytes_ = std::max(segment_bytes_, kStatesPerSegmentMin * (start_bytes_ - kFirstGroupAt));
}

void Log::on_no_room(Room room) {
  set_full(Full::Yes);
  cut_ = true;
  phase_ = Phase::Idle;
  if (room == Room::Free && may_use_reserve()) return rotate(Room::Reserve);
  // It is there, and only being looked at.
  waits_for_reserve_ = room == Room::Free && job_->is_control() && reserve_ == Reserve::Busy;
  if (!waits_for_reserve_) finish(Persisted::NoSpace);
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
                .keep = job_->block,
                .completion = io::Completion::WithNext},
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
  segment.file_bytes = std::max<std::uint64_t>(segment.file_bytes, filled_to_ + zeros_->size());
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
  if (reserve_ == Reserve::Unknown) return find_reserve();
  if (reserve_ == Reserve::Known && (full_ == Full::Yes || !has_whole_reserve())) look_for_room();
}

// One that an earlier start has left.
void Log::find_reserve() {
  reserve_ = Reserve::Busy;
  loop_.files().submit(loop_, {.kind = Kind::Status, .path = path_of(kReserveName)}, [this](auto reply) {
    reserve_bytes_ = reply ? reply->status.size : 0;
    if (!has_whole_reserve() && !closed_) return look_for_room();
    reserve_is_known();
  });
}

// Publishing needs the reserve, or the next start on a full disk would find nothing. While it is refused, it goes on
// when there is room for more than that: nothing is tried that the file system does not have.
void Log::look_for_room() {
  reserve_ = Reserve::Busy;
  loop_.files().submit(loop_, {.kind = Kind::Space, .path = directory_}, [this](auto reply) {
    const std::uint64_t wanted = reserve_bytes(limits_, start_bytes_) + room_to_publish_bytes(limits_);
    const bool is_full = reply && reply->space.free_bytes < wanted - std::min(wanted, reserve_bytes_);
    if (!is_full && !closed_) return refill_reserve();
    if (is_full && !has_whole_reserve() && phase_ != Phase::Failed) set_full(Full::Yes);
    reserve_is_known();
  });
}

// A quota, or somebody else who writes, may have less for us than the file system says. So the room is taken, and what
// publishing needs of it is given back.
void Log::refill_reserve() {
  const std::uint64_t bytes = reserve_bytes(limits_, start_bytes_);
  std::vector<io::FileRequest> steps;
  steps.push_back({.kind = Kind::Open, .path = path_of(kReserveName), .mode = io::OpenMode::Create});
  steps.push_back({.kind = Kind::Allocate, .size = bytes + room_to_publish_bytes(limits_)});
  steps.push_back({.kind = Kind::Truncate, .size = bytes});
  steps.push_back({.kind = Kind::Sync});
  steps.push_back({.kind = Kind::Close});
  steps.push_back({.kind = Kind::SyncDirectory, .path = directory_});
  run_steps(loop_, std::move(steps), [this, bytes](const StepsOutcome& outcome) {
    if (!outcome.error) reserve_bytes_ = bytes;
    on_refilled(outcome);
  });
}

void Log::on_refilled(const StepsOutcome& outcome) {
  if (outcome.handle >= 0) close_handle(outcome.handle);
  if (phase_ != Phase::Failed) {
    if (!outcome.error) set_full(Full::No);  // the next group opens a new segment
    if (outcome.error && is_out_of_space(*outcome.error) && !has_whole_reserve()) set_full(Full::Yes);
  }
  reserve_is_known();
}

void Log::reserve_is_known() {
  reserve_ = Reserve::Known;
  close_when_unused();
  if (std::exchange(waits_for_reserve_, false)) advance();
}

void Log::remove_segments(std::vector<SegmentNumber> numbers, Done done) {
  persist_control(
      [numbers](const LaneState& state) {
        std::string records;
        append_control_record(records, RecordKind::Segments, 0,
                              encode_manifest(without_segments(state.manifest, numbers)));
        return records;
      },
      [this, numbers, done = std::move(done)](Persisted outcome) mutable {
        for (auto number = numbers.begin(); outcome == Persisted::Durable && number != numbers.end(); ++number) {
          const auto found =
              std::ranges::find(segments_, *number, [](const auto& each) { return each->header.number; });
          if (found == segments_.end()) continue;
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
        std::string records;
        append_control_record(records, RecordKind::Segments, 0,
                              encode_manifest(with_rewritten(state.manifest, first, entry)));
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

void Log::close(Closed closed) {
  idle_timer_.cancel();
  closed_ = std::move(closed);
  close_when_unused();
}

void Log::close_when_unused() {
  const bool filling = std::ranges::any_of(segments_, [](const auto& segment) { return segment->filling; });
  if (!closed_ || filling || !retired_.empty() || reserve_ == Reserve::Busy) return;
  struct Closing {
    Closed closed;
    std::size_t left = 0;
    std::optional<base::Error> first_error;
  };
  const auto closing = std::make_shared<Closing>(std::exchange(closed_, nullptr));
  std::vector<io::FileHandle> handles;
  for (const auto& segment : segments_) handles.push_back(segment->handle);
  handles.push_back(lock_);
  closing->left = handles.size();
  for (const io::FileHandle handle : handles) {
    loop_.files().submit(loop_, {.kind = Kind::Close, .handle = handle}, [closing](auto reply) {
      if (!reply && !closing->first_error) closing->first_error = reply.error();
      if (--closing->left == 0) closing->closed(closing->first_error);
    });
  }
}

}  // namespace storage
