// SPDX-License-Identifier: Apache-2.0
#pragma once
// The bytes of a segment: header, records, commits (docs/formats/log.md). Pure functions over memory; views borrow.
//
// Building has two steps, since a group is encoded before it is known which segment takes it: records are appended
// with empty checksums, and seal_group() seeds them all and writes the commit.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "base/siphash.h"
#include "storage/block.h"

namespace storage {

using SegmentNumber = std::uint64_t;
using CommitNumber = std::uint64_t;  // 0 is before the first

inline constexpr std::uint32_t kLogFormatVersion = 1;
inline constexpr std::size_t kSegmentHeaderBytes = 128;
inline constexpr std::size_t kSegmentHeaderCopyAt = 2'048;
inline constexpr std::size_t kFirstGroupAt = 4'096;
inline constexpr std::size_t kRecordAlignment = 8;
inline constexpr std::size_t kRecordHeaderBytes = 16;
inline constexpr std::size_t kBatchRecordHeaderBytes = 40;
inline constexpr std::size_t kRepeatBytes = 32;
inline constexpr std::size_t kCommitBytes = 80;

// Every checksum of a segment starts from its id.
class Seed final {
 public:
  explicit Seed(std::uint64_t segment_id);
  std::uint32_t value() const { return value_; }

 private:
  std::uint32_t value_;
};

enum class SegmentKind : std::uint32_t { Regular = 0, Recovery = 1, Rewritten = 2 };

struct SegmentHeader {
  SegmentNumber number = 0;
  std::uint64_t id = 0;
  SegmentKind kind = SegmentKind::Regular;
  std::uint32_t copies = 0;          // groups behind the lane state that recovery copied
  CommitNumber continues = 0;        // the commit before the first one in here
  std::uint32_t continues_crc = 0;   // of that commit
  SegmentNumber first_replaced = 0;  // a rewritten segment stands for [first_replaced, number]
  std::int64_t created_ms = 0;
  std::int64_t append_ms_before = 0;  // the largest append time of all events before its first one; 0: none is known

  Seed seed() const { return Seed(id); }
};

std::string encode_segment_start(const SegmentHeader&);  // kFirstGroupAt bytes, the header twice
// From the first kFirstGroupAt bytes of a file: either copy will do. Errc::BadInput if neither is whole,
// Errc::Unsupported for another format version.
base::Result<SegmentHeader> parse_segment_start(base::Bytes);

enum class RecordKind : std::uint8_t {
  Batch = 1,
  Topic = 2,
  Trim = 3,
  LaneState = 4,
  Run = 5,
  Segments = 6,
  Damage = 7,
  Clock = 8,
  Commit = 9,
};

// A record whose checksums fit.
struct RecordView {
  RecordKind kind;
  TopicId topic;
  base::Bytes bytes;  // the whole record

  base::Bytes body() const;  // of a control record, without padding
};

// What stands per event in the header of a batch record.
struct EventRepeat {
  std::uint32_t index;  // of the event in its batch
  base::Hash128 key;
  std::uint64_t content;
};

// A batch record taken apart.
class BatchRecord final {
 public:
  explicit BatchRecord(const RecordView& record) : BatchRecord(record.topic, record.bytes) {}
  BatchRecord(TopicId topic, base::Bytes bytes) : topic_(topic), bytes_(bytes) {}

  TopicId topic() const { return topic_; }
  Sequence first_sequence() const;
  Sequence last_sequence() const { return first_sequence() + events() - 1; }
  std::uint32_t events() const;
  std::uint64_t address_hash(std::uint32_t event) const;
  std::uint32_t repeats() const;
  EventRepeat repeat(std::uint32_t i) const;
  base::Bytes batch() const;
  Entry entry() const { return {topic_, events(), first_sequence(), batch()}; }

 private:
  TopicId topic_;
  base::Bytes bytes_;
};

struct CommitRecord {
  CommitNumber number = 0;
  Sequence first_sequence = 0;  // 0: no event
  Sequence last_sequence = 0;
  CommitNumber synced_through = 0;
  std::uint64_t lane_time_ns = 0;
  std::int64_t wall_ms = 0;
  std::uint32_t previous_crc = 0;
  std::uint32_t records = 0;
  std::uint32_t bytes = 0;
  std::uint32_t records_crc = 0;
  std::uint32_t crc = 0;  // its own: what the next commit links to
};

// --- building

struct BatchParts {
  TopicId topic;
  Sequence first_sequence;
  std::span<const std::uint64_t> address_hashes;  // one for each event
  std::span<const EventRepeat> repeats;
  base::Bytes batch;
};
void append_batch_record(std::string& group, const BatchParts&);
void append_control_record(std::string& group, RecordKind, TopicId, base::Bytes body);
// What retention left out here had reached this append time: Unix ms.
void append_clock_record(std::string& group, std::int64_t wall_ms);
// A group that gets no further record: room for its commit.
void append_commit_room(std::string& group);
// Seeds every checksum of a group that ends with room for its commit, and fills that in: `commit` without records,
// bytes and checksums, which are computed. Returns the commit as it was written.
CommitRecord seal_group(std::string& group, Seed, CommitRecord commit);

// --- reading

// The record at the front of `bytes`, its checksums verified, those of a batch too. Errc::NotFound: nothing was
// written here. Errc::TooLarge: it goes on behind the end of `bytes`. Errc::BadInput: damaged.
base::Result<RecordView> parse_record(base::Bytes bytes, Seed);
// Where the checksum of the record at the front ends, which covers it from byte 4 on; none if no whole record can be
// there, whatever its checksums are.
std::optional<std::size_t> record_crc_end(base::Bytes bytes);
CommitRecord parse_commit(const RecordView&);
std::int64_t parse_clock(const RecordView&);

// A whole group.
struct GroupView {
  base::Bytes records;  // without the commit
  CommitRecord commit;

  std::size_t bytes() const { return records.size() + kCommitBytes; }
};
// The group at the front of `bytes`; errors as parse_record.
base::Result<GroupView> parse_group(base::Bytes bytes, Seed);

// Walks records that were verified before: for (RecordWalk w(group.records); auto record = w.next();) ...
class RecordWalk final {
 public:
  explicit RecordWalk(base::Bytes records) : bytes_(records) {}
  std::optional<RecordView> next();
  std::size_t offset() const { return offset_; }  // of what next() will return

 private:
  base::Bytes bytes_;
  std::size_t offset_ = 0;
};

}  // namespace storage
