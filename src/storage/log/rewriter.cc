// SPDX-License-Identifier: Apache-2.0
#include "storage/log/rewriter.h"

#include <algorithm>
#include <utility>

namespace storage {

using Kind = io::FileRequest::Kind;

// One new segment in the making.
struct Rewriter::Work {
  std::vector<Segment*> sources;  // side by side, oldest first
  std::size_t source = 0;         // which is being read
  std::uint64_t read_offset = kFirstGroupAt;
  std::string bytes;  // that were read and hold no whole group yet

  SegmentHeader header;
  std::string path;  // in the end
  io::FileHandle handle = -1;
  std::uint64_t write_offset = 0;
  std::string out;  // groups that are not written yet
  SegmentIndex index;
  SegmentRepeats repeats;
  AddressIndex addresses;
  CommitRecord last_commit;
  std::uint64_t groups_end = 0;
  std::unique_ptr<FooterWriter> footer;

  std::string temporary() const { return path + ".tmp"; }
};

Rewriter::Rewriter(io::Loop& loop, Log& log, const TopicTable& topics, const LaneClock& clock, const Limits& limits)
    : loop_(loop), log_(log), topics_(topics), clock_(clock), limits_(limits) {}
Rewriter::~Rewriter() = default;

// --- which

std::uint64_t Rewriter::live_bytes(const Segment& segment) const {
  std::uint64_t bytes = 0;
  for (const TopicId topic : segment.index.topics()) {
    bytes += segment.index.live_bytes(topic, topics_.at(topic).complete_after);
  }
  return bytes;
}

// Ids within the window stay where they are, and what has no footer yet will be read for one first.
bool Rewriter::is_sparse(const Segment& segment) const {
  if (segment.footer != OpenSegment::Footer::Whole || given_up_.contains(segment.header.id)) return false;
  if (segment.index.last_lane_time_ns() + limits_.repeat_window_ns >= clock_.now_ns()) return false;
  const std::uint64_t live = live_bytes(segment);
  return live > 0 && live * 100 < segment.index.batch_bytes() * kSparsePercent;
}

std::vector<Segment*> Rewriter::choose() const {
  std::vector<Segment*> chosen;
  std::uint64_t bytes = 0;
  const Segments& segments = log_.segments();
  for (std::size_t i = 0; i + 1 < segments.size(); ++i) {
    Segment& segment = *segments[i];
    if (!is_sparse(segment)) {
      if (!chosen.empty()) break;
      continue;
    }
    bytes += live_bytes(segment);
    if (!chosen.empty() && bytes > limits_.segment_bytes_max / 2) break;
    chosen.push_back(&segment);
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
  work.path = newest.path;
  work.sources = std::move(sources);
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
    if (outcome.error) return give_up();
    read_on();
  });
}

void Rewriter::read_on() {
  Work& work = *work_;
  if (stopping_) return give_up();
  if (work.out.size() >= kRewriteStepBytes) return write_on();
  if (work.source == work.sources.size()) return write_footer();
  const Segment& source = *work.sources[work.source];
  const std::uint64_t from = work.read_offset + work.bytes.size();
  if (from >= source.end_offset) return give_up();  // the last group is not whole
  loop_.files().submit(loop_,
                       {.kind = Kind::ReadAt,
                        .handle = source.handle,
                        .offset = from,
                        .size = std::min<std::uint64_t>(kRewriteStepBytes, source.end_offset - from)},
                       [this](auto read) { on_bytes(std::move(read)); });
}

// A segment with damage in it keeps its place.
void Rewriter::on_bytes(base::Result<io::FileReply> read) {
  if (!read || read->data.empty()) return give_up();
  work_->bytes += read->data;
  if (!take_groups()) return give_up();
  read_on();
}

bool Rewriter::take_groups() {
  Work& work = *work_;
  const Segment& source = *work.sources[work.source];
  std::size_t at = 0;
  while (work.read_offset < source.end_offset) {
    const auto group = parse_group(base::Bytes(work.bytes).substr(at), source.header.seed());
    if (!group && group.error().code != base::Errc::TooLarge) return false;
    if (!group) break;
    copy(*group);
    at += group->bytes();
    work.read_offset += group->bytes();
  }
  work.bytes.erase(0, at);
  if (work.read_offset == source.end_offset) {
    ++work.source;
    work.read_offset = kFirstGroupAt;
    work.bytes.clear();
  }
  return true;
}

// What lives of a group is a group, with its number and its times.
void Rewriter::copy(const GroupView& group) {
  Work& work = *work_;
  std::string kept;
  CommitRecord commit;
  for (RecordWalk walk(group.records); const auto record = walk.next();) {
    if (record->kind != RecordKind::Batch) continue;
    const BatchRecord batch(*record);
    if (batch.last_sequence() <= topics_.at(batch.topic()).complete_after) continue;
    if (kept.empty()) commit.first_sequence = batch.first_sequence();
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
                         if (!written) return give_up();
                         work_->write_offset += bytes;
                         read_on();
                       });
}

void Rewriter::write_footer() {
  Work& work = *work_;
  if (work.index.empty()) return give_up();  // it died meanwhile
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
    if (outcome.error && outcome.failed_step < 2) return give_up();
    // Nobody knows which of the two has the name. With the old manifest either will do, with a new one only the copy.
    if (outcome.error) return release(Copy::Close);
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
    if (outcome == Persisted::Durable) rewritten_ += work_->sources.size();
    release(Copy::Keep);
  });
}

// Not again in this start: they would only be read for nothing once more.
void Rewriter::give_up() {
  for (const Segment* source : work_->sources) given_up_.insert(source->header.id);
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
