// SPDX-License-Identifier: Apache-2.0
#include "storage/log/rewriter.h"

#include <algorithm>
#include <utility>

#include "codec/record_batch.h"
#include "storage/log/group_reader.h"
#include "storage/log/reserve.h"

namespace storage {

using Kind = io::FileRequest::Kind;

// One new segment in the making.
struct Rewriter::Work {
  std::vector<Segment*> sources;      // side by side, oldest first
  std::size_t source = 0;             // which is being read
  std::optional<GroupReader> groups;  // of that

  SegmentHeader header;
  std::string path;  // in the end
  io::FileHandle handle = -1;
  std::uint64_t write_offset = 0;
  std::string out;  // groups that are not written yet
  SegmentIndex index;
  SegmentRepeats repeats;
  AddressIndex addresses;
  CommitRecord last_commit;
  std::int64_t reached_ms = 0;         // by all events before what is read next
  std::int64_t copied_reached_ms = 0;  // as much of that as the copy says
  std::uint64_t groups_end = 0;
  std::unique_ptr<FooterWriter> footer;

  std::string temporary() const { return temporary_name(path); }
  void open_source() {
    if (source == sources.size()) return groups.reset();
    reached_ms = std::max(reached_ms, sources[source]->header.append_ms_before);
    groups.emplace(sources[source]->header.seed(), kFirstGroupAt, sources[source]->end_offset);
  }
};

Rewriter::Rewriter(io::Loop& loop, Log& log, const TopicTable& topics, const SegmentUsage& usage,
                   const LaneClock& clock, const Limits& limits)
    : loop_(loop), log_(log), topics_(topics), usage_(usage), clock_(clock), limits_(limits) {}
Rewriter::~Rewriter() = default;

// --- which

// Ids within the window stay where they are, and what has no footer yet will be read for one first.
Rewriter::Candidate Rewriter::judge(const Segment& segment) const {
  if (segment.footer != OpenSegment::Footer::Whole || !usage_.is_counted(segment)) return {};
  if (segment.index.last_lane_time_ns() + limits_.repeat_window_ns >= clock_.now_ns()) return {};
  if (!retries_.is_due(segment.header.id, loop_.now_ns())) return {};
  const std::uint64_t all = segment.index.batch_bytes();
  const std::uint64_t live = all - std::min(usage_.dead_bytes(segment), all);
  if (live == 0) return {};
  // Records and commits around the batches have their share. In a double: the product may be too large.
  const auto groups = static_cast<double>(segment.end_offset - kFirstGroupAt);
  const auto bytes = static_cast<std::uint64_t>(groups * static_cast<double>(live) / static_cast<double>(all));
  if (live * 100 < all * kSparsePercent) return {Candidate::Kind::Sparse, bytes};
  return {bytes <= limits_.segment_bytes_max / 2 ? Candidate::Kind::Small : Candidate::Kind::None, bytes};
}

std::vector<Rewriter::Candidate> Rewriter::judge_all() const {
  std::vector<Candidate> candidates;
  const Segments& segments = log_.segments();
  for (auto at = segments.begin(); at != segments.end() - 1; ++at) candidates.push_back(judge(**at));
  return candidates;
}

// How many segments, side by side, are worth to become one: the most there can be from this one on.
std::size_t Rewriter::run_from(const std::vector<Candidate>& candidates, std::size_t first) const {
  const std::size_t end = std::min(candidates.size(), first + kRewriteSourcesMax);
  std::uint64_t bytes = 0, largest_small = 0;
  std::size_t worth = 0;
  for (std::size_t at = first; at < end && candidates[at].kind != Candidate::Kind::None; ++at) {
    bytes += candidates[at].live_bytes;
    if (at > first && bytes > limits_.segment_bytes_max) break;
    if (candidates[at].kind == Candidate::Kind::Small)
      largest_small = std::max(largest_small, candidates[at].live_bytes);
    if (largest_small <= bytes / 2) worth = at - first + 1;
  }
  return worth;
}

std::vector<Segment*> Rewriter::choose() const {
  const std::vector<Candidate> candidates = judge_all();
  std::vector<Segment*> chosen;
  for (std::size_t first = 0; first < candidates.size() && chosen.empty(); ++first) {
    const std::size_t count = run_from(candidates, first);
    for (std::size_t i = first; i < first + count; ++i) chosen.push_back(log_.segments()[i].get());
  }
  return chosen;
}

void Rewriter::run() {
  // A disk that is full or has failed has nothing to give for it.
  if (work_ != nullptr || stopping_ || !clock_.settled() || log_.condition() != LaneCondition::Writable) return;
  if (std::vector<Segment*> chosen = choose(); !chosen.empty()) begin(std::move(chosen));
}

// --- copying

void Rewriter::begin(std::vector<Segment*> sources) {
  work_ = std::make_unique<Work>();
  Work& work = *work_;
  for (Segment* source : sources) log_.begin_read(*source);
  const Segment& newest = *sources.back();
  work.header.number = newest.header.number;
  work.header.id = loop_.random().u64();
  work.header.kind = SegmentKind::Rewritten;
  work.header.first_replaced = sources.front()->header.first_replaced;
  work.header.created_ms = loop_.wall_ms();
  work.header.append_ms_before = work.copied_reached_ms = sources.front()->header.append_ms_before;
  work.path = newest.path;
  work.sources = std::move(sources);
  work.open_source();
  // What the lane is now: later than what the copied groups say, so that no number in it was ever given out again.
  LaneState state = log_.state();
  std::erase_if(state.manifest, [&](const ManifestEntry& entry) { return entry.number >= work.header.first_replaced; });
  CommitRecord commit;
  commit.lane_time_ns = clock_.now_ns();
  commit.wall_ms = work.header.created_ms;
  SegmentStart start = encode_segment_start(work.header, state, commit);
  work.out = std::move(start.bytes);
  work.groups_end = work.out.size();
  std::vector<io::FileRequest> steps;
  steps.push_back({.kind = Kind::Open, .path = work.temporary(), .mode = io::OpenMode::Create});
  steps.push_back({.kind = Kind::Truncate, .urgency = io::Urgency::Background});
  run_steps(loop_, std::move(steps), [this](const StepsOutcome& outcome) {
    work_->handle = outcome.handle;
    if (outcome.error) return give_up(Reason::Refused);
    read_on();
  });
}

void Rewriter::read_on() {
  Work& work = *work_;
  if (stopping_) return give_up(Reason::Stopped);
  if (work.out.size() >= kRewriteStepBytes) return write_on();
  if (!work.groups) return write_footer();
  loop_.files().submit(loop_,
                       {.kind = Kind::ReadAt,
                        .handle = work.sources[work.source]->handle,
                        .offset = work.groups->read_offset(),
                        .size = std::min<std::uint64_t>(kRewriteStepBytes, work.groups->read_bytes_max())},
                       [this](auto read) { on_bytes(std::move(read)); });
}

// A segment with damage in it keeps its place.
void Rewriter::on_bytes(base::Result<io::FileReply> read) {
  if (!read) return give_up(Reason::Refused);
  if (read->data.empty()) return give_up(Reason::Damaged);  // the file ends too early
  work_->groups->append(read->data);
  if (!take_groups()) return give_up(Reason::Damaged);
  read_on();
}

bool Rewriter::take_groups() {
  Work& work = *work_;
  while (!work.groups->done()) {
    const auto group = work.groups->next();
    if (!group) return group.error().code == base::Errc::TooLarge;
    copy(*group);
  }
  ++work.source;
  work.open_source();
  return true;
}

// What lives of a group is a group, with its number and its times. If the clock has stepped back since what is left
// out, it says how far it had come.
void Rewriter::copy(const GroupView& group) {
  Work& work = *work_;
  std::string kept;
  CommitRecord commit;
  for (RecordWalk walk(group.records); const auto record = walk.next();) {
    if (record->kind == RecordKind::Clock) work.reached_ms = std::max(work.reached_ms, parse_clock(*record));
    if (record->kind != RecordKind::Batch) continue;
    const BatchRecord batch(*record);
    const std::int64_t batch_ms = codec::BatchView::parse(batch.batch(), codec::BatchCrc::Skip)->timestamp_ms_max();
    const bool lives = batch.last_sequence() > topics_.at(batch.topic()).complete_after;
    if (lives && work.reached_ms > std::max(work.copied_reached_ms, batch_ms)) {
      append_clock_record(kept, work.reached_ms);
    }
    work.reached_ms = std::max(work.reached_ms, batch_ms);
    if (!lives) continue;
    work.copied_reached_ms = work.reached_ms;
    if (commit.first_sequence == 0) commit.first_sequence = batch.first_sequence();
    commit.last_sequence = batch.last_sequence();
    kept += record->bytes;
  }
  if (kept.empty()) return;
  commit.number = commit.synced_through = group.commit.number;
  commit.lane_time_ns = group.commit.lane_time_ns;
  commit.wall_ms = group.commit.wall_ms;
  append_commit_room(kept);
  work.last_commit = seal_group(kept, work.header.seed(), commit);
  const GroupView copied{base::Bytes(kept).substr(0, kept.size() - kCommitBytes), work.last_commit};
  work.index.add(work.groups_end, copied, work.addresses);
  work.repeats.add(copied);
  work.groups_end += kept.size();
  work.out += kept;
}

void Rewriter::write_on() {
  Work& work = *work_;
  auto piece = std::make_shared<const std::string>(std::exchange(work.out, {}));
  loop_.files().submit(loop_,
                       {.kind = Kind::WriteAt,
                        .handle = work.handle,
                        .offset = work.write_offset,
                        .data = *piece,
                        .keep = piece,
                        .urgency = io::Urgency::Background},
                       [this, bytes = piece->size()](auto written) {
                         if (!written) return give_up(Reason::Refused);
                         work_->write_offset += bytes;
                         read_on();
                       });
}

void Rewriter::write_footer() {
  Work& work = *work_;
  if (work.index.empty()) return give_up(Reason::Moot);  // it died meanwhile
  if (work.footer == nullptr) {
    work.footer = std::make_unique<FooterWriter>(
        SealedSegment{work.header, work.last_commit, work.index, work.repeats, work.addresses});
  }
  if (work.out.empty()) work.out = work.footer->next(kRewriteStepBytes);
  if (work.out.empty()) return name();
  write_on();
}

// --- taking the place

void Rewriter::name() {
  Work& work = *work_;
  const std::string directory = work.path.substr(0, work.path.rfind('/'));
  std::vector<io::FileRequest> steps;
  steps.push_back({.kind = Kind::Sync, .handle = work.handle, .urgency = io::Urgency::Background});
  steps.push_back({.kind = Kind::Rename, .path = work.temporary(), .to = work.path});
  steps.push_back({.kind = Kind::SyncDirectory, .path = directory});
  run_steps(loop_, std::move(steps), [this](const StepsOutcome& outcome) {
    if (outcome.error && outcome.failed_step < 2) return give_up(Reason::Refused);
    // Nobody knows which of the two has the name. With the old manifest either will do, with a new one only the copy.
    if (outcome.error) {
      put_off();
      return release(Copy::Close);
    }
    install();
  });
}

void Rewriter::install() {
  Work& work = *work_;
  OpenSegment segment;
  segment.header = work.header;
  segment.path = work.path;
  segment.handle = work.handle;
  segment.end_offset = work.groups_end;
  segment.file_bytes = work.write_offset;
  segment.end = {
      work.header.number,      work.header.id,       work.index.first_sequence(),   work.index.last_sequence(),
      work.last_commit.number, work.last_commit.crc, work.index.last_lane_time_ns()};
  segment.footer = OpenSegment::Footer::Whole;
  segment.index = std::move(work.index);
  const SegmentNumber first = work.sources.front()->header.number;
  log_.replace_segments(first, std::make_unique<Segment>(std::move(segment)), [this](Persisted outcome) {
    if (outcome == Persisted::Durable) {
      rewritten_ += work_->sources.size();
      for (const Segment* source : work_->sources) retries_.forget(source->header.id);
    } else {
      put_off();
    }
    release(Copy::Keep);
  });
}

void Rewriter::put_off() {
  for (const Segment* source : work_->sources) retries_.put_off(source->header.id, loop_.now_ns());
}

void Rewriter::give_up(Reason reason) {
  if (reason == Reason::Damaged) retries_.give_up(work_->sources[work_->source]->header.id);
  if (reason == Reason::Refused) put_off();
  loop_.files().submit(loop_, {.kind = Kind::Remove, .path = work_->temporary()}, [](auto) {});
  release(Copy::Close);
}

void Rewriter::release(Copy copy) {
  const std::unique_ptr<Work> work = std::move(work_);
  if (copy == Copy::Close && work->handle >= 0) {
    loop_.files().submit(loop_, {.kind = Kind::Close, .handle = work->handle, .urgency = io::Urgency::Background},
                         [](auto) {});
  }
  for (Segment* source : work->sources) log_.end_read(*source);
}

}  // namespace storage
