// SPDX-License-Identifier: Apache-2.0
#include "storage/log/lane_state.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "codec/record_batch.h"
#include "storage/log/little_endian.h"

namespace storage {

using base::Bytes;
using base::Errc;
using base::fail;
using base::Result;

namespace {

constexpr std::size_t kRunBytes = 16;
constexpr std::size_t kTopicBytesMin = 42;
constexpr std::size_t kTrimBytes = 16;
constexpr std::size_t kManifestEntryBytes = 56;
constexpr std::size_t kDamageBytes = 16;
constexpr std::size_t kNameDigits = 16;
constexpr Bytes kSegmentEnding = ".segment";

// Topics get their ids one by one, so a gap can only stem from records that were lost; a larger one is nonsense, and
// nobody allocates for it.
constexpr std::size_t kTopicGapMax = 65'536;

std::unexpected<base::Error> nonsense() { return fail(Errc::BadInput, "a control record of the log makes no sense"); }

std::string lost_topic_identity(std::size_t id) { return "?" + std::to_string(id); }

void append_string(std::string& out, Bytes text) {
  CHECK(text.size() <= std::numeric_limits<std::uint16_t>::max(), "a topic's identity is longer than 64 KiB");
  append_le(out, static_cast<std::uint16_t>(text.size()));
  out += text;
}

std::string take_string(LittleEndianReader& from) { return std::string(from.take_bytes(from.take<std::uint16_t>())); }

void append_count(std::string& out, std::size_t count) {
  append_le(out, static_cast<std::uint32_t>(count));
  append_le<std::uint32_t>(out, 0);
}

// Nothing if there cannot be so many: what a count says is not allocated before it is known to be possible.
std::optional<std::size_t> take_count(LittleEndianReader& from, std::size_t bytes_each) {
  const std::size_t count = from.take<std::uint32_t>();
  from.take<std::uint32_t>();
  if (!from.ok() || count > from.left() / bytes_each) return std::nullopt;
  return count;
}

void append_retention(std::string& out, const Retention& retention) {
  append_le(out, retention.age_ns);
  append_le(out, retention.bytes);
}

Retention take_retention(LittleEndianReader& from) {
  Retention retention;
  retention.age_ns = from.take<std::uint64_t>();
  retention.bytes = from.take<std::uint64_t>();
  return retention;
}

void append_entries(std::string& out, const std::vector<ManifestEntry>& manifest) {
  append_count(out, manifest.size());
  for (const ManifestEntry& entry : manifest) {
    append_le(out, entry.number);
    append_le(out, entry.id);
    append_le(out, entry.first_sequence);
    append_le(out, entry.last_sequence);
    append_le(out, entry.last_commit);
    append_le(out, entry.last_commit_crc);
    append_le<std::uint32_t>(out, 0);
    append_le(out, entry.last_lane_time_ns);
  }
}

Result<std::vector<ManifestEntry>> take_entries(LittleEndianReader& from) {
  const auto count = take_count(from, kManifestEntryBytes);
  if (!count) return nonsense();
  std::vector<ManifestEntry> manifest(*count);
  SegmentNumber before = 0;
  for (ManifestEntry& entry : manifest) {
    entry.number = from.take<std::uint64_t>();
    entry.id = from.take<std::uint64_t>();
    entry.first_sequence = from.take<std::uint64_t>();
    entry.last_sequence = from.take<std::uint64_t>();
    entry.last_commit = from.take<std::uint64_t>();
    entry.last_commit_crc = from.take<std::uint32_t>();
    from.take<std::uint32_t>();
    entry.last_lane_time_ns = from.take<std::uint64_t>();
    if (entry.number <= before || entry.first_sequence > entry.last_sequence) return nonsense();
    before = entry.number;
  }
  return manifest;
}

void append_ranges(std::string& out, const std::vector<DamagedRange>& damage) {
  append_count(out, damage.size());
  for (const DamagedRange& range : damage) {
    append_le(out, range.first);
    append_le(out, range.last);
  }
}

Result<std::vector<DamagedRange>> take_ranges(LittleEndianReader& from) {
  const auto count = take_count(from, kDamageBytes);
  if (!count) return nonsense();
  std::vector<DamagedRange> damage(*count);
  for (DamagedRange& range : damage) {
    range.first = from.take<std::uint64_t>();
    range.last = from.take<std::uint64_t>();
    if (range.first == 0 || range.first > range.last) return nonsense();
  }
  return damage;
}

Result<std::vector<LaneRun>> take_runs(LittleEndianReader& from) {
  const auto count = take_count(from, kRunBytes);
  if (!count) return nonsense();
  std::vector<LaneRun> runs(*count);
  Sequence before = 0;
  for (LaneRun& run : runs) {
    run.first = from.take<std::uint64_t>();
    run.previous_end = from.take<std::uint64_t>();
    if (run.first <= run.previous_end || run.previous_end < before) return nonsense();
    before = run.first;
  }
  return runs;
}

Result<std::vector<TopicState>> take_topics(LittleEndianReader& from) {
  const auto count = take_count(from, kTopicBytesMin);
  if (!count) return nonsense();
  std::vector<TopicState> topics(*count);
  for (std::size_t i = 0; i < topics.size(); ++i) {
    if (from.take<std::uint32_t>() != i + 1) return nonsense();
    from.take<std::uint32_t>();
    topics[i].next_offset = from.take<std::int64_t>();
    topics[i].complete_after = from.take<std::uint64_t>();
    topics[i].retention = take_retention(from);
    topics[i].identity = take_string(from);
    if (topics[i].next_offset < 0) return nonsense();
  }
  return topics;
}

// The topic of this id, made if it is the next one. Ids between were given to topics whose records were lost: they get
// a name that no address template can have, so that nobody is ever given their ids.
TopicState* topic_of(LaneState& state, TopicId id) {
  if (id == 0 || id > state.topics.size() + kTopicGapMax) return nullptr;
  while (id > state.topics.size()) state.topics.push_back({.identity = lost_topic_identity(state.topics.size() + 1)});
  return &state.topics[id - 1];
}

Result<void> apply_batch(LaneState& state, const RecordView& record) {
  TopicState* topic = topic_of(state, record.topic);
  if (!topic) return nonsense();
  // The batch was verified with its record.
  const auto batch = TRY(codec::BatchView::parse(BatchRecord(record).batch(), codec::BatchCrc::Skip));
  topic->next_offset = batch.last_offset() + 1;
  return {};
}

Result<void> apply_topic(LaneState& state, const RecordView& record) {
  LittleEndianReader body(record.body());
  const Retention retention = take_retention(body);
  std::string identity = take_string(body);
  TopicState* topic = topic_of(state, record.topic);
  if (!body.ok() || body.left() > 0 || !topic) return nonsense();
  topic->retention = retention;
  topic->identity = std::move(identity);
  return {};
}

Result<void> apply_trims(LaneState& state, const RecordView& record) {
  LittleEndianReader body(record.body());
  const std::size_t count = body.take<std::uint32_t>();
  if (!body.ok() || body.left() != count * kTrimBytes) return nonsense();
  for (std::size_t i = 0; i < count; ++i) {
    TopicState* topic = topic_of(state, body.take<std::uint32_t>());
    body.take<std::uint32_t>();
    const auto complete_after = body.take<std::uint64_t>();
    if (!topic) return nonsense();
    topic->complete_after = std::max(topic->complete_after, complete_after);
  }
  return {};
}

Result<void> apply_run(LaneState& state, const RecordView& record) {
  const auto run = decode_run(record.body());
  if (!run || run->first < state.next_sequence || run->first <= run->previous_end) return nonsense();
  LittleEndianReader body(record.body());
  state.identity.epoch = body.take<std::uint64_t>();
  state.lock = {body.take<std::uint64_t>(), body.take<std::uint64_t>()};
  // A run without an event leaves no trace: the gap before it and the one behind it are one.
  if (!state.runs.empty() && state.runs.back().first == state.next_sequence) state.runs.pop_back();
  state.runs.push_back(*run);
  state.next_sequence = run->first;
  return {};
}

Result<void> apply_segments(LaneState& state, const RecordView& record) {
  LittleEndianReader body(record.body());
  std::vector<ManifestEntry> manifest = TRY(take_entries(body));
  if (!body.ok() || body.left() > 0) return nonsense();
  state.manifest = std::move(manifest);
  return {};
}

Result<void> apply_damage(LaneState& state, const RecordView& record) {
  LittleEndianReader body(record.body());
  const std::vector<DamagedRange> damage = TRY(take_ranges(body));
  if (!body.ok() || body.left() > 0) return nonsense();
  for (const DamagedRange& range : damage) add_damage(state.damage, range);
  return {};
}

Result<void> apply_lane_state(LaneState& state, const RecordView& record) {
  state = TRY(decode_lane_state(record.body()));
  return {};
}

Result<void> apply_record(LaneState& state, const RecordView& record) {
  switch (record.kind) {
    case RecordKind::Batch: return apply_batch(state, record);
    case RecordKind::Topic: return apply_topic(state, record);
    case RecordKind::Trim: return apply_trims(state, record);
    case RecordKind::LaneState: return apply_lane_state(state, record);
    case RecordKind::Run: return apply_run(state, record);
    case RecordKind::Segments: return apply_segments(state, record);
    case RecordKind::Damage: return apply_damage(state, record);
    case RecordKind::Clock: return {};
    case RecordKind::Commit: break;
  }
  return nonsense();
}

}  // namespace

Result<void> LaneState::apply(const GroupView& group) {
  for (RecordWalk walk(group.records); const auto record = walk.next();) TRY(apply_record(*this, *record));
  if (group.commit.first_sequence > 0) next_sequence = group.commit.last_sequence + 1;
  lane_time_ns = group.commit.lane_time_ns;
  return {};
}

Sequence LaneState::end() const {
  if (!runs.empty() && runs.back().first == next_sequence) return runs.back().previous_end;
  return next_sequence - 1;
}

bool LaneState::is_between_runs(Sequence position) const {
  // The first run that begins behind the position, so that every earlier one is at or before it.
  const auto run = std::ranges::upper_bound(runs, position, {}, &LaneRun::first);
  return run != runs.end() && position > run->previous_end && position + 1 < run->first;
}

void add_damage(std::vector<DamagedRange>& damage, DamagedRange range) {
  const auto touches = [&](const DamagedRange& each) {
    return each.first - 1 <= range.last && range.first - 1 <= each.last;
  };
  for (const DamagedRange& each : damage) {
    if (!touches(each)) continue;
    range = {std::min(range.first, each.first), std::max(range.last, each.last)};
  }
  std::erase_if(damage, touches);
  damage.insert(std::ranges::upper_bound(damage, range.first, {}, &DamagedRange::first), range);
}

std::string encode_lane_state(const LaneState& state) {
  std::string out;
  append_le(out, state.identity.epoch);
  append_le(out, state.lock.inode);
  append_le(out, state.lock.birth_ns);
  out.append(reinterpret_cast<const char*>(state.identity.deduplication_key.data()),
             state.identity.deduplication_key.size());
  append_le(out, state.next_sequence);
  append_le(out, state.lane_time_ns);
  append_le(out, static_cast<std::uint32_t>(state.topics.size() + 1));
  append_le<std::uint32_t>(out, 0);
  append_count(out, state.runs.size());
  for (const LaneRun& run : state.runs) {
    append_le(out, run.first);
    append_le(out, run.previous_end);
  }
  append_count(out, state.topics.size());
  for (std::size_t i = 0; i < state.topics.size(); ++i) {
    append_le(out, static_cast<TopicId>(i + 1));
    append_le<std::uint32_t>(out, 0);
    append_le(out, state.topics[i].next_offset);
    append_le(out, state.topics[i].complete_after);
    append_retention(out, state.topics[i].retention);
    append_string(out, state.topics[i].identity);
  }
  append_entries(out, state.manifest);
  append_ranges(out, state.damage);
  return out;
}

Result<LaneState> decode_lane_state(Bytes body) {
  LittleEndianReader from(body);
  LaneState state;
  state.identity.epoch = from.take<std::uint64_t>();
  state.lock.inode = from.take<std::uint64_t>();
  state.lock.birth_ns = from.take<std::uint64_t>();
  const Bytes key = from.take_bytes(state.identity.deduplication_key.size());
  std::ranges::copy(key, state.identity.deduplication_key.begin());
  state.next_sequence = from.take<std::uint64_t>();
  state.lane_time_ns = from.take<std::uint64_t>();
  const auto next_topic = from.take<std::uint32_t>();
  from.take<std::uint32_t>();
  state.runs = TRY(take_runs(from));
  state.topics = TRY(take_topics(from));
  state.manifest = TRY(take_entries(from));
  state.damage = TRY(take_ranges(from));
  if (!from.ok() || from.left() > 0) return nonsense();
  if (state.next_sequence == 0 || next_topic != state.topics.size() + 1) return nonsense();
  return state;
}

std::string encode_topic(const TopicState& topic) {
  std::string out;
  append_retention(out, topic.retention);
  append_string(out, topic.identity);
  return out;
}

std::string encode_trims(const std::vector<std::pair<TopicId, Sequence>>& complete_after) {
  std::string out;
  append_le(out, static_cast<std::uint32_t>(complete_after.size()));
  for (const auto& [topic, sequence] : complete_after) {
    append_le(out, topic);
    append_le<std::uint32_t>(out, 0);
    append_le(out, sequence);
  }
  return out;
}

std::string encode_run(const LaneState& of, const LaneRun& run) {
  std::string out;
  append_le(out, of.identity.epoch);
  append_le(out, of.lock.inode);
  append_le(out, of.lock.birth_ns);
  append_le(out, run.previous_end);
  append_le(out, run.first);
  return out;
}

std::optional<LaneRun> decode_run(Bytes body) {
  LittleEndianReader from(body);
  from.take_bytes(sizeof(LaneState::identity.epoch) + sizeof(LockIdentity));
  LaneRun run;
  run.previous_end = from.take<std::uint64_t>();
  run.first = from.take<std::uint64_t>();
  if (!from.ok() || from.left() > 0) return std::nullopt;
  return run;
}

std::string encode_manifest(const std::vector<ManifestEntry>& manifest) {
  std::string out;
  append_entries(out, manifest);
  return out;
}

std::string encode_damage(const std::vector<DamagedRange>& damage) {
  std::string out;
  append_ranges(out, damage);
  return out;
}

SegmentStart encode_segment_start(const SegmentHeader& header, const LaneState& state, const CommitRecord& commit) {
  std::string group;
  append_control_record(group, RecordKind::LaneState, 0, encode_lane_state(state));
  append_commit_room(group);
  SegmentStart start;
  start.commit = seal_group(group, header.seed(), commit);
  start.bytes = encode_segment_start(header);
  start.bytes += group;
  return start;
}

std::string segment_name(SegmentNumber number) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string name(kNameDigits, '0');
  for (std::size_t i = kNameDigits; i > 0; number >>= 4) name[--i] = kDigits[number & 15];
  return name += kSegmentEnding;
}

std::optional<SegmentNumber> segment_number(const std::string& name) {
  if (name.size() != kNameDigits + kSegmentEnding.size() || !name.ends_with(kSegmentEnding)) return std::nullopt;
  SegmentNumber number = 0;
  for (const char digit : Bytes(name).substr(0, kNameDigits)) {
    const bool is_decimal = digit >= '0' && digit <= '9';
    if (!is_decimal && (digit < 'a' || digit > 'f')) return std::nullopt;
    number = number << 4 | static_cast<SegmentNumber>(is_decimal ? digit - '0' : digit - 'a' + 10);
  }
  return number;
}

}  // namespace storage
