// SPDX-License-Identifier: Apache-2.0
#include "storage/log/segment_repeats.h"

#include "storage/log/little_endian.h"

namespace storage {

using base::Bytes;
using base::Errc;
using base::fail;
using base::Result;

namespace {

constexpr std::size_t kChunkBytes = (std::size_t{64} << 10) / kStoredRepeatBytes * kStoredRepeatBytes;

StoredRepeat repeat_at(Bytes section, std::size_t at) {
  const char* bytes = section.data() + at;
  return {{load_le<std::uint64_t>(bytes), load_le<std::uint64_t>(bytes + 8)},
          load_le<std::uint64_t>(bytes + 16),
          load_le<std::uint64_t>(bytes + 24),
          load_le<std::uint64_t>(bytes + 32)};
}

std::uint64_t newest_time_in(Bytes chunk) { return repeat_at(chunk, chunk.size() - kStoredRepeatBytes).lane_time_ns; }

}  // namespace

void SegmentRepeats::add(const GroupView& group) {
  RecordWalk walk(group.records);
  while (const auto record = walk.next()) {
    if (record->kind == RecordKind::Batch) append(BatchRecord(*record), group.commit.lane_time_ns);
  }
}

void SegmentRepeats::append(const BatchRecord& batch, std::uint64_t lane_time_ns) {
  for (std::uint32_t i = 0; i < batch.repeats(); ++i) {
    const EventRepeat repeat = batch.repeat(i);
    if (chunks_.empty() || chunks_.back().size() == kChunkBytes) chunks_.emplace_back();
    std::string& chunk = chunks_.back();
    append_le(chunk, repeat.key.lo);
    append_le(chunk, repeat.key.hi);
    append_le(chunk, repeat.content);
    append_le(chunk, batch.first_sequence() + repeat.index);
    append_le(chunk, lane_time_ns);
    ++size_;
  }
}

void SegmentRepeats::forget_before(std::uint64_t lane_time_ns) {
  while (!chunks_.empty() && newest_time_in(chunks_.front()) < lane_time_ns) {
    size_ -= chunks_.front().size() / kStoredRepeatBytes;
    chunks_.pop_front();
  }
}

Result<std::vector<StoredRepeat>> decode_repeats(Bytes section, std::uint64_t oldest_lane_time_ns) {
  if (section.size() % kStoredRepeatBytes != 0) return fail(Errc::BadInput, "the repeats of a segment are not whole");
  std::vector<StoredRepeat> repeats;
  std::uint64_t previous_ns = 0;
  for (std::size_t at = 0; at < section.size(); at += kStoredRepeatBytes) {
    const StoredRepeat repeat = repeat_at(section, at);
    if (repeat.lane_time_ns < previous_ns) return fail(Errc::BadInput, "the repeats of a segment do not ascend");
    previous_ns = repeat.lane_time_ns;
    if (repeat.lane_time_ns >= oldest_lane_time_ns) repeats.push_back(repeat);
  }
  return repeats;
}

}  // namespace storage
