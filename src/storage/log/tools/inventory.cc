// SPDX-License-Identifier: Apache-2.0
#include "storage/log/tools/inventory.h"

#include <algorithm>
#include <map>
#include <utility>

#include "storage/log/tools/stored_events.h"

namespace storage {

using base::Result;

namespace {

// Counts events one by one.
class Counter final : public EventReceiver {
 public:
  explicit Counter(std::vector<TopicContent>& topics) : topics_(topics) {}

  Wants on_event(const StoredEvent& event) override {
    TopicContent& topic = topics_[event.topic - 1];
    if (topic.first_sequence == 0 || event.sequence < topic.first_sequence) {
      topic.first_sequence = event.sequence;
      topic.first_offset = event.record.offset;
    }
    topic.last_sequence = std::max(topic.last_sequence, event.sequence);
    ++topic.events;
    return Wants::More;
  }
  void on_damage(DamagedRange) override {}

 private:
  std::vector<TopicContent>& topics_;
};

class Inventory final {
 public:
  explicit Inventory(const StoppedLane& lane) : lane_(lane), topics_(lane.state.topics.size()) {}

  Result<std::vector<TopicContent>> run();

 private:
  // An extent in which topics begin.
  struct Beginning {
    Sequence behind;  // the first event that lies in no more of it
    std::vector<TopicId> topics = {};
  };

  void add_segment(const SegmentIndex&);
  void add_topic(const SegmentIndex&, TopicId);
  void add_unproven();

  const StoppedLane& lane_;
  std::vector<TopicContent> topics_;
  std::vector<bool> begun_ = std::vector<bool>(lane_.state.topics.size());
  std::map<Sequence, Beginning> beginnings_;  // by its first event
};

Result<std::vector<TopicContent>> Inventory::run() {
  for (const SurveyedSegment& segment : lane_.survey.segments) add_segment(segment.index);
  Counter counter(topics_);
  for (auto& [first, beginning] : beginnings_) {
    const EventSelection selection{
        .topics = std::move(beginning.topics), .after = first - 1, .before = beginning.behind};
    TRY(read_stored_events(lane_, selection, counter));
  }
  add_unproven();
  TRY(read_stored_events(lane_, {.after = lane_.survey.state.next_sequence - 1}, counter));
  return std::move(topics_);
}

void Inventory::add_segment(const SegmentIndex& index) {
  for (const TopicId topic : index.topics()) {
    if (index.last_sequence_of(topic) > lane_.topic(topic).complete_after) add_topic(index, topic);
  }
}

// Every part counts as the index has it, but for the first with a live event, which is counted one by one.
void Inventory::add_topic(const SegmentIndex& index, TopicId topic) {
  const Sequence complete_after = lane_.topic(topic).complete_after;
  TopicContent& content = topics_[topic - 1];
  content.bytes += index.live_bytes(topic, complete_after);
  content.last_sequence = index.last_sequence_of(topic);
  const std::vector<Extent>& extents = index.extents();
  for (const TopicPart& part : index.parts(topic)) {
    if (part.last_sequence <= complete_after) continue;
    if (begun_[topic - 1]) {
      content.events += part.events;
      continue;
    }
    begun_[topic - 1] = true;
    const Sequence first = extents[part.extent].first_sequence;
    const bool is_last = part.extent + 1 == extents.size();
    const Sequence behind = is_last ? index.last_sequence() + 1 : extents[part.extent + 1].first_sequence;
    beginnings_.try_emplace(first, Beginning{behind}).first->second.topics.push_back(topic);
  }
}

void Inventory::add_unproven() {
  for (const ScannedGroup& scanned : lane_.survey.unproven) {
    for (RecordWalk walk(scanned.group.records); const auto record = walk.next();) {
      if (record->kind == RecordKind::Batch) topics_[record->topic - 1].bytes += BatchRecord(*record).batch().size();
    }
  }
}

}  // namespace

Result<std::vector<TopicContent>> take_inventory(const StoppedLane& lane) { return Inventory(lane).run(); }

}  // namespace storage
