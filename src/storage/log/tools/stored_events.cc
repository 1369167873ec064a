// SPDX-License-Identifier: Apache-2.0
#include "storage/log/tools/stored_events.h"

#include <algorithm>
#include <utility>

#include "storage/log/extent_reader.h"

namespace storage {

using base::Result;

namespace {

constexpr std::size_t kPieceBytes = 1u << 20;

std::vector<TopicId> all_topics(const LaneState& state) {
  std::vector<TopicId> topics(state.topics.size());
  for (std::size_t i = 0; i < topics.size(); ++i) topics[i] = static_cast<TopicId>(i + 1);
  return topics;
}

class StoredEventsReader final {
 public:
  StoredEventsReader(const StoppedLane& lane, EventSelection selection, EventReceiver& receiver)
      : lane_(lane), selection_(std::move(selection)), receiver_(receiver), after_(selection_.after) {
    if (selection_.topics.empty()) selection_.topics = all_topics(lane.state);
    for (const TopicId topic : selection_.topics) {
      trimmed_through_ = std::min(trimmed_through_, complete_after(topic));
    }
  }

  Result<void> run();

 private:
  Sequence complete_after(TopicId topic) const {
    return selection_.trimmed == EventSelection::Trimmed::Include ? 0 : lane_.topic(topic).complete_after;
  }
  bool is_over() const { return is_over_ || after_ + 1 >= selection_.before; }

  Result<void> read_segment(const SurveyedSegment&);
  Result<void> read_piece(const SurveyedSegment&, const ExtentRange&, Sequence readable_through);
  const DamagedRange* next_damage() const;
  bool pass_damage(Sequence next);
  void report(DamagedRange);
  void hand_over(const Entry&);

  const StoppedLane& lane_;
  EventSelection selection_;
  EventReceiver& receiver_;
  Sequence after_;  // everything up to here was handed over, or is not wanted
  Sequence trimmed_through_ = std::numeric_limits<Sequence>::max();  // of every topic that is selected
  bool is_over_ = false;
};

Result<void> StoredEventsReader::run() {
  for (const SurveyedSegment& segment : lane_.survey.segments) {
    if (is_over()) return {};
    if (segment.index.wall_ms_max() < selection_.from_ms) continue;
    TRY(read_segment(segment));
  }
  while (!is_over() && pass_damage(selection_.before)) continue;
  for (const ScannedGroup& scanned : lane_.survey.unproven) {
    for (RecordWalk walk(scanned.group.records); const auto record = walk.next();) {
      if (is_over()) return {};
      if (record->kind == RecordKind::Batch) hand_over(BatchRecord(*record).entry());
    }
  }
  return {};
}

Result<void> StoredEventsReader::read_segment(const SurveyedSegment& segment) {
  while (!is_over()) {
    const auto range = segment.index.find(selection_.topics, after_, kPieceBytes);
    if (!range) return {};
    const Sequence begins = segment.index.extents()[range->first].first_sequence;
    if (pass_damage(std::max(begins, after_ + 1))) continue;
    const DamagedRange* damage = next_damage();
    TRY(read_piece(segment, *range, damage ? damage->first - 1 : std::numeric_limits<Sequence>::max()));
  }
  return {};
}

Result<void> StoredEventsReader::read_piece(const SurveyedSegment& segment, const ExtentRange& range,
                                            Sequence readable_through) {
  const std::vector<Extent>& extents = segment.index.extents();
  const Sequence last =
      range.end < extents.size() ? extents[range.end].first_sequence - 1 : segment.index.last_sequence();
  std::uint64_t unreadable = 0;
  std::string bytes =
      TRY(segment.file.read_around_rot(range.begin_offset, range.end_offset - range.begin_offset, unreadable));
  const ExtentEvents events =
      read_extents(std::move(bytes), {selection_.topics, after_, extents[range.first].first_sequence - 1, last,
                                      readable_through, segment.header.seed()});
  Sequence covered = std::min(range.covered, readable_through);
  if (events.damage) covered = std::min(covered, events.damage->first - 1);
  if (events.block) {
    for (const Entry& entry : events.block->entries) {
      if (is_over()) return {};
      hand_over(entry);
    }
  }
  after_ = std::max(after_, covered);
  if (events.damage && !is_over()) report(*events.damage);
  return {};
}

const DamagedRange* StoredEventsReader::next_damage() const {
  const std::vector<DamagedRange>& damage = lane_.state.damage;
  const auto found = std::ranges::upper_bound(damage, after_, {}, &DamagedRange::last);
  return found == damage.end() ? nullptr : &*found;
}

// Reports what is known to be damaged before the event `next`, and goes on behind it.
bool StoredEventsReader::pass_damage(Sequence next) {
  const DamagedRange* damage = next_damage();
  if (damage == nullptr || damage->first > next) return false;
  if (damage->first >= selection_.before) return false;
  report(*damage);
  return true;
}

void StoredEventsReader::report(DamagedRange damage) {
  damage.first = std::max(damage.first, after_ + 1);
  if (damage.last > trimmed_through_) receiver_.on_damage(damage);
  after_ = std::max(after_, damage.last);
}

void StoredEventsReader::hand_over(const Entry& entry) {
  const Sequence after = std::max(after_, complete_after(entry.topic));
  if (entry.last_sequence() <= after || !std::ranges::binary_search(selection_.topics, entry.topic)) return;
  const auto batch = codec::BatchView::parse(entry.batch, codec::BatchCrc::Skip);
  CHECK(batch.has_value(), "a batch that was verified cannot be read");
  codec::RecordReader records = batch->records();
  for (Sequence sequence = entry.first_sequence; records.left() > 0 && !is_over_; ++sequence) {
    const auto record = records.next();
    if (!record) return report({sequence, entry.last_sequence()});
    const bool is_wanted = sequence > after && sequence < selection_.before &&
                           record->timestamp_ms >= selection_.from_ms && record->timestamp_ms < selection_.until_ms;
    if (is_wanted) is_over_ = receiver_.on_event({sequence, entry.topic, *record}) == EventReceiver::Wants::Nothing;
  }
}

}  // namespace

Result<void> read_stored_events(const StoppedLane& lane, EventSelection selection, EventReceiver& receiver) {
  return StoredEventsReader(lane, std::move(selection), receiver).run();
}

}  // namespace storage
