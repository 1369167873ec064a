// SPDX-License-Identifier: Apache-2.0
#include "storage/log/tools/stored_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/lane_directory.h"

namespace storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// What a reader was told, in order: sequences, and damaged ranges.
class Told final : public EventReceiver {
 public:
  Wants on_event(const StoredEvent& event) override {
    sequences.push_back(event.sequence);
    events[event.sequence] = *event.record.value;
    return sequences.size() == most ? Wants::Nothing : Wants::More;
  }
  void on_damage(DamagedRange range) override {
    damage.push_back(range);
    EXPECT_TRUE(sequences.empty() || range.first > sequences.back());
  }

  std::size_t most = ~std::size_t{0};
  std::vector<Sequence> sequences;
  Events events;
  std::vector<DamagedRange> damage;
};

class StoredEventsTest : public testing::Test {
 protected:
  StoredEventsTest() {
    lane.must_start();
    lane.declare("likes/*");
    lane.declare("orders");
  }

  Told read(EventSelection selection = {}, std::size_t most = ~std::size_t{0}) {
    lane.close();
    Told told;
    told.most = most;
    const auto opened = open_stopped_lane(world.world().file_system, lane.path());
    EXPECT_TRUE(opened) << opened.error().text;
    EXPECT_TRUE(read_stored_events(*opened, std::move(selection), told));
    return told;
  }
  static Sequence first_of(const WrittenGroup& group) { return group.commit.first_sequence; }

  sim::SimWorld world{{.seed = 3}};
  sim::SimFiles& files = world.files();
  TestLane lane{world};
};

TEST_F(StoredEventsTest, come_in_log_order_from_every_segment) {
  for (int i = 0; i < 5; ++i) {
    lane.publish(1, 3);
    lane.publish(2, 2);
    lane.rotate(i % 2 == 0 ? TestLane::Footer::Yes : TestLane::Footer::No);
  }
  lane.publish(1);
  lane.stop();
  const Told told = read();
  EXPECT_EQ(told.events, lane.written);
  EXPECT_TRUE(std::ranges::is_sorted(told.sequences));
  EXPECT_THAT(told.damage, IsEmpty());
}

TEST_F(StoredEventsTest, include_the_newest_group_that_nobody_has_proven) {
  lane.publish(1);
  lane.publish(2);
  const Told told = read();
  EXPECT_EQ(told.events, lane.written);
}

TEST_F(StoredEventsTest, of_a_topic_that_only_the_newest_group_knows_are_read) {
  lane.control(RecordKind::Topic, encode_topic({.identity = "late"}), 3);
  lane.publish(3);
  EXPECT_THAT(read({.topics = {3}}).sequences, SizeIs(1));
}

TEST_F(StoredEventsTest, are_chosen_by_topic_position_and_number) {
  lane.publish(1, 4);  // 1 to 4
  lane.publish(2, 4);  // 5 to 8
  lane.rotate(TestLane::Footer::Yes);
  lane.publish(1, 4);  // 9 to 12
  EXPECT_THAT(read({.topics = {2}}).sequences, ElementsAre(5, 6, 7, 8));
  EXPECT_THAT(read({.after = 3, .before = 7}).sequences, ElementsAre(4, 5, 6));
  EXPECT_THAT(read({.topics = {1}, .after = 3}).sequences, ElementsAre(4, 9, 10, 11, 12));
  EXPECT_THAT(read({.topics = {1}, .after = 3}, 2).sequences, ElementsAre(4, 9));
  EXPECT_THAT(read({.after = 12}).sequences, IsEmpty());
  EXPECT_THAT(read({.after = 5, .before = 6}).sequences, IsEmpty());
}

TEST_F(StoredEventsTest, are_chosen_by_their_append_time_even_if_the_clock_stepped_back) {
  const std::int64_t begin = world.world().clock.wall_ms();
  lane.publish(1);  // 1
  lane.rotate();
  world.step_wall_clock(60'000);
  lane.publish(1);  // 2
  world.step_wall_clock(-30'000);
  lane.publish(1);  // 3
  EXPECT_THAT(read({.from_ms = begin + 30'000}).sequences, ElementsAre(2, 3));
  EXPECT_THAT(read({.until_ms = begin + 60'000}).sequences, ElementsAre(1, 3));
  EXPECT_THAT(read({.from_ms = begin + 60'000, .until_ms = begin + 60'001}).sequences, ElementsAre(2));
}

TEST_F(StoredEventsTest, that_were_trimmed_come_only_if_they_are_asked_for) {
  lane.publish(1, 4);
  lane.publish(2, 2);
  lane.trim(1, 3);
  EXPECT_THAT(read().sequences, ElementsAre(4, 5, 6));
  EXPECT_EQ(read({.trimmed = EventSelection::Trimmed::Include}).events, lane.written);
}

TEST_F(StoredEventsTest, go_on_behind_damage_that_a_start_has_found) {
  lane.publish(1, 2);
  const WrittenGroup hit = lane.publish(2, 3);
  lane.publish(1, 2);
  lane.stop();
  files.flip_bit(hit.path, hit.offset + 60, 2);
  lane.must_start();
  lane.publish(1);
  const Told told = read();
  EXPECT_EQ(told.events, TestLane::without(lane.written, 3, 5));
  EXPECT_THAT(told.damage, ElementsAre(DamagedRange{3, 5}));
}

TEST_F(StoredEventsTest, go_on_behind_damage_that_nobody_has_found_before) {
  lane.publish(1, 2);
  const WrittenGroup hit = lane.publish(2, 3);
  lane.publish(1, 2);
  lane.rotate(TestLane::Footer::Yes);
  lane.publish(1);
  lane.stop();
  files.flip_bit(hit.path, hit.offset + 60, 2);
  const Told told = read();
  EXPECT_EQ(told.events, TestLane::without(lane.written, 3, 5));
  EXPECT_THAT(told.damage, ElementsAre(DamagedRange{3, 5}));
}

TEST_F(StoredEventsTest, go_on_behind_a_segment_that_is_missing) {
  lane.publish(1, 2);
  lane.rotate(TestLane::Footer::Yes);
  lane.publish(1, 3);
  const std::string path = lane.newest_path();
  lane.rotate(TestLane::Footer::Yes);
  lane.publish(1, 2);
  lane.stop();
  files.remove_file(path);
  const Told told = read();
  EXPECT_EQ(told.events, TestLane::without(lane.written, 3, 5));
  EXPECT_THAT(told.damage, ElementsAre(DamagedRange{3, 5}));
}

TEST_F(StoredEventsTest, end_with_the_damage_if_nothing_lies_behind_it) {
  lane.publish(1, 2);
  const WrittenGroup hit = lane.publish(1, 3);
  lane.rotate();
  lane.stop();
  files.flip_bit(hit.path, hit.offset + 60, 2);
  const Told told = read();
  EXPECT_THAT(told.sequences, ElementsAre(1, 2));
  EXPECT_THAT(told.damage, ElementsAre(DamagedRange{3, 5}));
}

TEST_F(StoredEventsTest, damage_outside_of_what_was_asked_for_is_not_told) {
  lane.publish(1, 2);
  const WrittenGroup hit = lane.publish(2, 3);
  lane.publish(1, 2);
  lane.rotate();
  lane.stop();
  files.flip_bit(hit.path, hit.offset + 60, 2);
  EXPECT_THAT(read({.before = 3}).damage, IsEmpty());
  EXPECT_THAT(read({.after = 5}).damage, IsEmpty());
  EXPECT_THAT(read({.after = 4}).damage, ElementsAre(DamagedRange{5, 5}));
}

TEST_F(StoredEventsTest, of_segments_larger_than_a_piece_all_come_once) {
  for (TopicId i = 0; i < 60; ++i) lane.publish(1 + i % 2, 4, {}, 20'000);
  lane.rotate(TestLane::Footer::Yes);
  for (TopicId i = 0; i < 10; ++i) lane.publish(1 + i % 2, 4, {}, 20'000);
  lane.stop();
  const Told told = read();
  EXPECT_EQ(told.events, lane.written);
  EXPECT_EQ(told.sequences.size(), lane.written.size());
}

}  // namespace
}  // namespace storage
