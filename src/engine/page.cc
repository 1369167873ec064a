// SPDX-License-Identifier: Apache-2.0
#include "engine/page.h"

#include <algorithm>
#include <utility>

#include "engine/runs.h"

namespace engine {

namespace {
constexpr std::size_t kReadBytes = 1 << 20;
constexpr std::size_t kPositionOnlyBytes = 1;
}  // namespace

// What the lane's answer finds when the page is gone.
struct PageReader::Alive {
  PageReader* reader;
};

PageReader::PageReader(Engine& engine, PageRequest request, PageSink& sink)
    : engine_(engine), request_(std::move(request)), sink_(sink), alive_(std::make_shared<Alive>(Alive{this})) {}

PageReader::~PageReader() { alive_->reader = nullptr; }

void PageReader::start() {
  target_ = engine_.lane().durable();
  if (std::holds_alternative<Earliest>(request_.start)) return ask({});
  if (std::holds_alternative<Latest>(request_.start)) return ask(target_);
  const Cursor cursor = std::get<Cursor>(request_.start);
  if (cursor.epoch != engine_.lane().identity().epoch)
    refusal_ = ResetReason::EpochChanged;
  else if (cursor.sequence > target_)
    refusal_ = ResetReason::Ahead;
  ask(refusal_ ? std::nullopt : std::optional(cursor.sequence));
}

void PageReader::ask(std::optional<storage::Sequence> after) {
  ++engine_.counters_.cold_reads;
  engine_.lane().read(engine_.loop(),
                      {request_.addresses.durable_topics(), after, refusal_ ? kPositionOnlyBytes : kReadBytes},
                      [alive = alive_](const storage::ReadReply& reply) {
                        if (alive->reader != nullptr) alive->reader->on_read(reply);
                      });
}

void PageReader::on_read(const storage::ReadReply& reply) {
  if (refusal_) return refuse(*refusal_, reply.complete_after);
  // Retention overtook the reading, or it reached damage: what it has is complete up to here, and whoever asks for the
  // next page is told.
  if (begun_ && (reply.status == storage::ReadStatus::Trimmed || reply.status == storage::ReadStatus::Damaged)) {
    return sink_.on_page(engine_.cursor(position_));
  }
  switch (reply.status) {
    case storage::ReadStatus::Trimmed: return refuse(ResetReason::Trimmed, reply.complete_after);
    case storage::ReadStatus::Ahead: return refuse(ResetReason::Ahead, reply.complete_after);
    case storage::ReadStatus::Damaged:
      return sink_.on_refusal({ResetReason::Damaged, engine_.cursor(reply.damaged_last),
                               engine_.cursor(reply.complete_after), engine_.latest()});
    case storage::ReadStatus::Stopped: return;  // the program ends; the session says goodbye
    case storage::ReadStatus::Read: break;
  }
  begun_ = true;
  position_ = std::max(position_, reply.after);
  for (const storage::BlockPtr& block : reply.blocks)
    if (take(*block) == Taken::Enough) return sink_.on_page(engine_.cursor(position_));
  position_ = std::max(position_, reply.covered);
  // What became durable while this was read is there for the next page, so that a busy lane cannot keep one busy.
  if (position_ >= target_ || scanned_bytes_ >= kPageScanBytesMax) return sink_.on_page(engine_.cursor(position_));
  ask(position_);
}

void PageReader::refuse(ResetReason reason, storage::Sequence earliest) {
  const Cursor goes_on = request_.on_reset == OnReset::Earliest ? engine_.cursor(earliest) : engine_.latest();
  sink_.on_refusal({reason, goes_on, engine_.cursor(earliest), engine_.latest()});
}

PageReader::Taken PageReader::take(const storage::Block& block) {
  scanned_bytes_ += block.bytes.size();
  for (const storage::Entry& entry : block.entries) {
    if (!request_.addresses.wants(entry.topic) || entry.last_sequence() <= position_) continue;
    if (take(entry) == Taken::Enough) return Taken::Enough;
  }
  return Taken::All;
}

PageReader::Taken PageReader::take(const storage::Entry& entry) {
  RunReader runs(entry);
  std::vector<Event> run;
  while (runs.next(run)) {
    if (!request_.addresses.wants(run.front())) continue;
    for (const Event& event : run)
      if (event.sequence > position_ && take(event) == Taken::Enough) return Taken::Enough;
  }
  return Taken::All;
}

PageReader::Taken PageReader::take(const Event& event) {
  const std::size_t size = event.content.data ? event.content.data->size() : 0;
  if (events_ > 0 && data_bytes_ + size > kPageDataBytesMax) return Taken::Enough;
  sink_.on_event(event);
  position_ = event.sequence;
  data_bytes_ += size;
  return ++events_ == request_.events_max ? Taken::Enough : Taken::All;
}

}  // namespace engine
