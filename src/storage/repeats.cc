// SPDX-License-Identifier: Apache-2.0
#include "storage/repeats.h"

#include <algorithm>

#include "base/result.h"

namespace storage {

namespace {

constexpr std::size_t kIndexSlotsMin = 1'024;

}  // namespace

Repeats::Repeats(const Limits& limits)
    : entries_max_(limits.repeat_entries_max),
      window_ns_(limits.repeat_window_ns),
      guaranteed_ns_(limits.repeat_guaranteed_ns),
      index_(kIndexSlotsMin, kNobody) {
  CHECK(entries_max_ > 0 && entries_max_ < kPositions, "the table of repeats has an impossible size");
}

Repeats::Judgement Repeats::judge(const Repeat& repeat, Sequence sequence, std::uint64_t now_ns) {
  age(now_ns);
  const Judgement judgement = compare(index_[find_slot(repeat.key)], repeat, expired_end_);
  if (judgement.verdict != Verdict::New) return judgement;
  if (!make_room(now_ns)) return {Verdict::Full, 0};
  if ((size() + 1) * 2 > index_.size()) grow_index();
  // An expired id with the same key loses its slot to the new one; dropping it later leaves the slot alone.
  index_[find_slot(repeat.key)] = slot_of(end_);
  push_back({repeat.key, repeat.content.lo, sequence}, now_ns);
  return judgement;
}

void Repeats::restore(const base::Hash128& key, std::uint64_t content, Sequence sequence, std::uint64_t then_ns) {
  if (size() == entries_max_) drop_front();
  if ((size() + 1) * 2 > index_.size()) grow_index();
  index_[find_slot(key)] = slot_of(end_);
  push_back({key, content, sequence}, then_ns);
}

Repeats::Judgement Repeats::find(const Repeat& repeat, std::uint64_t now_ns) const {
  return compare(index_[find_slot(repeat.key)], repeat, expired_end(now_ns));
}

Repeats::Judgement Repeats::compare(std::uint32_t slot, const Repeat& repeat, std::uint64_t expired_end) const {
  if (slot == kNobody || position_of(slot) < expired_end) return {Verdict::New, 0};
  const Known& known = at(position_of(slot));
  return {known.content == repeat.content.lo ? Verdict::Repeated : Verdict::Conflict, known.sequence};
}

void Repeats::take_back(std::size_t count) {
  CHECK(count <= size(), "more ids are taken back than there are");
  while (count-- > 0) drop_back();
  while (!marks_.empty() && marks_.back().end > end_) {
    marks_.back().end = end_;
    if (marks_.size() >= 2 && marks_[marks_.size() - 2].end >= end_) marks_.pop_back();
  }
}

void Repeats::restamp_newest(std::uint64_t now_ns) {
  if (!marks_.empty()) marks_.back().newest_ns = now_ns;
}

// Where the ids end that are older than the window.
std::uint64_t Repeats::expired_end(std::uint64_t now_ns) const {
  std::uint64_t end = expired_end_;
  for (const Mark& mark : marks_) {
    if (now_ns - mark.newest_ns <= window_ns_) break;
    end = mark.end;
  }
  return end;
}

void Repeats::age(std::uint64_t now_ns) {
  expired_end_ = expired_end(now_ns);
  while (!marks_.empty() && marks_.front().end <= expired_end_) marks_.pop_front();
}

// False if every id is still guaranteed.
bool Repeats::make_room(std::uint64_t now_ns) {
  for (int i = 0; i < kForgottenPerInsert && begin_ < expired_end_; ++i) drop_front();
  if (size() < entries_max_) return true;
  while (marks_.front().end <= begin_) marks_.pop_front();
  if (now_ns - marks_.front().newest_ns <= guaranteed_ns_) return false;
  drop_front();
  ++forgotten_early_;
  return true;
}

const Repeats::Known& Repeats::at(std::uint64_t position) const {
  return (*chunks_[position / kChunkEntries - begin_ / kChunkEntries])[position % kChunkEntries];
}

void Repeats::push_back(const Known& known, std::uint64_t now_ns) {
  const std::size_t chunk = end_ / kChunkEntries - begin_ / kChunkEntries;
  if (chunk == chunks_.size()) chunks_.push_back(std::make_unique_for_overwrite<Chunk>());
  (*chunks_[chunk])[end_ % kChunkEntries] = known;
  ++end_;
  if (marks_.empty() || now_ns - marks_.back().oldest_ns >= kMarkNs) marks_.push_back({now_ns, now_ns, end_});
  marks_.back().newest_ns = std::max(marks_.back().newest_ns, now_ns);
  marks_.back().end = end_;
}

void Repeats::drop_front() {
  const std::size_t slot = find_slot(at(begin_).key);
  if (index_[slot] == slot_of(begin_)) erase_slot(slot);
  ++begin_;
  if (begin_ % kChunkEntries == 0) chunks_.pop_front();
}

void Repeats::drop_back() {
  erase_slot(find_slot(at(end_ - 1).key));
  --end_;
  if (end_ % kChunkEntries == 0) chunks_.pop_back();
}

std::size_t Repeats::find_slot(const base::Hash128& key) const {
  const std::size_t mask = index_.size() - 1;
  std::size_t slot = key.lo & mask;
  while (index_[slot] != kNobody && at(position_of(index_[slot])).key != key) slot = (slot + 1) & mask;
  return slot;
}

// Moves the followers of a chain up into the hole (Knuth, volume 3, section 6.4, algorithm R): no tombstones.
void Repeats::erase_slot(std::size_t hole) {
  const std::size_t mask = index_.size() - 1;
  for (std::size_t slot = (hole + 1) & mask; index_[slot] != kNobody; slot = (slot + 1) & mask) {
    const std::size_t home = at(position_of(index_[slot])).key.lo & mask;
    if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
    index_[hole] = index_[slot];
    hole = slot;
  }
  index_[hole] = kNobody;
}

void Repeats::grow_index() {
  index_.assign(index_.size() * 2, kNobody);
  for (std::uint64_t position = begin_; position < end_; ++position) {
    index_[find_slot(at(position).key)] = slot_of(position);
  }
}

}  // namespace storage
