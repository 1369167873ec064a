// SPDX-License-Identifier: Apache-2.0
#include "storage/writer.h"

#include <algorithm>
#include <utility>

#include "base/result.h"
#include "codec/record_batch.h"

namespace storage {

namespace {

// What an event takes at the most around its tail, in a batch of its own.
constexpr std::size_t kEncodedEventBytesMax =
    kBatchRecordHeaderBytes + sizeof(std::uint64_t) + kRepeatBytes + codec::kBatchHeaderBytes + 32;

// At least what the request takes while it waits, and at least what it takes encoded.
std::size_t weight(const std::vector<NewEvent>& events) {
  std::size_t bytes = sizeof(Request);
  for (const NewEvent& event : events) {
    bytes += std::max(sizeof(NewEvent), kEncodedEventBytesMax) + event.record_tail.size();
  }
  return bytes;
}

void answer_refused(RequestPtr request, AppendStatus status) {
  io::Loop& from = request->from;
  from.post([request = std::move(request), status] { request->done({status, {}, {}}); });
}

}  // namespace

Writer::Writer(io::Loop& loop, const LaneClock& clock, TopicTable& topics, Medium& medium, const Limits& limits,
               Start start)
    : loop_(loop),
      clock_(clock),
      medium_(medium),
      group_bytes_max_(limits.group_bytes_max),
      request_bytes_max_(limits.request_bytes_max),
      gate_(limits.queue_bytes_max),
      durable_(start.durable),
      next_sequence_(start.next),
      repeats_(limits),
      followers_(limits.follower_waiting_bytes_max),
      encoder_(topics) {
  CHECK(request_bytes_max_ <= limits.queue_bytes_max, "a request may be larger than the queue");
  loop.at_end_of_turn([](void* self) { static_cast<Writer*>(self)->form_group(); }, this);
}

void Writer::append(io::Loop& from, std::vector<NewEvent> events, Lane::AppendDone done) {
  const std::size_t bytes = weight(events);
  auto request = std::make_unique<Request>(from, std::move(events), std::move(done), bytes);
  request->reply.items.reserve(request->events.size());  // here, because it dies here too
  if (bytes > request_bytes_max_) return answer_refused(std::move(request), AppendStatus::TooLarge);
  switch (gate_.enter(bytes)) {
    case Gate::Answer::Full: return answer_refused(std::move(request), AppendStatus::QueueFull);
    case Gate::Answer::Closed: return answer_refused(std::move(request), AppendStatus::Stopped);
    case Gate::Answer::Entered: break;
  }
  loop_.post([this, request = std::move(request)]() mutable { receive(std::move(request)); });
}

void Writer::follow(io::Loop& loop, Lane::OnCommit on_commit, Sequence told) {
  followers_.add(loop, std::move(on_commit), told, durable());
}

void Writer::receive(RequestPtr request) {
  waiting_.push_back(std::move(request));
  if (state_ == State::Failed) refuse_waiting();
}

// The end of each turn.
void Writer::form_group() {
  if (state_ == State::Collecting) {
    const std::int64_t append_time_ms = waiting_.empty() ? 0 : loop_.wall_ms();
    while (!waiting_.empty() && fits(*waiting_.front())) admit(take_waiting(), append_time_ms);
    if (!encoder_.empty()) {
      state_ = State::Persisting;
      group_ = encoder_.finish();
      medium_.persist(group_, [this](Persisted outcome) { on_persisted(outcome); });
    }
  }
  answers_.post();
}

RequestPtr Writer::take_waiting() {
  RequestPtr request = std::move(waiting_.front());
  waiting_.pop_front();
  gate_.leave(request->bytes);
  return request;
}

void Writer::admit(RequestPtr request, std::int64_t append_time_ms) {
  AppendReply& reply = request->reply;
  reply.status = judge(*request);
  if (reply.status != AppendStatus::Durable) {
    reply.items.clear();
    return answers_.add(std::move(request));
  }
  bool is_durable = true;
  for (std::size_t i = 0; i < reply.items.size(); ++i) {
    const auto [sequence, duplicate] = reply.items[i];
    is_durable = is_durable && sequence <= durable();
    if (duplicate) continue;
    const NewEvent& event = request->events[i];
    encoder_.add(event, sequence, append_time_ms);
  }
  // A repeat of this group's own events waits for them.
  if (is_durable) return answers_.add(std::move(request));
  group_bytes_ += request->bytes;
  group_answers_.add(std::move(request));
}

// In order of arrival; each event alone, and then all or nothing. Afterwards the new ones have their sequences and
// are known to repeats_, or nothing has changed.
AppendStatus Writer::judge(Request& request) {
  AppendReply& reply = request.reply;
  Sequence next = next_sequence_;
  std::size_t new_ids = 0;
  bool full = false;
  for (std::size_t i = 0; i < request.events.size() && !full; ++i) {
    const NewEvent& event = request.events[i];
    if (!event.repeat) {
      reply.items.push_back({next++, false});
      continue;
    }
    const Repeats::Judgement judged = repeats_.judge(*event.repeat, next, clock_.now_ns());
    switch (judged.verdict) {
      case Repeats::Verdict::New:
        ++new_ids;
        reply.items.push_back({next++, false});
        break;
      case Repeats::Verdict::Repeated: reply.items.push_back({judged.sequence, true}); break;
      case Repeats::Verdict::Conflict: reply.conflicts.push_back(i); break;
      case Repeats::Verdict::Full: full = true; break;
    }
  }
  if (full || !reply.conflicts.empty()) {
    repeats_.take_back(new_ids);
    return reply.conflicts.empty() ? AppendStatus::RepeatsFull : AppendStatus::Conflict;
  }
  next_sequence_ = next;
  group_ids_ += new_ids;
  return AppendStatus::Durable;
}

void Writer::on_persisted(Persisted outcome) {
  CHECK(state_ == State::Persisting, "the medium answered twice");
  const BlockPtr group = std::exchange(group_, nullptr);
  state_ = State::Collecting;
  // The window and its guarantee begin when the publisher can know.
  if (group_ids_ > 0) repeats_.restamp_newest(clock_.now_ns());
  switch (outcome) {
    case Persisted::Durable: commit(group); break;
    case Persisted::NoSpace: undo(*group); break;
    case Persisted::Unknown: fail(); break;
  }
  group_answers_.post();
  group_bytes_ = 0;
  group_ids_ = 0;
}

void Writer::commit(const BlockPtr& group) {
  durable_.store(group->last(), std::memory_order_release);
  followers_.tell(group);
}

// Nobody was told of these sequences and offsets, so they are given again.
void Writer::undo(const Block& group) {
  group_answers_.refuse(AppendStatus::NoSpace);
  refuse_waiting_repeats(AppendStatus::NoSpace);
  repeats_.take_back(group_ids_);
  encoder_.unwind(group);
  next_sequence_ = group.first();
}

void Writer::fail() {
  state_ = State::Failed;
  group_answers_.refuse(AppendStatus::OutcomeUnknown);
  refuse_waiting();
}

// A failed lane: what repeats an event of the failed group may be there after the restart, the rest is not.
void Writer::refuse_waiting() {
  refuse_waiting_repeats(AppendStatus::OutcomeUnknown);
  while (!waiting_.empty()) {
    RequestPtr request = take_waiting();
    refuse(*request, AppendStatus::Stopped);
    answers_.add(std::move(request));
  }
}

void Writer::refuse_waiting_repeats(AppendStatus status) {
  for (std::deque<RequestPtr> judging = std::exchange(waiting_, {}); !judging.empty(); judging.pop_front()) {
    RequestPtr& request = judging.front();
    if (!repeats_undecided(*request)) {
      waiting_.push_back(std::move(request));
      continue;
    }
    gate_.leave(request->bytes);
    refuse(*request, status);
    answers_.add(std::move(request));
  }
}

// Whether it repeats an event that was given a sequence and is not durable.
bool Writer::repeats_undecided(const Request& request) const {
  return std::ranges::any_of(request.events, [&](const NewEvent& event) {
    if (!event.repeat) return false;
    const Repeats::Judgement judged = repeats_.find(*event.repeat, clock_.now_ns());
    return judged.verdict == Repeats::Verdict::Repeated && judged.sequence > durable();
  });
}

}  // namespace storage
