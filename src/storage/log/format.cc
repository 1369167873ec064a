// SPDX-License-Identifier: Apache-2.0
#include "storage/log/format.h"

#include <cstring>

#include "base/crc32c.h"
#include "codec/record_batch.h"
#include "storage/log/little_endian.h"

namespace storage {

using base::Bytes;
using base::Errc;
using base::fail;
using base::Result;

namespace {

constexpr char kMagic[] = {'T', 'I', 'D', 'E', 'S', 'E', 'G', 'M'};
constexpr std::size_t kBatchCrcEnd = 21;  // of a RecordBatch: its own checksum covers what lies behind

constexpr std::size_t kBytesAt = 4;
constexpr std::size_t kKindAt = 8;
constexpr std::size_t kPaddingAt = 9;
constexpr std::size_t kTopicAt = 12;
constexpr std::size_t kFirstSequenceAt = 16;
constexpr std::size_t kEventsAt = 24;
constexpr std::size_t kRepeatsAt = 28;
constexpr std::size_t kBatchBytesAt = 32;

bool is_kind(std::uint8_t kind) {
  return (kind >= static_cast<std::uint8_t>(RecordKind::Batch) &&
          kind <= static_cast<std::uint8_t>(RecordKind::Clock)) ||
         kind == static_cast<std::uint8_t>(RecordKind::Commit);
}

RecordKind kind_of(Bytes record) { return static_cast<RecordKind>(record[kKindAt]); }
std::size_t bytes_of(Bytes record) { return load_le<std::uint32_t>(record.data() + kBytesAt); }

std::size_t batch_at(std::size_t events, std::size_t repeats) {
  return kBatchRecordHeaderBytes + events * sizeof(std::uint64_t) + repeats * kRepeatBytes;
}

// Where the record's own checksum ends. Only for a batch record whose sizes were checked.
std::size_t covered_end(Bytes record) {
  if (kind_of(record) != RecordKind::Batch) return record.size();
  const auto events = load_le<std::uint32_t>(record.data() + kEventsAt);
  const auto repeats = load_le<std::uint32_t>(record.data() + kRepeatsAt);
  return batch_at(events, repeats) + kBatchCrcEnd;
}

std::uint32_t crc_of(Bytes record, Seed seed) {
  return base::crc32c(record.substr(kBytesAt, covered_end(record) - kBytesAt), seed.value());
}

void append_header(std::string& group, RecordKind kind, TopicId topic, std::size_t bytes_without_padding) {
  const std::size_t padding = (kRecordAlignment - bytes_without_padding % kRecordAlignment) % kRecordAlignment;
  append_le<std::uint32_t>(group, 0);
  append_le(group, static_cast<std::uint32_t>(bytes_without_padding + padding));
  append_le(group, static_cast<std::uint8_t>(kind));
  append_le(group, static_cast<std::uint8_t>(padding));
  append_le<std::uint16_t>(group, 0);
  append_le(group, topic);
}

void append_padding(std::string& group, std::size_t record_at) {
  group.append(static_cast<std::size_t>(group[record_at + kPaddingAt]), '\0');
}

// No checksum covers what stands behind a batch.
bool padding_is_zero(Bytes record) {
  const auto padding = static_cast<std::uint8_t>(record[kPaddingAt]);
  return record.substr(record.size() - padding).find_first_not_of('\0') == Bytes::npos;
}

// The sizes in a batch record agree with each other.
bool batch_fits(Bytes record) {
  if (record.size() < kBatchRecordHeaderBytes) return false;
  const std::uint64_t events = load_le<std::uint32_t>(record.data() + kEventsAt);
  const std::uint64_t repeats = load_le<std::uint32_t>(record.data() + kRepeatsAt);
  const std::uint64_t batch = load_le<std::uint32_t>(record.data() + kBatchBytesAt);
  const auto padding = static_cast<std::uint8_t>(record[kPaddingAt]);
  return events > 0 && repeats <= events && batch >= codec::kBatchHeaderBytes &&
         batch_at(events, repeats) + batch + padding == record.size();
}

Result<void> check_batch(const RecordView& record) {
  const BatchRecord parts(record);
  const auto batch = codec::BatchView::parse(parts.batch(), codec::BatchCrc::Check);
  if (!batch || batch->bytes().size() != parts.batch().size() ||
      static_cast<std::uint32_t>(batch->count()) != parts.events()) {
    return fail(Errc::BadInput, "a record batch of the log is damaged");
  }
  for (std::uint32_t i = 0; i < parts.repeats(); ++i) {
    if (parts.repeat(i).index >= parts.events()) return fail(Errc::BadInput, "a repeat of the log names no event");
  }
  return {};
}

SegmentHeader decode_header(Bytes bytes) {
  SegmentHeader header;
  header.number = load_le<std::uint64_t>(bytes.data() + 16);
  header.id = load_le<std::uint64_t>(bytes.data() + 24);
  header.kind = static_cast<SegmentKind>(load_le<std::uint32_t>(bytes.data() + 32));
  header.copies = load_le<std::uint32_t>(bytes.data() + 36);
  header.continues = load_le<std::uint64_t>(bytes.data() + 40);
  header.continues_crc = load_le<std::uint32_t>(bytes.data() + 48);
  header.first_replaced = load_le<std::uint64_t>(bytes.data() + 56);
  header.created_ms = load_le<std::int64_t>(bytes.data() + 64);
  header.append_ms_before = load_le<std::int64_t>(bytes.data() + 72);
  return header;
}

std::uint32_t header_crc(std::string bytes) {
  store_le<std::uint32_t>(bytes.data() + 12, 0);
  return base::crc32c(bytes);
}

}  // namespace

Seed::Seed(std::uint64_t segment_id) {
  char bytes[sizeof segment_id];
  store_le(bytes, segment_id);
  value_ = base::crc32c({bytes, sizeof bytes});
}

std::string encode_segment_start(const SegmentHeader& header) {
  std::string bytes(kMagic, sizeof kMagic);
  append_le(bytes, kLogFormatVersion);
  append_le<std::uint32_t>(bytes, 0);
  append_le(bytes, header.number);
  append_le(bytes, header.id);
  append_le(bytes, static_cast<std::uint32_t>(header.kind));
  append_le(bytes, header.copies);
  append_le(bytes, header.continues);
  append_le(bytes, header.continues_crc);
  append_le<std::uint32_t>(bytes, 0);
  append_le(bytes, header.first_replaced);
  append_le(bytes, header.created_ms);
  append_le(bytes, header.append_ms_before);
  bytes.resize(kSegmentHeaderBytes);
  store_le(bytes.data() + 12, header_crc(bytes));
  std::string start = bytes;
  start.resize(kSegmentHeaderCopyAt);
  start += bytes;
  start.resize(kFirstGroupAt);
  return start;
}

Result<SegmentHeader> parse_segment_start(Bytes start) {
  for (const std::size_t at : {std::size_t{0}, kSegmentHeaderCopyAt}) {
    if (start.size() < at + kSegmentHeaderBytes) break;
    const Bytes bytes = start.substr(at, kSegmentHeaderBytes);
    if (bytes.substr(0, sizeof kMagic) != Bytes(kMagic, sizeof kMagic)) continue;
    if (header_crc(std::string(bytes)) != load_le<std::uint32_t>(bytes.data() + 12)) continue;
    if (load_le<std::uint32_t>(bytes.data() + 8) != kLogFormatVersion) {
      return fail(Errc::Unsupported, "the segment has another format version");
    }
    return decode_header(bytes);
  }
  return fail(Errc::BadInput, "the header of the segment is damaged");
}

Bytes RecordView::body() const {
  const auto padding = static_cast<std::uint8_t>(bytes[kPaddingAt]);
  return bytes.substr(kRecordHeaderBytes, bytes.size() - kRecordHeaderBytes - padding);
}

Sequence BatchRecord::first_sequence() const { return load_le<std::uint64_t>(bytes_.data() + kFirstSequenceAt); }
std::uint32_t BatchRecord::events() const { return load_le<std::uint32_t>(bytes_.data() + kEventsAt); }
std::uint32_t BatchRecord::repeats() const { return load_le<std::uint32_t>(bytes_.data() + kRepeatsAt); }

std::uint64_t BatchRecord::address_hash(std::uint32_t event) const {
  return load_le<std::uint64_t>(bytes_.data() + kBatchRecordHeaderBytes + event * sizeof(std::uint64_t));
}

EventRepeat BatchRecord::repeat(std::uint32_t i) const {
  const char* at = bytes_.data() + batch_at(events(), i);
  return {load_le<std::uint32_t>(at),
          {load_le<std::uint64_t>(at + 8), load_le<std::uint64_t>(at + 16)},
          load_le<std::uint64_t>(at + 24)};
}

Bytes BatchRecord::batch() const {
  return bytes_.substr(batch_at(events(), repeats()), load_le<std::uint32_t>(bytes_.data() + kBatchBytesAt));
}

void append_batch_record(std::string& group, const BatchParts& parts) {
  const std::size_t at = group.size();
  append_header(group, RecordKind::Batch, parts.topic,
                batch_at(parts.address_hashes.size(), parts.repeats.size()) + parts.batch.size());
  append_le(group, parts.first_sequence);
  append_le(group, static_cast<std::uint32_t>(parts.address_hashes.size()));
  append_le(group, static_cast<std::uint32_t>(parts.repeats.size()));
  append_le(group, static_cast<std::uint32_t>(parts.batch.size()));
  append_le<std::uint32_t>(group, 0);
  group.append(reinterpret_cast<const char*>(parts.address_hashes.data()), parts.address_hashes.size_bytes());
  for (const EventRepeat& repeat : parts.repeats) {
    append_le(group, repeat.index);
    append_le<std::uint32_t>(group, 0);
    append_le(group, repeat.key.lo);
    append_le(group, repeat.key.hi);
    append_le(group, repeat.content);
  }
  group += parts.batch;
  append_padding(group, at);
}

void append_control_record(std::string& group, RecordKind kind, TopicId topic, Bytes body) {
  const std::size_t at = group.size();
  append_header(group, kind, topic, kRecordHeaderBytes + body.size());
  group += body;
  append_padding(group, at);
}

void append_clock_record(std::string& group, std::int64_t wall_ms) {
  std::string body;
  append_le(body, wall_ms);
  append_control_record(group, RecordKind::Clock, 0, body);
}

void append_commit_room(std::string& group) {
  append_header(group, RecordKind::Commit, 0, kCommitBytes);
  group.append(kCommitBytes - kRecordHeaderBytes, '\0');
}

CommitRecord seal_group(std::string& group, Seed seed, CommitRecord commit) {
  CHECK(group.size() >= kCommitBytes, "a group is sealed without room for its commit");
  const std::size_t records_end = group.size() - kCommitBytes;
  commit.bytes = static_cast<std::uint32_t>(records_end);
  commit.records = 0;
  commit.records_crc = seed.value();
  for (std::size_t at = 0; at < records_end; ++commit.records) {
    char* record = group.data() + at;
    const std::size_t bytes = bytes_of({record, kRecordHeaderBytes});
    store_le(record, crc_of({record, bytes}, seed));
    commit.records_crc = base::crc32c({record, sizeof(std::uint32_t)}, commit.records_crc);
    at += bytes;
  }
  char* at = group.data() + records_end;
  store_le(at + 16, commit.number);
  store_le(at + 24, commit.first_sequence);
  store_le(at + 32, commit.last_sequence);
  store_le(at + 40, commit.synced_through);
  store_le(at + 48, commit.lane_time_ns);
  store_le(at + 56, commit.wall_ms);
  store_le(at + 64, commit.previous_crc);
  store_le(at + 68, commit.records);
  store_le(at + 72, commit.bytes);
  store_le(at + 76, commit.records_crc);
  commit.crc = crc_of({at, kCommitBytes}, seed);
  store_le(at, commit.crc);
  return commit;
}

namespace {

// The record at the front, if its header can be one and all of it is there; its checksums are not looked at.
Result<RecordView> unverified_record(Bytes bytes) {
  if (bytes.size() < kRecordHeaderBytes) return fail(Errc::TooLarge, "a record goes on behind the end");
  const std::size_t size = bytes_of(bytes);
  const auto kind = static_cast<std::uint8_t>(bytes[kKindAt]);
  if (size == 0 && bytes.substr(0, kRecordHeaderBytes).find_first_not_of('\0') == Bytes::npos) {
    return fail(Errc::NotFound, "nothing was written here");
  }
  const auto padding = static_cast<std::uint8_t>(bytes[kPaddingAt]);
  if (size < kRecordHeaderBytes + padding || size % kRecordAlignment != 0 || padding >= kRecordAlignment ||
      !is_kind(kind)) {
    return fail(Errc::BadInput, "the header of a record is damaged");
  }
  if (size > bytes.size()) return fail(Errc::TooLarge, "a record goes on behind the end");
  const Bytes record = bytes.substr(0, size);
  const RecordView view{static_cast<RecordKind>(kind), load_le<std::uint32_t>(record.data() + kTopicAt), record};
  if (view.kind == RecordKind::Batch && !batch_fits(record)) return fail(Errc::BadInput, "a record is damaged");
  if (!padding_is_zero(record)) return fail(Errc::BadInput, "the padding of a record is not zero");
  if (view.kind == RecordKind::Commit && size != kCommitBytes) return fail(Errc::BadInput, "a commit is damaged");
  if (view.kind == RecordKind::Clock && view.body().size() != sizeof(std::int64_t)) {
    return fail(Errc::BadInput, "the time in a record is damaged");
  }
  return view;
}

}  // namespace

Result<RecordView> parse_record(Bytes bytes, Seed seed) {
  const RecordView view = TRY(unverified_record(bytes));
  if (load_le<std::uint32_t>(view.bytes.data()) != crc_of(view.bytes, seed)) {
    return fail(Errc::BadInput, "the checksum of a record does not fit");
  }
  if (view.kind == RecordKind::Batch) TRY(check_batch(view));
  return view;
}

std::optional<std::size_t> record_crc_end(Bytes bytes) {
  const auto record = unverified_record(bytes);
  return record ? std::optional(covered_end(record->bytes)) : std::nullopt;
}

std::int64_t parse_clock(const RecordView& record) { return load_le<std::int64_t>(record.body().data()); }

CommitRecord parse_commit(const RecordView& record) {
  const char* at = record.bytes.data();
  CommitRecord commit;
  commit.number = load_le<std::uint64_t>(at + 16);
  commit.first_sequence = load_le<std::uint64_t>(at + 24);
  commit.last_sequence = load_le<std::uint64_t>(at + 32);
  commit.synced_through = load_le<std::uint64_t>(at + 40);
  commit.lane_time_ns = load_le<std::uint64_t>(at + 48);
  commit.wall_ms = load_le<std::int64_t>(at + 56);
  commit.previous_crc = load_le<std::uint32_t>(at + 64);
  commit.records = load_le<std::uint32_t>(at + 68);
  commit.bytes = load_le<std::uint32_t>(at + 72);
  commit.records_crc = load_le<std::uint32_t>(at + 76);
  commit.crc = load_le<std::uint32_t>(at);
  return commit;
}

Result<GroupView> parse_group(Bytes bytes, Seed seed) {
  std::size_t at = 0;
  std::uint32_t records = 0;
  std::uint32_t records_crc = seed.value();
  while (true) {
    const auto record = parse_record(bytes.substr(at), seed);
    if (!record) {
      // Zeros in the middle of a group are damage, not its absence.
      if (at > 0 && record.error().code == Errc::NotFound) return fail(Errc::BadInput, "a group has no commit");
      return std::unexpected(record.error());
    }
    if (record->kind == RecordKind::Commit) {
      const CommitRecord commit = parse_commit(*record);
      if (commit.records != records || commit.bytes != at || commit.records_crc != records_crc) {
        return fail(Errc::BadInput, "a commit does not fit its group");
      }
      return GroupView{bytes.substr(0, at), commit};
    }
    ++records;
    records_crc = base::crc32c(record->bytes.substr(0, sizeof(std::uint32_t)), records_crc);
    at += record->bytes.size();
  }
}

std::optional<RecordView> RecordWalk::next() {
  if (offset_ >= bytes_.size()) return std::nullopt;
  const Bytes rest = bytes_.substr(offset_);
  const Bytes record = rest.substr(0, bytes_of(rest));
  offset_ += record.size();
  return RecordView{kind_of(record), load_le<std::uint32_t>(record.data() + kTopicAt), record};
}

}  // namespace storage
