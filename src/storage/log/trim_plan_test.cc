// SPDX-License-Identifier: Apache-2.0
// Planning over indexes against a list of all events, with random groups, topics and limits.
#include "storage/log/trim_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

#include "storage/log/boundary_extent.h"
#include "storage/log/segment_testing.h"

namespace storage {
namespace {

constexpr std::size_t kManySteps = 1'000'000;
constexpr TopicId kTopics = 12;

// One event as the model knows it.
struct ModelEvent {
  Sequence sequence;
  std::uint64_t lane_time_ns;
  std::uint64_t bytes;  // its share of the batch
};

// Segments that grow, and the same events in plain lists.
class Model {
 public:
  explicit Model(unsigned seed) : random_(seed) { open(); }

  std::uint64_t pick(std::uint64_t below) { return random_() % below; }
  std::uint64_t now_ns() const { return newest().written.lane_time_ns; }
  const std::vector<ModelEvent>& events(TopicId topic) { return events_[topic]; }
  std::size_t segments() const { return segments_.size(); }
  Sequence end_of(std::size_t segment) const { return segments_[segment]->index.last_sequence(); }

  void write_groups(std::size_t count) {
    for (; count > 0; --count) write_group();
    feed();
  }
  void seal() {
    if (!newest().index.empty()) open();
  }
  SegmentIndexes indexes() const {
    SegmentIndexes indexes;
    for (const auto& segment : segments_) indexes.push_back(&segment->index);
    return indexes;
  }
  BoundaryExtent read(const PartBoundary& boundary) const {
    const Stored& segment = *segments_[boundary.segment];
    const Extent& extent = segment.index.extents()[boundary.extent];
    std::string bytes = segment.file.substr(extent.offset, extent.end_offset + kCommitBytes - extent.offset);
    return {std::move(bytes), segment.written.header().seed(), youngest_ns(segment.index, boundary.extent)};
  }

  // What may not be served any more, event by event.
  Sequence trimmed(TopicId topic, Sequence complete_after, const TrimLimits& limits) {
    std::uint64_t bytes = 0;
    const std::vector<ModelEvent>& all = events_[topic];
    for (const ModelEvent& event : std::views::reverse(all)) {
      bytes += event.bytes;
      const bool goes =
          event.lane_time_ns < limits.older_than_ns || bytes > limits.bytes_max || event.sequence <= limits.through;
      if (goes) return std::max(complete_after, event.sequence);
    }
    return complete_after;
  }
  TrimSum between(TopicId topic, Sequence from, Sequence to) {
    TrimSum sum;
    for (const ModelEvent& event : events_[topic]) {
      if (event.sequence <= from || event.sequence > to) continue;
      ++sum.events;
      sum.bytes += event.bytes;
    }
    return sum;
  }
  void discount(TopicPlace& place, TopicId topic, Sequence to) const {
    for (const auto& segment : segments_) {
      const SegmentIndex& index = segment->index;
      const bool holds = !index.empty() && index.last_sequence() > place.complete_after && index.first_sequence() <= to;
      if (holds) place.discount(topic, index, to);
    }
  }

 private:
  struct Stored {
    TestSegment written;
    SegmentIndex index;
    std::string file;
    std::size_t fed = 0;
    std::size_t listed = 0;  // batches that the lists have
  };

  Stored& newest() { return *segments_.back(); }
  const Stored& newest() const { return *segments_.back(); }

  void open() {
    auto next = std::make_unique<Stored>();
    if (!segments_.empty()) {
      next->written.lane_time_ns = newest().written.lane_time_ns;
      next->written.next_sequence = newest().written.next_sequence + (pick(4) == 0 ? 1'000'000 : 0);
    }
    segments_.push_back(std::move(next));
  }

  void write_group() {
    TestSegment& written = newest().written;
    if (pick(3) == 0) written.lane_time_ns += pick(1'000);
    if (pick(12) == 0) return written.write_control(pick(3) == 0 ? 80'000 : pick(200));
    std::vector<TestBatch> batches;
    for (std::size_t count = 1 + pick(4); count > 0; --count) {
      // The first topics are busy, the last ones rare.
      const auto topic = static_cast<TopicId>(1 + pick(1 + pick(kTopics)));
      TestBatch batch{.topic = topic, .value_bytes = pick(20) == 0 ? pick(40'000) : pick(3'000)};
      batch.addresses.assign(1 + pick(6), 1);
      batches.push_back(std::move(batch));
    }
    written.write(batches);
  }

  void feed() {
    Stored& segment = newest();
    std::size_t number = 0;
    segment.written.each_group([&](std::uint64_t offset, const GroupView& group) {
      if (number++ < segment.fed) return;
      segment.index.add(offset, group);
      segment.file.resize(offset, '\0');
      segment.file.append(group.records.data(), group.bytes());
    });
    segment.fed = number;
    const std::vector<WrittenBatch>& batches = segment.written.batches();
    for (; segment.listed < batches.size(); ++segment.listed) list(batches[segment.listed]);
  }

  void list(const WrittenBatch& batch) {
    const std::uint64_t count = batch.last_sequence - batch.first_sequence + 1;
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t bytes = batch.bytes * (i + 1) / count - batch.bytes * i / count;
      events_[batch.topic].push_back({batch.first_sequence + i, batch.lane_time_ns, bytes});
    }
  }

  std::mt19937_64 random_;
  std::vector<std::unique_ptr<Stored>> segments_;
  std::map<TopicId, std::vector<ModelEvent>> events_;
};

// What a trimmer does with a plan.
TrimPlan carry_out(const Model& model, TopicId topic, TrimPlan plan, const TrimLimits& limits) {
  if (!plan.boundary) return plan;
  const BoundaryCut cut = model.read(*plan.boundary).cut(topic, plan.complete_after, limits, *plan.boundary);
  plan.trimmed.add(cut.trimmed);
  plan.complete_after = cut.complete_after;
  plan.end = cut.end;
  return plan;
}

void remember(const Model& model, TopicId topic, TopicPlace& place, const TrimPlan& done) {
  if (done.complete_after == place.complete_after && done.end.next == 0) return;
  model.discount(place, topic, done.complete_after);
  place.move_to(done.complete_after, done.end);
}

TrimLimits random_limits(Model& model) {
  TrimLimits limits;
  if (model.pick(3) != 0) limits.older_than_ns = model.pick(model.now_ns() + 1'000);
  if (model.pick(2) == 0) limits.bytes_max = model.pick(5) == 0 ? model.pick(3'000) : model.pick(600'000);
  // Often exactly the age of an event.
  const std::vector<ModelEvent>& events = model.events(1);
  if (model.pick(3) == 0 && !events.empty()) limits.older_than_ns = events[model.pick(events.size())].lane_time_ns;
  if (model.pick(8) == 0) limits.through = model.end_of(model.pick(model.segments()));
  return limits;
}

class TrimPlans : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(Seeds, TrimPlans, testing::Range(1u, 13u));

TEST_P(TrimPlans, trim_what_a_list_of_all_events_says_from_any_position) {
  Model model(GetParam());
  for (int segment = 0; segment < 4; ++segment) {
    model.seal();
    model.write_groups(60);
  }
  for (int i = 0; i < 60; ++i) {
    const auto topic = static_cast<TopicId>(1 + model.pick(kTopics));
    const std::vector<ModelEvent>& events = model.events(topic);
    const Sequence after = events.empty() ? 0 : events[model.pick(events.size())].sequence;
    const TrimLimits limits = random_limits(model);
    const Sequence wanted = model.trimmed(topic, after, limits);
    TopicPlace place(after);
    TrimPlanner planner(model.indexes(), kManySteps);
    const TrimPlan plan = planner.plan(topic, place, limits);
    EXPECT_LE(plan.complete_after, wanted) << "whole parts go too early";
    EXPECT_EQ(carry_out(model, topic, plan, limits).complete_after, wanted) << "topic " << topic;
    EXPECT_TRUE(plan.boundary || plan.complete_after == wanted);
  }
}

// As a lane lives: it grows, seals, trims with limits that get tighter and wider, and remembers its places.
TEST_P(TrimPlans, stay_right_over_time_while_events_come_and_go) {
  Model model(GetParam());
  std::vector<TopicPlace> places(kTopics + 1);
  std::vector<TrimSum> sums(kTopics + 1);
  for (int round = 0; round < 40; ++round) {
    model.write_groups(1 + model.pick(20));
    if (model.pick(4) == 0) model.seal();
    TrimPlanner planner(model.indexes(), kManySteps);
    for (TopicId topic = 1; topic <= kTopics; ++topic) {
      TopicPlace& place = places[topic];
      const TrimLimits limits = random_limits(model);
      const TrimPlan plan = planner.plan(topic, place, limits);
      const TrimPlan done = carry_out(model, topic, plan, limits);
      ASSERT_EQ(done.complete_after, model.trimmed(topic, place.complete_after, limits)) << "topic " << topic;
      for (const TrimSum& sum : done.trimmed.sums) {
        sums[topic].events += sum.events;
        sums[topic].bytes += sum.bytes;
      }
      const TrimSum all = model.between(topic, 0, done.complete_after);
      EXPECT_EQ(sums[topic].events, all.events);
      EXPECT_EQ(sums[topic].bytes, all.bytes);
      remember(model, topic, place, done);
    }
  }
}

TEST_P(TrimPlans, get_there_in_many_runs_of_a_few_steps) {
  Model model(GetParam());
  for (int segment = 0; segment < 6; ++segment) {
    model.seal();
    model.write_groups(30);
  }
  for (TopicId topic = 1; topic <= kTopics; ++topic) {
    const TrimLimits limits = random_limits(model);
    const Sequence wanted = model.trimmed(topic, 0, limits);
    TopicPlace place;
    for (int run = 0; run < 40; ++run) {
      TrimPlanner planner(model.indexes(), 3 * kLookUpSteps);
      const TrimPlan done = carry_out(model, topic, planner.plan(topic, place, limits), limits);
      ASSERT_LE(done.complete_after, wanted);
      remember(model, topic, place, done);
    }
    EXPECT_EQ(place.complete_after, wanted) << "topic " << topic;
  }
}

TEST(TrimPlan, asks_for_no_reading_where_the_indexes_know_enough) {
  Model model(3);
  model.write_groups(200);
  TopicPlace place;
  TrimPlanner planner(model.indexes(), kManySteps);
  EXPECT_FALSE(planner.plan(1, place, {}).boundary);
  EXPECT_FALSE(planner.plan(1, place, {.older_than_ns = 1}).boundary);
  const TrimPlan everything = planner.plan(1, place, {.older_than_ns = model.now_ns() + 1});
  EXPECT_FALSE(everything.boundary);
  EXPECT_EQ(everything.complete_after, model.events(1).back().sequence);
  EXPECT_FALSE(planner.plan(1, place, {.bytes_max = 0}).boundary);
  EXPECT_FALSE(planner.plan(kTopics + 1, place, {.older_than_ns = 500}).boundary) << "a topic without events";
}

// Otherwise the same extent would be read again and again while nothing in it is too old.
TEST(TrimPlan, asks_for_a_boundary_again_only_when_there_is_something_to_trim) {
  Model model(4);
  model.write_groups(300);
  TopicPlace place;
  std::size_t readings = 0;
  for (std::uint64_t older_than = 0; older_than <= model.now_ns() + 1; older_than += 10) {
    const TrimLimits limits{.older_than_ns = older_than};
    const TrimPlan plan = TrimPlanner(model.indexes(), kManySteps).plan(1, place, limits);
    const TrimPlan done = carry_out(model, 1, plan, limits);
    ASSERT_EQ(done.complete_after, model.trimmed(1, 0, limits));
    if (plan.boundary) ++readings;
    remember(model, 1, place, done);
  }
  const std::size_t extents = model.indexes()[0]->extents().size();
  EXPECT_LE(readings, model.events(1).size() + extents);
}

TEST(TrimPlan, leaves_a_part_that_cannot_be_read_until_all_of_it_may_go) {
  Model model(5);
  model.write_groups(100);
  TopicPlace place;
  const TrimLimits limits{.older_than_ns = model.now_ns() / 2};
  const TrimPlan plan = TrimPlanner(model.indexes(), kManySteps).plan(1, place, limits);
  ASSERT_TRUE(plan.boundary.has_value());
  place.move_to(plan.complete_after, plan.end);
  place.unreadable = true;
  const TrimPlan again = TrimPlanner(model.indexes(), kManySteps).plan(1, place, limits);
  EXPECT_FALSE(again.boundary);
  EXPECT_EQ(again.complete_after, plan.complete_after);
  const TrimLimits later{.older_than_ns = model.now_ns() + 1};
  EXPECT_EQ(TrimPlanner(model.indexes(), kManySteps).plan(1, place, later).complete_after,
            model.events(1).back().sequence);
}

}  // namespace
}  // namespace storage
