// SPDX-License-Identifier: Apache-2.0
#include "storage/log/file_lane.h"

#include <algorithm>
#include <utility>

#include "base/result.h"
#include "storage/gate.h"
#include "storage/log/log.h"
#include "storage/log/log_reader.h"
#include "storage/log/lookup.h"
#include "storage/log/rewriter.h"
#include "storage/log/sealer.h"
#include "storage/log/shared_usage.h"
#include "storage/log/trimmer.h"
#include "storage/writer.h"

namespace storage {

namespace {

constexpr std::uint64_t kSegmentsMin = 8;                // in a lane that is full: space comes back by whole ones
constexpr std::uint64_t kSegmentBytesLeast = 64 << 10;   // below that the footers would be a good part of all
constexpr std::size_t kEventFramingBytesMax = 64 << 10;  // of what a request is beside the data of its events

// Many segments fit into the lane, a group into a segment beside the lane state, and many of them into one. The largest
// event is a quarter of a segment.
Limits fitted(Limits limits) {
  if (limits.bytes_max > 0) {
    const std::uint64_t share =
        std::max<std::uint64_t>({limits.bytes_max / kSegmentsMin, limits.segment_bytes_first, kSegmentBytesLeast});
    limits.segment_bytes_max = std::min<std::uint64_t>(limits.segment_bytes_max, share);
  }
  limits.group_bytes_max = std::min(limits.group_bytes_max, limits.segment_bytes_max / 8);
  limits.request_bytes_max = std::min(limits.request_bytes_max, limits.segment_bytes_max / 4 + kEventFramingBytesMax);
  return limits;
}

TopicTable table_of(const LaneState& state) {
  TopicTable table;
  for (const TopicState& topic : state.topics) {
    const TopicId id = table.declare(topic.identity);
    table.at(id) = {topic.next_offset, topic.complete_after};
  }
  return table;
}

}  // namespace

// What the lane consists of, in the order in which it is made.
class FileLane::Parts final {
 public:
  Parts(io::Loop&, Recovered, const Limits&);

  void read(io::Loop& from, ReadRequest, ReadDone);
  void locate(io::Loop& from, LocateRequest, LocateDone);
  void newest_per_address(io::Loop& from, NewestRequest, NewestDone);
  void declare(io::Loop& from, std::vector<TopicDeclaration>, DeclareDone);
  void follow(io::Loop&, OnCommit);
  void stop(io::Task stopped);

  Writer& writer() { return writer_; }
  const Identity& identity() const { return identity_; }
  LaneCondition condition() const { return log_.condition(); }
  LogUsage usage() const { return usage_.get(); }
  const std::vector<RecoveryFinding>& findings() const { return findings_; }

 private:
  enum class Stopping : std::uint8_t { No, Draining, Proving, Closing };

  bool enter() { return calls_.enter(1) == Gate::Answer::Entered; }
  std::vector<TopicId> name_topics(const std::vector<TopicDeclaration>&, std::string& records);
  void note_damage(DamagedRange);
  void share_usage();
  void maintain();
  void go_on_stopping();
  void close();

  io::Loop& loop_;
  const std::vector<RecoveryFinding> findings_;
  const Identity identity_;
  LaneClock clock_;
  TopicTable topics_;
  Log log_;
  Writer writer_;
  AddressReader addresses_;
  LogReader reader_;
  Lookup lookup_;
  Sealer sealer_;
  Trimmer trimmer_;
  Rewriter rewriter_;
  SharedUsage usage_;
  Gate calls_{Gate::kUnbounded};  // reads, declarations and follows on their way
  std::size_t declaring_ = 0;
  io::Timer maintenance_timer_;
  const std::uint64_t maintenance_period_ns_;
  Stopping stopping_ = Stopping::No;
  io::Task stopped_;
};

FileLane::Parts::Parts(io::Loop& loop, Recovered recovered, const Limits& limits)
    : loop_(loop),
      findings_(std::move(recovered.findings)),
      identity_(recovered.state.identity),
      clock_(loop, {recovered.last_commit.lane_time_ns, recovered.previous_wall_ms}),
      topics_(table_of(recovered.state)),
      log_(loop, clock_, recovered, limits),
      writer_(loop, clock_, topics_, log_, limits, {log_.state().end(), log_.state().next_sequence}),
      addresses_(loop, log_),
      reader_(loop, log_, topics_, addresses_, [this](DamagedRange damage) { note_damage(damage); }),
      lookup_(loop, log_, topics_, addresses_, limits),
      sealer_(loop, log_),
      trimmer_(loop, log_, topics_, clock_, limits),
      rewriter_(loop, log_, topics_, trimmer_.usage(), clock_, limits),
      maintenance_timer_([](void* self) { static_cast<Parts*>(self)->maintain(); }, this),
      maintenance_period_ns_(limits.retention_period_ns) {
  for (const RestoredRepeat& repeat : recovered.repeats) {
    writer_.repeats().restore(repeat.key, repeat.content, repeat.sequence, repeat.lane_time_ns);
  }
  // After the writer's own hook, so that a turn that drained the lane is the one in which it stops.
  loop.at_end_of_turn([](void* self) { static_cast<Parts*>(self)->go_on_stopping(); }, this);
  loop.set_timer(maintenance_timer_, maintenance_period_ns_);
  share_usage();
}

void FileLane::Parts::read(io::Loop& from, ReadRequest request, ReadDone done) {
  if (!enter()) {
    const Sequence after = request.after.value_or(0);
    return from.post([done = std::move(done), after]() mutable { done({ReadStatus::Stopped, {}, after, after, 0}); });
  }
  loop_.post([this, &from, request = std::move(request), done = std::move(done)]() mutable {
    reader_.read(from, std::move(request), writer_.durable(), std::move(done));
    calls_.leave(1);
  });
}

void FileLane::Parts::locate(io::Loop& from, LocateRequest request, LocateDone done) {
  if (!enter()) return from.post([done = std::move(done)]() mutable { done({LookupStatus::Stopped, 0, 0, 0, 0}); });
  loop_.post([this, &from, request = std::move(request), done = std::move(done)]() mutable {
    lookup_.locate(from, std::move(request), writer_.durable(), std::move(done));
    calls_.leave(1);
  });
}

void FileLane::Parts::newest_per_address(io::Loop& from, NewestRequest request, NewestDone done) {
  if (!enter()) {
    const Sequence after = request.after.value_or(0);
    return from.post(
        [done = std::move(done), after]() mutable { done({LookupStatus::Stopped, {}, after, after, 0, 0}); });
  }
  loop_.post([this, &from, request = std::move(request), done = std::move(done)]() mutable {
    lookup_.newest_per_address(from, std::move(request), writer_.durable(), std::move(done));
    calls_.leave(1);
  });
}

void FileLane::Parts::declare(io::Loop& from, std::vector<TopicDeclaration> declared, DeclareDone done) {
  const auto refuse = [](io::Loop& loop, DeclareDone refused) {
    loop.post([refused = std::move(refused)]() mutable { refused({}); });
  };
  if (!enter()) return refuse(from, std::move(done));
  loop_.post([this, &from, refuse, declared = std::move(declared), done = std::move(done)]() mutable {
    calls_.leave(1);
    std::string records;
    std::vector<TopicId> ids = name_topics(declared, records);
    if (records.empty() && declaring_ == 0) {
      log_.maintain();  // the reserve comes before what publishers may use up
      return from.post([done = std::move(done), ids = std::move(ids)]() mutable { done(std::move(ids)); });
    }
    ++declaring_;
    // An empty group, too: what was declared by a call that is still under way is durable before this one.
    log_.persist_control(
        [records = std::move(records)](const LaneState&) { return records; },
        [this, &from, refuse, ids = std::move(ids), done = std::move(done)](Persisted outcome) mutable {
          --declaring_;
          if (outcome != Persisted::Durable) return refuse(from, std::move(done));
          log_.maintain();
          from.post([done = std::move(done), ids = std::move(ids)]() mutable { done(std::move(ids)); });
        });
  });
}

// Gives ids, and makes the records for what is new or changed.
std::vector<TopicId> FileLane::Parts::name_topics(const std::vector<TopicDeclaration>& declared, std::string& records) {
  std::vector<TopicId> ids;
  const std::vector<TopicState>& known = log_.state().topics;
  for (const TopicDeclaration& each : declared) {
    const TopicId id = topics_.declare(each.identity);
    ids.push_back(id);
    const TopicState* state = id <= known.size() ? &known[id - 1] : nullptr;
    if (state != nullptr && state->identity == each.identity && state->retention == each.retention) continue;
    const TopicState topic{0, 0, each.retention, each.identity};
    append_control_record(records, RecordKind::Topic, id, encode_topic(topic));
  }
  return ids;
}

void FileLane::Parts::follow(io::Loop& loop, OnCommit on_commit) {
  if (!enter()) return;
  loop_.post([this, &loop, told = writer_.durable(), on_commit = std::move(on_commit)]() mutable {
    writer_.follow(loop, std::move(on_commit), told);
    calls_.leave(1);
  });
}

// A reader found what cannot be read. Once it is written down, everybody is told of the same range.
void FileLane::Parts::note_damage(DamagedRange damage) {
  const auto is_known = [damage](const LaneState& state) {
    return std::ranges::any_of(state.damage, [&](const DamagedRange& known) {
      return known.first <= damage.first && damage.last <= known.last;
    });
  };
  if (stopping_ != Stopping::No || is_known(log_.state())) return;
  log_.persist_control(
      [damage, is_known](const LaneState& state) {
        std::string records;
        if (!is_known(state)) append_control_record(records, RecordKind::Damage, 0, encode_damage({damage}));
        return records;
      },
      [](Persisted) {});
}

void FileLane::Parts::share_usage() {
  const TrimTotals& trimmed = trimmer_.counters().trimmed;
  usage_.set({log_.file_bytes(), log_.segments().size(), trimmer_.usage().dead_bytes(),
              trimmed.of(TrimReason::Age).events, trimmed.of(TrimReason::Bytes).events,
              trimmed.of(TrimReason::Space).events});
}

void FileLane::Parts::maintain() {
  clock_.settle();
  log_.maintain();
  trimmer_.run();
  sealer_.run();
  rewriter_.run();
  share_usage();
  loop_.set_timer(maintenance_timer_, maintenance_period_ns_);
}

void FileLane::Parts::stop(io::Task stopped) {
  CHECK(!stopped_, "a lane is stopped twice");
  stopped_ = std::move(stopped);
  stopping_ = Stopping::Draining;
  maintenance_timer_.cancel();
  addresses_.stop();
  lookup_.stop();
  sealer_.stop();
  rewriter_.stop();
  trimmer_.stop();
  writer_.close();
  calls_.close();
}

void FileLane::Parts::go_on_stopping() {
  if (stopping_ != Stopping::Draining || !writer_.drained() || !calls_.drained() || declaring_ > 0) return;
  if (lookup_.under_way() > 0) return;
  if (reader_.under_way() > 0 || !sealer_.is_idle() || !rewriter_.is_idle() || !trimmer_.is_idle()) return;
  if (!(log_.is_idle() || log_.has_failed())) return;
  // On a full disk the reserve is left to the next start.
  if (log_.has_failed() || log_.condition() == LaneCondition::Full) return close();
  stopping_ = Stopping::Proving;
  log_.persist_control([](const LaneState&) { return std::string(); }, [this](Persisted) { close(); });
}

void FileLane::Parts::close() {
  stopping_ = Stopping::Closing;
  // Whatever counts was synced before: a file that fails to close has lost nothing.
  log_.close([this](const std::optional<base::Error>&) { std::exchange(stopped_, nullptr)(); });
}

base::Result<std::unique_ptr<FileLane>> FileLane::open(io::World world, io::Loop& lane_loop,
                                                       const std::string& directory, const Limits& limits) {
  const Limits fitting = fitted(limits);
  Recovered recovered = TRY(recover(world, directory, fitting));
  return std::unique_ptr<FileLane>(new FileLane(std::make_unique<Parts>(lane_loop, std::move(recovered), fitting)));
}

FileLane::FileLane(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
FileLane::~FileLane() = default;

void FileLane::append(io::Loop& from, std::vector<NewEvent> events, AppendDone done) {
  parts_->writer().append(from, std::move(events), std::move(done));
}
void FileLane::read(io::Loop& from, ReadRequest request, ReadDone done) {
  parts_->read(from, std::move(request), std::move(done));
}
void FileLane::locate(io::Loop& from, LocateRequest request, LocateDone done) {
  parts_->locate(from, std::move(request), std::move(done));
}
void FileLane::newest_per_address(io::Loop& from, NewestRequest request, NewestDone done) {
  parts_->newest_per_address(from, std::move(request), std::move(done));
}
void FileLane::declare(io::Loop& from, std::vector<TopicDeclaration> declared, DeclareDone done) {
  parts_->declare(from, std::move(declared), std::move(done));
}
void FileLane::follow(io::Loop& loop, OnCommit on_commit) { parts_->follow(loop, std::move(on_commit)); }
Sequence FileLane::durable() const { return parts_->writer().durable(); }
const Identity& FileLane::identity() const { return parts_->identity(); }
LaneCondition FileLane::condition() const { return parts_->condition(); }
LogUsage FileLane::usage() const { return parts_->usage(); }
void FileLane::stop(io::Task stopped) { parts_->stop(std::move(stopped)); }
const std::vector<RecoveryFinding>& FileLane::findings() const { return parts_->findings(); }

}  // namespace storage
