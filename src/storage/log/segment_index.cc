// SPDX-License-Identifier: Apache-2.0
#include "storage/log/segment_index.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <unordered_map>
#include <utility>

#include "codec/record_batch.h"
#include "storage/log/address_index.h"
#include "storage/log/little_endian.h"

namespace storage {

using base::Bytes;
using base::Errc;
using base::fail;
using base::Result;

namespace {

constexpr std::int64_t kNoWallMs = std::numeric_limits<std::int64_t>::min();
constexpr std::size_t kEncodedHeaderBytes = 40;
constexpr std::size_t kEncodedExtentBytes = 40;

}  // namespace

struct SegmentIndex::Content {
  std::vector<Extent> extents;
  std::unordered_map<TopicId, TopicParts> topics;
  Sequence last_sequence = 0;
  std::uint64_t last_lane_time_ns = 0;
  std::uint64_t end_offset = 0;
  std::uint64_t batch_bytes = 0;
  std::int64_t wall_ms_max = kNoWallMs;
  // Of the last batch added: many come from one topic in a row, and a node of the map stays where it is.
  TopicId newest_topic = 0;
  TopicParts* newest_parts = nullptr;
  mutable std::uint64_t parts_looked_at = 0;

  void add(std::uint64_t offset, const GroupView&, AddressIndex*);
  void add_batch(std::uint64_t offset, const RecordView&, const CommitRecord&);
  TopicParts& parts_of(TopicId);
  const TopicParts* find(TopicId) const;  // null if it is not here
  bool is_sound() const;
  bool fits(const TopicPart&) const;
};

void SegmentIndex::Content::add(std::uint64_t offset, const GroupView& group, AddressIndex* addresses) {
  CHECK(offset >= end_offset, "the groups of a segment are out of order");
  RecordWalk walk(group.records);
  for (std::uint64_t at = offset; const auto record = walk.next(); at = offset + walk.offset()) {
    if (record->kind == RecordKind::Clock) wall_ms_max = std::max(wall_ms_max, parse_clock(*record));
    if (record->kind != RecordKind::Batch) continue;
    add_batch(at, *record, group.commit);
    if (addresses == nullptr) continue;
    const BatchRecord batch(*record);
    const auto extent = static_cast<std::uint32_t>(extents.size() - 1);
    for (std::uint32_t i = 0; i < batch.events(); ++i) addresses->add(batch.address_hash(i), extent);
  }
  end_offset = offset + group.bytes();
}

void SegmentIndex::Content::add_batch(std::uint64_t offset, const RecordView& record, const CommitRecord& commit) {
  const BatchRecord parts(record);
  const auto batch = codec::BatchView::parse(parts.batch(), codec::BatchCrc::Skip);
  CHECK(batch.has_value(), "a batch that was verified cannot be read");
  CHECK(parts.first_sequence() > last_sequence, "the events of a segment are out of order");
  if (extents.empty() || offset - extents.back().offset >= kExtentBytes) {
    extents.push_back({offset, offset, parts.first_sequence(), commit.lane_time_ns, wall_ms_max});
  }
  const std::uint64_t bytes = parts.batch().size();
  parts_of(parts.topic()).add({extents.size() - 1, parts.events(), bytes, parts.last_sequence(), batch->base_offset()});
  extents.back().end_offset = offset + record.bytes.size();
  last_sequence = parts.last_sequence();
  last_lane_time_ns = commit.lane_time_ns;
  wall_ms_max = std::max(wall_ms_max, batch->timestamp_ms_max());
  batch_bytes += bytes;
}

TopicParts& SegmentIndex::Content::parts_of(TopicId topic) {
  if (newest_parts == nullptr || newest_topic != topic) {
    newest_parts = &topics[topic];
    newest_topic = topic;
  }
  return *newest_parts;
}

const TopicParts* SegmentIndex::Content::find(TopicId topic) const {
  const auto found = topics.find(topic);
  return found != topics.end() ? &found->second : nullptr;
}

SegmentIndex::SegmentIndex() : content_(std::make_unique<Content>()) {}
SegmentIndex::~SegmentIndex() = default;
SegmentIndex::SegmentIndex(SegmentIndex&&) noexcept = default;
SegmentIndex& SegmentIndex::operator=(SegmentIndex&&) noexcept = default;

void SegmentIndex::add(std::uint64_t offset, const GroupView& group) { content_->add(offset, group, nullptr); }
void SegmentIndex::add(std::uint64_t offset, const GroupView& group, AddressIndex& addresses) {
  content_->add(offset, group, &addresses);
}

bool SegmentIndex::empty() const { return content_->extents.empty(); }
Sequence SegmentIndex::first_sequence() const { return empty() ? 0 : content_->extents.front().first_sequence; }
Sequence SegmentIndex::last_sequence() const { return content_->last_sequence; }
std::uint64_t SegmentIndex::last_lane_time_ns() const { return content_->last_lane_time_ns; }
std::int64_t SegmentIndex::wall_ms_max() const { return content_->wall_ms_max; }
std::uint64_t SegmentIndex::end_offset() const { return content_->end_offset; }
std::uint64_t SegmentIndex::batch_bytes() const { return content_->batch_bytes; }
const std::vector<Extent>& SegmentIndex::extents() const { return content_->extents; }
std::uint64_t SegmentIndex::parts_looked_at() const { return content_->parts_looked_at; }

namespace {

// The extents that hold any of some topics behind a position: ascending, each once. A step is logarithmic in the
// number of topics for each of them that the extent holds.
class ExtentWalk {
 public:
  explicit ExtentWalk(std::size_t topics_max) {
    walks_.reserve(topics_max);
    heads_.reserve(topics_max);
  }

  void add(const TopicParts& parts, Sequence after) {
    TopicParts::Walk walk(parts, after);
    if (walk.done()) return;
    heads_.push_back({walk.part().extent, walks_.size()});
    std::ranges::push_heap(heads_, std::greater(), &Head::extent);
    walks_.push_back(walk);
  }
  bool done() const { return heads_.empty(); }
  std::size_t extent() const { return heads_.front().extent; }  // not when done()
  void advance() {
    for (const std::size_t passed = extent(); !done() && extent() == passed;) advance_first();
  }
  std::uint64_t looked_at() const {
    std::uint64_t parts = 0;
    for (const TopicParts::Walk& walk : walks_) parts += walk.looked_at();
    return parts;
  }

 private:
  struct Head {
    std::size_t extent;
    std::size_t walk;
  };

  void advance_first() {
    std::ranges::pop_heap(heads_, std::greater(), &Head::extent);
    TopicParts::Walk& walk = walks_[heads_.back().walk];
    walk.advance();
    if (walk.done()) return heads_.pop_back();
    heads_.back().extent = walk.part().extent;
    std::ranges::push_heap(heads_, std::greater(), &Head::extent);
  }

  std::vector<TopicParts::Walk> walks_;
  std::vector<Head> heads_;  // a heap with the smallest extent first
};

}  // namespace

std::optional<ExtentRange> SegmentIndex::find(std::span<const TopicId> topics, Sequence after,
                                              std::size_t bytes_max) const {
  if (after >= last_sequence()) return std::nullopt;
  ExtentWalk walk(topics.size());
  for (const TopicId topic : topics) {
    if (const TopicParts* parts = content_->find(topic)) walk.add(*parts, after);
  }
  if (walk.done()) return std::nullopt;
  const std::vector<Extent>& all = extents();
  const Extent& first = all[walk.extent()];
  ExtentRange range{walk.extent(), walk.extent() + 1, first.offset, first.end_offset, last_sequence()};
  for (walk.advance(); !walk.done() && walk.extent() == range.end; walk.advance()) {
    const Extent& next = all[range.end];
    if (next.end_offset - range.begin_offset > bytes_max) break;
    range.end_offset = next.end_offset;
    ++range.end;
  }
  if (!walk.done()) range.covered = all[walk.extent()].first_sequence - 1;
  content_->parts_looked_at += walk.looked_at();
  return range;
}

std::vector<std::uint64_t> SegmentIndex::events_in(std::span<const TopicId> topics, std::size_t first,
                                                   std::size_t end) const {
  std::vector<std::uint64_t> events(end - first);
  for (const TopicId topic : topics) {
    const TopicParts* parts = content_->find(topic);
    if (parts == nullptr) continue;
    for (TopicParts::Walk walk(*parts, extents()[first].first_sequence - 1); !walk.done(); walk.advance()) {
      if (walk.part().extent >= end) break;
      events[walk.part().extent - first] += walk.part().events;
    }
  }
  return events;
}

std::optional<std::size_t> SegmentIndex::find_time(std::int64_t wall_ms) const {
  if (empty() || content_->wall_ms_max < wall_ms) return std::nullopt;
  const auto behind = std::ranges::lower_bound(extents(), wall_ms, {}, &Extent::wall_ms_max);
  return behind == extents().begin() ? 0 : static_cast<std::size_t>(behind - extents().begin()) - 1;
}

std::vector<TopicId> SegmentIndex::topics() const {
  std::vector<TopicId> topics;
  topics.reserve(content_->topics.size());
  for (const auto& [topic, parts] : content_->topics) topics.push_back(topic);
  std::ranges::sort(topics);
  return topics;
}

std::vector<TopicPart> SegmentIndex::parts(TopicId topic) const {
  std::vector<TopicPart> list;
  const TopicParts* parts = content_->find(topic);
  if (parts == nullptr) return list;
  list.reserve(parts->size());
  for (TopicParts::Walk walk(*parts, 0); !walk.done(); walk.advance()) list.push_back(walk.part());
  return list;
}

std::uint64_t SegmentIndex::bytes_of(TopicId topic) const {
  const TopicParts* parts = content_->find(topic);
  return parts != nullptr ? parts->bytes() : 0;
}

Sequence SegmentIndex::last_sequence_of(TopicId topic) const {
  const TopicParts* parts = content_->find(topic);
  return parts != nullptr ? parts->newest().last_sequence : 0;
}

std::uint64_t SegmentIndex::live_bytes(TopicId topic, Sequence complete_after) const {
  const TopicParts* parts = content_->find(topic);
  return parts != nullptr ? parts->bytes_behind(complete_after) : 0;
}

std::size_t SegmentIndex::memory_bytes() const {
  constexpr std::size_t kNodeBytes = 3 * sizeof(void*);  // of the map, and a place in its table
  std::size_t bytes = sizeof *content_ + content_->extents.capacity() * sizeof(Extent);
  for (const auto& [topic, parts] : content_->topics) bytes += kNodeBytes + sizeof topic + parts.memory_bytes();
  return bytes;
}

std::string SegmentIndex::encode() const {
  std::string out;
  append_le(out, content_->last_sequence);
  append_le(out, content_->last_lane_time_ns);
  append_le(out, content_->end_offset);
  append_le(out, content_->wall_ms_max);
  append_le(out, static_cast<std::uint32_t>(content_->extents.size()));
  append_le(out, static_cast<std::uint32_t>(content_->topics.size()));
  for (const Extent& extent : content_->extents) {
    append_le(out, extent.offset);
    append_le(out, extent.end_offset);
    append_le(out, extent.first_sequence);
    append_le(out, extent.lane_time_ns);
    append_le(out, extent.wall_ms_max);
  }
  for (const TopicId topic : topics()) {
    append_le(out, topic);
    content_->find(topic)->encode(out);
  }
  return out;
}

namespace {

std::vector<Extent> take_extents(LittleEndianReader& in, std::size_t count) {
  std::vector<Extent> extents;
  if (count > in.left() / kEncodedExtentBytes) return extents;  // too few: the caller notices
  extents.reserve(count);
  while (extents.size() < count) {
    Extent& extent = extents.emplace_back();
    extent.offset = in.take<std::uint64_t>();
    extent.end_offset = in.take<std::uint64_t>();
    extent.first_sequence = in.take<std::uint64_t>();
    extent.lane_time_ns = in.take<std::uint64_t>();
    extent.wall_ms_max = in.take<std::int64_t>();
  }
  return extents;
}

bool follows(const Extent& next, const Extent& extent) {
  return next.offset >= extent.end_offset && next.first_sequence > extent.first_sequence &&
         next.wall_ms_max >= extent.wall_ms_max;
}

}  // namespace

bool SegmentIndex::Content::is_sound() const {
  if (extents.empty()) return last_sequence == 0;
  for (std::size_t i = 0; i < extents.size(); ++i) {
    if (extents[i].end_offset <= extents[i].offset) return false;
    if (i > 0 && !follows(extents[i], extents[i - 1])) return false;
  }
  return extents.front().first_sequence > 0 && extents.back().first_sequence <= last_sequence &&
         extents.back().end_offset <= end_offset && extents.back().wall_ms_max <= wall_ms_max;
}

// What find() and a reader of its answer rely on.
bool SegmentIndex::Content::fits(const TopicPart& part) const {
  if (part.extent >= extents.size()) return false;
  const Extent& extent = extents[part.extent];
  const Sequence end = part.extent + 1 < extents.size() ? extents[part.extent + 1].first_sequence : last_sequence + 1;
  return part.last_sequence >= extent.first_sequence && part.last_sequence < end &&
         part.events <= part.last_sequence - extent.first_sequence + 1 &&
         part.bytes <= extent.end_offset - extent.offset;
}

Result<SegmentIndex> SegmentIndex::decode(Bytes bytes) {
  if (bytes.size() < kEncodedHeaderBytes) return fail(Errc::BadInput, "the index of a segment ends early");
  LittleEndianReader in(bytes);
  SegmentIndex index;
  Content& content = *index.content_;
  content.last_sequence = in.take<std::uint64_t>();
  content.last_lane_time_ns = in.take<std::uint64_t>();
  content.end_offset = in.take<std::uint64_t>();
  content.wall_ms_max = in.take<std::int64_t>();
  const auto extents = in.take<std::uint32_t>();
  const auto topics = in.take<std::uint32_t>();
  content.extents = take_extents(in, extents);
  if (content.extents.size() != extents || !content.is_sound()) {
    return fail(Errc::BadInput, "the extents of a segment's index do not ascend");
  }
  TopicId previous = 0;
  for (std::uint32_t i = 0; i < topics; ++i) {
    const auto topic = in.take<TopicId>();
    TopicParts parts = TRY(TopicParts::decode(in));
    if ((i > 0 && topic <= previous) || parts.size() == 0)
      return fail(Errc::BadInput, "a topic of an index is damaged");
    for (TopicParts::Walk walk(parts, 0); !walk.done(); walk.advance()) {
      if (!content.fits(walk.part())) return fail(Errc::BadInput, "a topic's part lies outside of its extent");
    }
    content.batch_bytes += parts.bytes();
    content.topics.emplace(topic, std::move(parts));
    previous = topic;
  }
  if (in.left() != 0) return fail(Errc::BadInput, "the index of a segment is longer than what it holds");
  return index;
}

}  // namespace storage
