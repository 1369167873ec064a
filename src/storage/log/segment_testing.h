// SPDX-License-Identifier: Apache-2.0
#pragma once
// For the tests of indexes: a segment written group by group, and a plain list of what is in it to compare with.
#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "codec/record_batch.h"
#include "storage/log/address_index.h"
#include "storage/log/segment_index.h"
#include "storage/log/segment_repeats.h"

namespace storage {

// One batch to be written.
struct TestBatch {
  TopicId topic;
  std::vector<std::uint64_t> addresses = {1};  // one hash for each event
  std::size_t value_bytes = 100;               // of each event
  std::vector<EventRepeat> repeats = {};
};

// One batch that was written.
struct WrittenBatch {
  std::uint64_t offset;  // of its record, in the file
  std::uint64_t end_offset;
  TopicId topic;
  Sequence first_sequence;
  Sequence last_sequence;
  std::uint64_t bytes;
  std::int64_t first_offset;
  std::int64_t wall_ms;
  std::uint64_t lane_time_ns;
  std::size_t extent;
  std::vector<std::uint64_t> addresses;
};

class TestSegment final {
 public:
  const SegmentHeader& header() const { return header_; }
  const CommitRecord& last_commit() const { return last_commit_; }
  const std::vector<WrittenBatch>& batches() const { return batches_; }
  const std::vector<StoredRepeat>& repeats() const { return repeats_; }
  std::uint64_t end_offset() const { return end_offset_; }
  std::size_t extents() const { return batches_.empty() ? 0 : batches_.back().extent + 1; }

  // What the next groups are like.
  std::uint64_t lane_time_ns = 1'000;
  std::int64_t wall_ms = 1'700'000'000'000;
  Sequence next_sequence = 1;
  std::int64_t next_offset(TopicId topic) const { return topic < next_offsets_.size() ? next_offsets_[topic] : 0; }
  void skip_offsets(TopicId topic, std::int64_t count) { offset_of(topic) += count; }
  void skip_bytes(std::uint64_t bytes) { end_offset_ += bytes; }  // as if a group was damaged

  void write(const std::vector<TestBatch>& batches) {
    std::string group;
    const Sequence first = next_sequence;
    for (const TestBatch& batch : batches) append(group, batch);
    seal(std::move(group), batches.empty() ? 0 : first, batches.empty() ? 0 : next_sequence - 1);
  }
  void write_control(std::size_t body_bytes) {
    std::string group;
    append_control_record(group, RecordKind::Trim, 0, std::string(body_bytes, 'c'));
    seal(std::move(group), 0, 0);
  }

  // Hands every group to the parts of a segment, as the running log and a scan do.
  void feed(SegmentIndex& index) const {
    each_group([&](std::uint64_t offset, const GroupView& group) { index.add(offset, group); });
  }
  void feed(SegmentIndex& index, AddressIndex& addresses, SegmentRepeats& repeats) const {
    each_group([&](std::uint64_t offset, const GroupView& group) {
      index.add(offset, group, addresses);
      repeats.add(group);
    });
  }
  SegmentIndex index() const {
    SegmentIndex index;
    feed(index);
    return index;
  }
  template <class Each>
  void each_group(const Each& each) const {
    for (const auto& [offset, bytes] : groups_) each(offset, parse_group(bytes, header_.seed()).value());
  }

 private:
  std::int64_t& offset_of(TopicId topic) {
    if (topic >= next_offsets_.size()) next_offsets_.resize(topic + 1);
    return next_offsets_[topic];
  }

  void append(std::string& group, const TestBatch& batch) {
    std::string tail;
    codec::append_record_tail(tail, std::nullopt, std::string(batch.value_bytes, 'v'), {});
    std::int64_t& offset = offset_of(batch.topic);
    builder_.start(offset, wall_ms);
    for (std::size_t i = 0; i < batch.addresses.size(); ++i) builder_.add(wall_ms, tail);
    const base::Bytes bytes = builder_.finish();
    const std::uint64_t at = end_offset_ + group.size();
    append_batch_record(group, {batch.topic, next_sequence, batch.addresses, batch.repeats, bytes});
    for (const EventRepeat& repeat : batch.repeats) {
      repeats_.push_back({repeat.key, repeat.content, next_sequence + repeat.index, lane_time_ns});
    }
    const Sequence last = next_sequence + batch.addresses.size() - 1;
    if (batches_.empty()) extent_at_ = at;
    std::size_t extent = batches_.empty() ? 0 : batches_.back().extent;
    if (at - extent_at_ >= 65'536) {
      ++extent;
      extent_at_ = at;
    }
    batches_.push_back({at, end_offset_ + group.size(), batch.topic, next_sequence, last, bytes.size(), offset, wall_ms,
                        lane_time_ns, extent, batch.addresses});
    offset += static_cast<std::int64_t>(batch.addresses.size());
    next_sequence = last + 1;
  }

  void seal(std::string group, Sequence first, Sequence last) {
    append_commit_room(group);
    CommitRecord commit{.number = last_commit_.number + 1,
                        .first_sequence = first,
                        .last_sequence = last,
                        .lane_time_ns = lane_time_ns,
                        .wall_ms = wall_ms,
                        .previous_crc = last_commit_.crc};
    last_commit_ = seal_group(group, header_.seed(), commit);
    const std::uint64_t at = end_offset_;
    end_offset_ += group.size();
    groups_.emplace_back(at, std::move(group));
  }

  SegmentHeader header_{.number = 7, .id = 0x1234'5678'9abc'def0};
  CommitRecord last_commit_ = {};
  codec::BatchBuilder builder_;
  std::vector<std::pair<std::uint64_t, std::string>> groups_;
  std::vector<WrittenBatch> batches_;
  std::vector<StoredRepeat> repeats_;
  std::vector<std::int64_t> next_offsets_;
  std::uint64_t end_offset_ = kFirstGroupAt;
  std::uint64_t extent_at_ = 0;
};

// A segment of some MiB with everything that can happen: topics that are busy, rare, and gone again; groups of one
// event and of many; groups of control records alone; holes of sequences, offsets and bytes; a clock that steps back.
inline TestSegment random_segment(unsigned seed, std::size_t groups) {
  std::mt19937_64 random(seed);
  const auto pick = [&random](std::uint64_t below) { return random() % below; };
  TestSegment segment;
  segment.write_control(200);
  for (std::size_t i = 0; i < groups; ++i) {
    segment.lane_time_ns += pick(1'000'000);
    segment.wall_ms += static_cast<std::int64_t>(pick(50)) - 10;
    if (pick(40) == 0) segment.next_sequence += pick(1'000);
    if (pick(40) == 0) segment.skip_offsets(static_cast<TopicId>(1 + pick(4)), 3);
    if (pick(40) == 0) segment.skip_bytes(8 * pick(20'000));
    if (pick(10) == 0) {
      segment.write_control(pick(100) == 0 ? 100'000 : pick(300));
      continue;
    }
    std::vector<TestBatch> batches;
    for (std::size_t count = pick(4) == 0 ? 1 + pick(30) : 1; count > 0; --count) {
      const std::uint64_t kind = pick(20);
      // Topic 1 is everywhere, 2 to 4 often, 100 to 139 rarely, 200 only in the first third.
      TestBatch batch{.topic = 1, .value_bytes = pick(8) == 0 ? pick(60'000) : pick(2'000)};
      if (kind > 10) batch.topic = static_cast<TopicId>(2 + kind % 3);
      if (kind == 0) batch.topic = static_cast<TopicId>(100 + pick(40));
      if (kind == 1 && i < groups / 3) batch.topic = 200;
      batch.addresses.clear();
      for (std::size_t events = 1 + pick(4); events > 0; --events) {
        batch.addresses.push_back((1 + pick(300)) * 0x9e37'79b9'7f4a'7c15);
        if (pick(3) != 0) continue;
        const auto index = static_cast<std::uint32_t>(batch.addresses.size() - 1);
        batch.repeats.push_back({index, {random(), random()}, random()});
      }
      batches.push_back(std::move(batch));
    }
    segment.write(batches);
  }
  return segment;
}

}  // namespace storage
