// SPDX-License-Identifier: Apache-2.0
// The durable lane by what its callers notice, over several starts in the simulated world. Faults of every kind are in
// tests/sim/lane_*; these are the promises one by one.
#include "storage/log/file_lane.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/file_lane_stage.h"

namespace storage {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

using FileLaneTest = FileLaneStage;

TEST_F(FileLaneTest, what_was_acknowledged_is_there_after_a_stop_and_after_a_kill) {
  const TopicId topic = declare({{"a"}}).at(0);
  publish(topic, "one");
  publish(topic, "two");
  restart();
  EXPECT_THAT(values({topic}), ElementsAre("one", "two"));
  publish(topic, "three");
  kill();
  start();
  EXPECT_THAT(values({topic}), ElementsAre("one", "two", "three"));
}

TEST_F(FileLaneTest, a_topic_keeps_its_id_and_its_offsets) {
  const TopicId a = declare({{"a"}, {"b"}}).at(0);
  publish(a, "one");
  restart();
  EXPECT_THAT(declare({{"c"}, {"a"}}), ElementsAre(3, a));
  publish(a, "two");
  std::vector<SeenEvent> events;
  for (const BlockPtr& block : read({a}, std::nullopt).blocks) decode(*block, events);
  for (const BlockPtr& block : read({a}, events.back().sequence).blocks) decode(*block, events);
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[1].offset, 1);
}

TEST_F(FileLaneTest, a_start_never_gives_a_number_that_somebody_may_have_seen) {
  const TopicId topic = declare({{"a"}}).at(0);
  const Sequence before = publish(topic, "one");
  restart();
  EXPECT_EQ(lane().durable(), before);
  EXPECT_EQ(publish(topic, "two"), before + kRunGap);
  EXPECT_EQ(read({topic}, before + 7).status, ReadStatus::Ahead);
  EXPECT_EQ(read({topic}, before).status, ReadStatus::Read);
  EXPECT_EQ(read({topic}, before + kRunGap - 1).status, ReadStatus::Read);
  EXPECT_EQ(read({topic}, before + kRunGap + 1).status, ReadStatus::Ahead);
}

TEST_F(FileLaneTest, the_epoch_stays_in_place_and_changes_in_a_copy) {
  const std::uint64_t epoch = lane().identity().epoch;
  restart();
  EXPECT_EQ(lane().identity().epoch, epoch);
  kill();
  world_.files().copy_directory("/lane", "/copy");
  start("/copy");
  EXPECT_NE(lane().identity().epoch, epoch);
  stop();
  start("/lane");
  EXPECT_EQ(lane().identity().epoch, epoch);
}

TEST_F(FileLaneTest, a_repeat_is_known_after_a_restart) {
  const TopicId topic = declare({{"a"}}).at(0);
  const Sequence first = append(request_of(event_of(topic, "x", 1))).items.at(0).sequence;
  kill();
  start();
  const AppendReply again = append(request_of(event_of(topic, "x", 1)));
  ASSERT_EQ(again.status, AppendStatus::Durable);
  EXPECT_TRUE(again.items[0].duplicate);
  EXPECT_EQ(again.items[0].sequence, first);
  EXPECT_EQ(append(request_of(event_of(topic, "other", 1))).status, AppendStatus::Conflict);
  EXPECT_THAT(values({topic}), SizeIs(1));
}

TEST_F(FileLaneTest, segments_follow_each_other_and_are_read_in_small_pieces) {
  const std::vector<TopicId> topics = declare({{"a"}, {"b"}});
  std::vector<std::string> all, of_b;
  for (int i = 0; i < 400; ++i) {
    const std::string value = std::to_string(i) + std::string(500, 'x');
    publish(topics[i % 7 == 0], value);
    all.push_back(value);
    if (i % 7 == 0) of_b.push_back(value);
  }
  EXPECT_GT(segments(), 3u);
  EXPECT_TRUE(values(topics, 4'000) == all);
  EXPECT_TRUE(values({topics[1]}, 1) == of_b);
  world_.run_for(20 * sim::kSecondNs);  // footers
  kill();
  start();
  EXPECT_TRUE(values(topics) == all);
  EXPECT_TRUE(values({topics[1]}) == of_b);
}

TEST_F(FileLaneTest, a_start_without_events_leaves_nothing_behind) {
  declare({{"a"}});
  for (int i = 0; i < 5; ++i) restart();
  EXPECT_EQ(segments(), 1u);
}

TEST_F(FileLaneTest, a_failed_sync_stops_publishing_and_not_reading) {
  const TopicId topic = declare({{"a"}}).at(0);
  publish(topic, "one");
  world_.files().fail_kind(io::FileRequest::Kind::Sync, 1, {base::Errc::System, "input/output error", EIO});
  EXPECT_EQ(append(request_of(event_of(topic, "two"))).status, AppendStatus::OutcomeUnknown);
  EXPECT_EQ(append(request_of(event_of(topic, "three"))).status, AppendStatus::Stopped);
  EXPECT_EQ(lane().condition(), LaneCondition::ReadOnly);
  EXPECT_THAT(values({topic}), ElementsAre("one"));
  kill();
  start();
  EXPECT_EQ(lane().condition(), LaneCondition::Writable);
  EXPECT_THAT(values({topic}), testing::AnyOf(ElementsAre("one"), ElementsAre("one", "two")));
}

TEST_F(FileLaneTest, a_full_disk_refuses_events_and_takes_them_again_when_there_is_room) {
  const TopicId topic = declare({{"a"}}).at(0);
  publish(topic, "one");
  world_.run_for(3 * sim::kSecondNs);  // the reserve
  world_.files().set_free_bytes(0);
  AppendStatus status = AppendStatus::Durable;
  int stored = 1;
  for (; status == AppendStatus::Durable && stored < 1'000; ++stored) {
    status = append(request_of(event_of(topic, std::string(900, 'y')))).status;
  }
  EXPECT_EQ(status, AppendStatus::NoSpace);
  EXPECT_EQ(lane().condition(), LaneCondition::Full);
  EXPECT_THAT(values({topic}), SizeIs(static_cast<std::size_t>(stored - 1)));
  EXPECT_THAT(declare({{"control groups have the reserve"}}), SizeIs(1));
  world_.files().set_free_bytes(10 << 20);
  world_.run_for(5 * sim::kSecondNs);
  publish(topic, "last");
  EXPECT_EQ(lane().condition(), LaneCondition::Writable);
  restart();
  EXPECT_THAT(values({topic}), SizeIs(static_cast<std::size_t>(stored)));
}

class FullDiskTest : public FileLaneTest {
 protected:
  static constexpr std::uint64_t kPlentyBytes = 10 << 20;

  FullDiskTest() : topic_(declare({{"a"}}).at(0)) {
    world_.run_for(3 * sim::kSecondNs);  // the reserve
  }
  AppendStatus try_publish() {
    const AppendStatus status = append(request_of(event_of(topic_, std::string(900, 'y')))).status;
    stored_ += status == AppendStatus::Durable ? 1u : 0u;
    return status;
  }
  void publish_until_full(int full_errno = ENOSPC) {
    world_.files().set_free_bytes(0, full_errno);
    for (int i = 0; i < 1'000 && lane().condition() == LaneCondition::Writable; ++i) try_publish();
    ASSERT_EQ(try_publish(), AppendStatus::NoSpace);
  }
  // Somebody else takes what is freed, and nobody is ever told that there is room.
  void expect_full_for(std::uint64_t seconds) {
    for (std::uint64_t i = 0; i < seconds * 200; ++i) {
      ASSERT_EQ(lane().condition(), LaneCondition::Full);
      world_.run_for(sim::kSecondNs / 200);
    }
  }
  void expect_reading_and_no_publishing() {
    EXPECT_EQ(lane().condition(), LaneCondition::Full);
    EXPECT_EQ(try_publish(), AppendStatus::NoSpace);
    EXPECT_THAT(values({topic_}), SizeIs(stored_));
  }
  void expect_publishing() {
    world_.files().set_free_bytes(kPlentyBytes);
    world_.run_for(3 * sim::kSecondNs);
    EXPECT_EQ(lane().condition(), LaneCondition::Writable);
    EXPECT_EQ(try_publish(), AppendStatus::Durable);
    EXPECT_THAT(values({topic_}), SizeIs(stored_));
  }

  TopicId topic_;
  std::size_t stored_ = 0;
};

TEST_F(FullDiskTest, nobody_is_told_of_room_before_there_is_any) {
  publish_until_full();
  expect_full_for(5);
  world_.files().set_free_bytes(limits_.segment_bytes_first / 4);
  expect_full_for(5);
  expect_publishing();
}

TEST_F(FullDiskTest, nobody_is_told_of_room_that_a_quota_does_not_give) {
  publish_until_full(EDQUOT);
  world_.files().set_free_bytes(kPlentyBytes);
  for (std::uint64_t call = 1; call <= 5; ++call) {
    world_.files().fail_kind(io::FileRequest::Kind::Allocate, call, {base::Errc::System, "quota", EDQUOT});
  }
  expect_full_for(4);
  expect_publishing();
}

TEST_F(FullDiskTest, a_control_group_waits_while_the_reserve_is_looked_after) {
  publish_until_full(EDQUOT);
  world_.files().set_free_bytes(kPlentyBytes);
  world_.files().fail_kind(io::FileRequest::Kind::WriteAt, 1, {base::Errc::System, "quota", EDQUOT});
  std::optional<std::vector<TopicId>> known, added;
  lane().declare(run_->loop, {{"a"}}, [&](std::vector<TopicId> ids) { known = std::move(ids); });
  lane().declare(run_->loop, {{"b"}}, [&](std::vector<TopicId> ids) { added = std::move(ids); });
  ASSERT_TRUE(world_.run_until([&] { return known && added; }, kPatienceNs));
  EXPECT_THAT(*known, SizeIs(1));
  EXPECT_THAT(*added, SizeIs(1));
}

TEST_F(FullDiskTest, starts_serve_readers_however_they_end) {
  publish_until_full();
  for (int i = 0; i < 12; ++i) {
    SCOPED_TRACE(i);
    i % 3 == 2 ? stop() : kill();
    world_.files().set_free_bytes(0);
    start();
    expect_reading_and_no_publishing();
    expect_full_for(2);
    EXPECT_THAT(declare({{"topic " + std::to_string(i)}}), SizeIs(1)) << "there is room for control groups";
  }
  expect_publishing();
  restart();
  expect_publishing();
}

TEST_F(FullDiskTest, a_start_that_finds_no_reserve_refuses_publishers_until_there_is_one) {
  try_publish();
  stop();
  world_.files().remove_file("/lane/reserve");
  world_.files().set_free_bytes(12'288);
  start();
  expect_reading_and_no_publishing();
  expect_publishing();
}

TEST_F(FileLaneTest, an_event_of_a_quarter_of_a_segment_fits) {
  const TopicId topic = declare({{"a"}}).at(0);
  const std::string quarter(limits_.segment_bytes_max / 4, 'q');
  for (int i = 0; i < 10; ++i) publish(topic, quarter);
  restart();
  EXPECT_THAT(values({topic}), SizeIs(10));
}

TEST_F(FileLaneTest, a_lane_state_larger_than_a_segment_leaves_room_for_events) {
  std::vector<TopicDeclaration> topics;
  for (int i = 0; i < 1'000; ++i) topics.push_back({std::string(200, 'n') + std::to_string(i)});
  const TopicId topic = declare(topics).at(0);
  for (int i = 0; i < 50; ++i) publish(topic, std::string(10'000, 'x'));
  EXPECT_LE(segments(), 3u);
  restart();
  for (int i = 0; i < 50; ++i) publish(topic, std::string(10'000, 'x'));
  EXPECT_LE(segments(), 4u);
  EXPECT_THAT(values({topic}), SizeIs(100));
}

// A file that fails to close was closed, and the others are, too: above all the lock.
TEST_F(FileLaneTest, closes_every_file_whichever_fails) {
  publish(declare({{"a"}}).at(0), "one");
  world_.run_for(3 * sim::kSecondNs);
  for (std::uint64_t call = 1; call <= 2; ++call) {
    world_.files().fail_kind(io::FileRequest::Kind::Close, call, {base::Errc::System, "input/output error", EIO});
    restart();
  }
}

TEST_F(FileLaneTest, damage_is_told_and_gone_past) {
  const TopicId topic = declare({{"a"}}).at(0);
  for (int i = 0; i < 10; ++i) publish(topic, std::string(300, static_cast<char>('a' + i)));
  world_.run_for(3 * sim::kSecondNs);  // an empty commit proves all of them
  const std::string path = world_.files().paths().front();
  ASSERT_TRUE(path.ends_with(".segment"));
  const std::size_t at = world_.files().get(path).value().find(std::string(300, 'e'));
  world_.files().flip_bit(path, at + 150, 3);
  const ReadReply before = read({topic}, std::nullopt);
  EXPECT_EQ(before.status, ReadStatus::Read);
  const ReadReply damaged = read({topic}, before.covered);
  ASSERT_EQ(damaged.status, ReadStatus::Damaged);
  EXPECT_EQ(damaged.damaged_last, before.covered + 1);
  std::vector<SeenEvent> events;
  for (const BlockPtr& block : read({topic}, damaged.damaged_last).blocks) decode(*block, events);
  EXPECT_THAT(events, SizeIs(5));
  restart();
  EXPECT_EQ(read({topic}, before.covered).damaged_last, damaged.damaged_last);
}

TEST_F(FileLaneTest, nobody_else_can_open_the_directory) {
  const auto second = recover(world_.world(), "/lane", limits_);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().sys_errno, EWOULDBLOCK);
}

TEST_F(FileLaneTest, what_comes_after_a_stop_is_answered) {
  const TopicId topic = declare({{"a"}}).at(0);
  bool stopped = false;
  run_->lane_loop.post([&] { run_->lane->stop([&] { stopped = true; }); });
  ASSERT_TRUE(world_.run_until([&] { return stopped; }, kPatienceNs));
  EXPECT_EQ(append(request_of(event_of(topic, "late"))).status, AppendStatus::Stopped);
  EXPECT_EQ(read({topic}, 0).status, ReadStatus::Stopped);
  EXPECT_THAT(declare({{"b"}}), SizeIs(0));
  run_->lane_loop.stop();
  run_->loop.stop();
  end();
}

}  // namespace
}  // namespace storage
