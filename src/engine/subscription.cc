// SPDX-License-Identifier: Apache-2.0
#include "engine/subscription.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "engine/engine.h"
#include "engine/runs.h"

namespace engine {

namespace {
constexpr std::size_t kCatchUpBytesPerTurn = 256 << 10;
constexpr std::uint32_t kProgressEveryEvents = 1'000;
constexpr std::uint64_t kProgressEveryNs = 1'000'000'000;
constexpr std::size_t kPositionOnlyBytes = 1;  // of a read that only asks where the earliest is
}  // namespace

std::string_view name(ResetReason reason) {
  switch (reason) {
    case ResetReason::EpochChanged: return "epoch-changed";
    case ResetReason::Trimmed: return "trimmed";
    case ResetReason::Ahead: return "ahead";
    case ResetReason::Damaged: return "damaged";
    case ResetReason::Forbidden: return "forbidden";
    case ResetReason::NotRetained: return "not-retained";
  }
  return "unknown";
}

Subscription::Subscription(Engine& engine, std::vector<Member> members, Start start, OnReset on_reset,
                           Subscriber& subscriber)
    : engine_(engine), subscriber_(subscriber), addresses_(std::move(members)), start_(start), on_reset_(on_reset) {}

Subscription::~Subscription() {
  engine_.forget(waiting_id_);
  engine_.index_.remove(*this);
}

Cursor Subscription::position() const {
  return engine_.cursor(state_ == State::Live ? std::max(position_, engine_.loop_end()) : position_);
}

void Subscription::start() {
  CHECK(state_ == State::Created, "a subscription was started twice");
  state_ = State::Starting;
  engine_.index_.add(*this);
  if (std::holds_alternative<Latest>(start_)) {
    begin_resumed(engine_.lane().durable());
    return catch_up();
  }
  if (addresses_.is_purely_ephemeral()) {
    const storage::Sequence durable = engine_.lane().durable();
    begin_reset(ResetReason::NotRetained, durable, durable);
    return catch_up();
  }
  if (std::holds_alternative<Earliest>(start_)) return ask_lane({}, kCatchUpBytesPerTurn);
  const Cursor cursor = std::get<Cursor>(start_);
  if (cursor.epoch != engine_.lane().identity().epoch) {
    pending_reset_ = ResetReason::EpochChanged;
  } else if (cursor.sequence > engine_.lane().durable()) {
    pending_reset_ = ResetReason::Ahead;
  }
  if (pending_reset_) return ask_lane({}, kPositionOnlyBytes);
  ask_lane(cursor.sequence, kCatchUpBytesPerTurn);
}

void Subscription::ask_lane(std::optional<storage::Sequence> after, std::size_t bytes_max) {
  ++engine_.counters_.cold_reads;
  waiting_id_ = engine_.await(*this);
  engine_.lane().read(engine_.loop(), {addresses_.durable_topics(), after, bytes_max},
                      [&engine = engine_, id = waiting_id_](const storage::ReadReply& reply) {
                        if (Subscription* self = engine.awaited(id)) self->on_read(reply);
                      });
}

void Subscription::on_read(const storage::ReadReply& reply) {
  waiting_id_ = 0;
  if (reply.status == storage::ReadStatus::Stopped) return;  // the program ends; its protocols say goodbye
  const bool readable = state_ == State::Starting ? begin(reply) : goes_on(reply);
  if (readable) {
    std::size_t budget_bytes = kCatchUpBytesPerTurn;
    for (const storage::BlockPtr& block : reply.blocks)
      if (const Taken taken = take(*block, budget_bytes); taken != Taken::All) return stop(taken);
    pass_to(std::max(position_, reply.covered));
    if (!reply.blocks.empty()) return catch_up_next_turn();  // a portion was handed over already
  }
  catch_up();
}

// Whether the answer's blocks are what comes next; otherwise the position was set anew.
bool Subscription::begin(const storage::ReadReply& reply) {
  std::optional<ResetReason> reason = std::exchange(pending_reset_, {});
  if (!reason && reply.status == storage::ReadStatus::Trimmed) reason = ResetReason::Trimmed;
  if (!reason && reply.status == storage::ReadStatus::Ahead) reason = ResetReason::Ahead;
  if (reason) {
    begin_reset(*reason, position_after_reset(reply.complete_after), reply.complete_after);
    return false;
  }
  if (reply.status == storage::ReadStatus::Damaged) {
    begin_reset(ResetReason::Damaged, reply.damaged_last, reply.complete_after);
    return false;
  }
  begin_resumed(reply.after);
  return true;
}

bool Subscription::goes_on(const storage::ReadReply& reply) {
  if (reply.status == storage::ReadStatus::Read) return true;
  const bool damaged = reply.status == storage::ReadStatus::Damaged;
  position_ = damaged ? reply.damaged_last : position_after_reset(reply.complete_after);
  subscriber_.on_reset({damaged ? ResetReason::Damaged : ResetReason::Trimmed, position(),
                        engine_.cursor(reply.complete_after), engine_.latest()});
  return false;
}

storage::Sequence Subscription::position_after_reset(storage::Sequence earliest) const {
  return on_reset_ == OnReset::Earliest ? earliest : engine_.lane().durable();
}

void Subscription::begin_resumed(storage::Sequence at) {
  position_ = at;
  state_ = State::Reading;
  subscriber_.on_started({{}, position(), {}, engine_.latest(), addresses_.live_only()});
}

void Subscription::begin_reset(ResetReason reason, storage::Sequence at, storage::Sequence earliest) {
  position_ = at;
  state_ = State::Reading;
  subscriber_.on_started({reason, position(), engine_.cursor(earliest), engine_.latest(), addresses_.live_only()});
}

void Subscription::resume() {
  if (state_ != State::Full) return;
  state_ = State::Reading;
  catch_up();
}

// The last step, from the tail to live, happens within one turn, so no commit can fall between them.
void Subscription::catch_up() {
  std::size_t budget_bytes = kCatchUpBytesPerTurn;
  while (position_ < engine_.loop_end()) {
    if (!engine_.tail_.covers(position_)) return ask_lane(position_, kCatchUpBytesPerTurn);
    const storage::BlockPtr block = engine_.tail_.next(position_);
    if (const Taken taken = take(*block, budget_bytes); taken != Taken::All) return stop(taken);
  }
  state_ = State::Live;
  subscriber_.on_live();
}

// No block is kept meanwhile: the mark says where to go on in whichever one has the entry then.
void Subscription::stop(Taken taken) {
  if (taken == Taken::Spent) return catch_up_next_turn();
  state_ = State::Full;
}

Subscription::Taken Subscription::take(const storage::Block& block, std::size_t& budget_bytes) {
  const auto first = std::ranges::upper_bound(block.entries, position_, {}, &storage::Entry::last_sequence);
  for (const storage::Entry& entry : std::ranges::subrange(first, block.entries.end())) {
    if (budget_bytes == 0) return Taken::Spent;
    if (addresses_.wants(entry.topic)) {
      if (const Taken taken = take(entry, budget_bytes); taken != Taken::All) return taken;
    } else {
      budget_bytes -= std::min(budget_bytes, entry.batch.size());
      pass_to(entry.last_sequence());
    }
  }
  return Taken::All;
}

Subscription::Taken Subscription::take(const storage::Entry& entry, std::size_t& budget_bytes) {
  RunReader runs(entry, position_, mark_);
  mark_ = runs.mark();
  std::vector<Event> run;
  while (runs.next(run)) {
    const EntryMark behind = runs.mark();
    if (addresses_.wants(run.front())) {
      position_ = run.front().sequence - 1;
      if (!subscriber_.deliver(run)) return Taken::Full;
      engine_.counters_.delivered += run.size();
      position_ = run.back().sequence;
      skipped_events_ = 0;
    } else {
      pass_to(run.back().sequence);
    }
    budget_bytes -= std::min(budget_bytes, behind.offset - mark_.offset);
    mark_ = behind;
    if (budget_bytes == 0) return Taken::Spent;
  }
  return Taken::All;
}

// Nothing up to there matches. Cursors move past what was skipped (G3), so that a client which reconnects does not
// read it again.
void Subscription::pass_to(storage::Sequence sequence) {
  const std::uint64_t skipped = skipped_events_ + (sequence - position_);
  position_ = sequence;
  skipped_events_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(skipped, kProgressEveryEvents));
  if (skipped < kProgressEveryEvents || engine_.loop().now_ns() < progress_at_ns_) return;
  skipped_events_ = 0;
  progress_at_ns_ = engine_.loop().now_ns() + kProgressEveryNs;
  subscriber_.on_progress(position());
}

void Subscription::on_live_events(std::span<const Event> run) {
  if (run.front().is_ephemeral()) {
    const bool taken = state_ == State::Live && subscriber_.deliver(run);
    ++(taken ? engine_.counters_.delivered : engine_.counters_.ephemeral_dropped);
    return;
  }
  if (state_ != State::Live) return;
  if (run.back().sequence <= position_) return;
  const auto fresh = std::ranges::find_if(run, [&](const Event& event) { return event.sequence > position_; });
  if (subscriber_.deliver({fresh, run.end()})) {
    position_ = run.back().sequence;
    engine_.counters_.delivered += static_cast<std::uint64_t>(run.end() - fresh);
    return;
  }
  position_ = fresh->sequence - 1;
  state_ = State::Full;
}

void Subscription::on_tail_lost() {
  if (state_ != State::Live) return;
  position_ = std::max(position_, engine_.loop_end());
  state_ = State::Reading;
  catch_up_next_turn();
}

// What is deferred during the mail of a turn runs in the same turn, in which a portion was handed over already; what
// is deferred from there runs in the next one.
void Subscription::catch_up_next_turn() { defer(&Subscription::catch_up_deferred); }
void Subscription::catch_up_deferred() { defer(&Subscription::catch_up); }

void Subscription::defer(void (Subscription::*then)()) {
  waiting_id_ = engine_.await(*this);
  engine_.loop().defer([&engine = engine_, id = waiting_id_, then] {
    Subscription* self = engine.awaited(id);
    if (self == nullptr) return;
    self->waiting_id_ = 0;
    (self->*then)();
  });
}

}  // namespace engine
