// SPDX-License-Identifier: Apache-2.0
// Retention as those see it who publish to a durable lane and read from it.
#include "storage/log/trimmer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "storage/log/log_reader.h"
#include "tests/support/retention_stage.h"

namespace storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class TrimmerTest : public RetentionTest {
 protected:
  using RetentionTest::RetentionTest;
};

// --- age

TEST_F(TrimmerTest, an_event_goes_when_it_is_too_old_and_the_next_one_stays) {
  const TopicId topic = declare("a", seconds(20));
  const Sequence first = publish(topic, "one");
  pass(5 * sim::kSecondNs);
  const Sequence second = publish(topic, "two");
  pass(14 * sim::kSecondNs);
  EXPECT_THAT(values(topic), ElementsAre("one", "two")) << "19 s are not too old";
  pass(3 * sim::kSecondNs);
  EXPECT_THAT(values(topic), ElementsAre("two"));
  EXPECT_EQ(complete_after(topic), first);
  pass(6 * sim::kSecondNs);
  EXPECT_THAT(values(topic), IsEmpty());
  EXPECT_EQ(complete_after(topic), second);
}

TEST_F(TrimmerTest, a_reader_behind_what_was_trimmed_is_told_and_one_at_its_end_goes_on) {
  const TopicId topic = declare("a", seconds(20));
  const Sequence first = publish(topic, "one");
  const Sequence second = publish(topic, "two");
  EXPECT_EQ(read({topic}, first).status, ReadStatus::Read);
  pass(15 * sim::kSecondNs);
  publish(topic, "three");
  pass(8 * sim::kSecondNs);
  const ReadReply behind = read({topic}, first);
  EXPECT_EQ(behind.status, ReadStatus::Trimmed);
  EXPECT_EQ(behind.complete_after, second);
  EXPECT_EQ(read({topic}, 0).status, ReadStatus::Trimmed);
  EXPECT_EQ(read({topic}, second).status, ReadStatus::Read);
}

TEST_F(TrimmerTest, each_topic_has_its_own_retention_and_a_new_one_holds_from_now_on) {
  const TopicId brief = declare("brief", seconds(10)), lasting = declare("lasting", for_ever());
  for (int i = 0; i < 3; ++i) {
    append(request_of(event_of(brief, "b" + std::to_string(i)), event_of(lasting, "l" + std::to_string(i))));
    pass(6 * sim::kSecondNs);
  }
  EXPECT_THAT(values(brief), ElementsAre("b2"));
  EXPECT_THAT(values(lasting), ElementsAre("l0", "l1", "l2"));
  declare("lasting", seconds(8));
  pass(2 * sim::kSecondNs);
  EXPECT_THAT(values(lasting), ElementsAre("l2"));
  declare("lasting", for_ever());
  pass(kMinuteNs);
  EXPECT_THAT(values(lasting), ElementsAre("l2"));
}

TEST_F(TrimmerTest, what_was_trimmed_stays_trimmed_whatever_happens_to_process_and_clock) {
  const TopicId topic = declare("a", seconds(20));
  publish(topic, "one");
  const Sequence second = publish(topic, "two");
  pass(15 * sim::kSecondNs);
  publish(topic, "three");
  pass(8 * sim::kSecondNs);
  ASSERT_EQ(complete_after(topic), second);
  kill();
  world_.step_wall_clock(-kYearMs);
  start();
  EXPECT_EQ(complete_after(topic), second);
  EXPECT_EQ(read({topic}, 0).status, ReadStatus::Trimmed);
  EXPECT_THAT(values(topic), ElementsAre("three"));
  stop();
  start();
  EXPECT_GE(complete_after(topic), second);
}

TEST_F(TrimmerTest, nothing_is_too_old_for_ten_minutes_after_a_start_at_which_the_clock_jumped) {
  const TopicId topic = declare("a", {.age_ns = 3 * 3'600 * sim::kSecondNs});
  const TopicId limited = declare("b", {.age_ns = 3 * 3'600 * sim::kSecondNs, .bytes = 500});
  const TopicId brief = declare("c", seconds(60));
  publish(topic, "one");
  publish(brief, "one");
  stop();
  world_.step_wall_clock(5 * kYearMs);
  start();
  for (int i = 0; i < 5; ++i) publish(limited, std::string(300, 'v'));
  pass(9 * kMinuteNs + 50 * sim::kSecondNs);
  EXPECT_THAT(values(topic), ElementsAre("one"));
  EXPECT_THAT(values(brief), ElementsAre("one"));
  EXPECT_EQ(values(limited).size(), 1u) << "bytes need no clock";
  pass(15 * sim::kSecondNs);
  EXPECT_THAT(values(topic), IsEmpty());
  EXPECT_THAT(values(brief), IsEmpty());
}

TEST_F(TrimmerTest, a_clock_that_was_set_right_again_costs_nothing) {
  const TopicId topic = declare("a", {.age_ns = 3 * 3'600 * sim::kSecondNs});
  publish(topic, "one");
  stop();
  world_.step_wall_clock(5 * kYearMs);
  start();
  pass(5 * kMinuteNs);
  world_.step_wall_clock(-5 * kYearMs);
  pass(20 * kMinuteNs);
  EXPECT_THAT(values(topic), ElementsAre("one"));
}

TEST_F(TrimmerTest, the_time_between_two_starts_counts) {
  const TopicId topic = declare("a", seconds(600));
  publish(topic, "one");
  stop();
  pass(20 * kMinuteNs);
  start();
  pass(2 * sim::kSecondNs);
  EXPECT_THAT(values(topic), IsEmpty());
}

// --- bytes

TEST_F(TrimmerTest, the_newest_events_that_fit_into_the_bytes_stay) {
  const TopicId topic = declare("a", bytes(5'000));
  std::vector<std::string> all;
  for (char c = 'a'; c < 'a' + 20; ++c) {
    all.emplace_back(900, c);
    publish(topic, all.back());
  }
  pass(3 * sim::kSecondNs);
  // Each takes 900 bytes and less than 100 of its batch and record.
  EXPECT_THAT(values(topic), testing::ElementsAreArray(all.end() - 5, all.end()));
  publish(topic, all.back());
  pass(3 * sim::kSecondNs);
  EXPECT_EQ(values(topic).size(), 5u);
}

TEST_F(TrimmerTest, bytes_are_counted_within_a_batch_and_over_segments) {
  const TopicId small = declare("small", bytes(2'000)), large = declare("large", bytes(100'000));
  for (int round = 0; round < 60; ++round) {
    std::vector<NewEvent> request;
    for (int i = 0; i < 10; ++i) request.push_back(event_of(small, std::string(300, 'v')));
    append(std::move(request));
    publish_bytes(large, 4'000);
  }
  ASSERT_GT(segments(), 3u);
  pass(3 * sim::kSecondNs);
  EXPECT_EQ(values(small).size(), 6u);
  const std::size_t kept = values(large).size();
  EXPECT_GE(kept, 46u);
  EXPECT_LE(kept, 49u);
}

TEST_F(TrimmerTest, an_event_larger_than_the_bytes_goes) {
  const TopicId topic = declare("a", bytes(100));
  publish(topic, std::string(200, 'v'));
  pass(3 * sim::kSecondNs);
  EXPECT_THAT(values(topic), IsEmpty());
}

TEST_F(TrimmerTest, a_restart_within_a_batch_trims_no_event_too_early) {
  const TopicId topic = declare("a", bytes(3'000));
  std::vector<NewEvent> request;
  for (int i = 0; i < 20; ++i) request.push_back(event_of(topic, std::string(290, 'v')));
  append(std::move(request));
  pass(3 * sim::kSecondNs);
  const std::size_t kept = values(topic).size();
  EXPECT_GE(kept, 9u);
  const Sequence trimmed = complete_after(topic);
  stop();
  start();
  pass(5 * sim::kSecondNs);
  EXPECT_EQ(complete_after(topic), trimmed);
  EXPECT_EQ(values(topic).size(), kept);
}

// --- segments

TEST_F(TrimmerTest, dead_segments_go_once_their_ids_are_forgotten) {
  const TopicId topic = declare("a", bytes(4'000));
  publish_bytes(topic, 400'000);
  pass(3 * sim::kSecondNs);
  EXPECT_LE(values(topic).size(), 2u);
  EXPECT_GT(stored_bytes(), 400'000u) << "within the window of repeats";
  pass(30 * sim::kSecondNs);
  EXPECT_LE(segments(), 2u);
  EXPECT_LT(stored_bytes(), 100'000u);
  EXPECT_EQ(values(topic).size(), 1u);
  stop();
  start();
  EXPECT_EQ(values(topic).size(), 1u);
}

TEST_F(TrimmerTest, a_repeat_of_a_trimmed_event_is_recognised_for_the_whole_window) {
  const TopicId topic = declare("a", bytes(4'000));
  const AppendReply first = append(request_of(event_of(topic, "one", 7)));
  publish_bytes(topic, 200'000);
  pass(10 * sim::kSecondNs);
  ASSERT_GE(complete_after(topic), first.items.at(0).sequence);
  kill();
  start();
  const AppendReply again = append(request_of(event_of(topic, "one", 7)));
  EXPECT_TRUE(again.items.at(0).duplicate);
  EXPECT_EQ(again.items.at(0).sequence, first.items.at(0).sequence);
}

TEST_F(TrimmerTest, one_live_event_holds_its_segment) {
  const TopicId lasting = declare("lasting", for_ever()), brief = declare("brief", seconds(5));
  publish_bytes(brief, 40'000);
  publish(lasting, "kept");
  publish_bytes(brief, 200'000);
  pass(kMinuteNs);
  EXPECT_THAT(values(lasting), ElementsAre("kept"));
  EXPECT_THAT(values(brief), IsEmpty());
  EXPECT_LE(segments(), 3u);
  stop();
  start();
  EXPECT_THAT(values(lasting), ElementsAre("kept"));
}

TEST_F(TrimmerTest, bytes_count_the_same_when_a_segment_was_rewritten) {
  const TopicId topic = declare("a", bytes(2'600)), bulk = declare("bulk", for_ever());
  publish_bytes(bulk, 35'000, 5'000);  // a segment
  for (int i = 0; i < 60; ++i) publish(topic, std::string(60, 'v'));
  publish_bytes(bulk, 200'000, 5'000);
  pass(3 * sim::kSecondNs);
  const std::size_t kept = values(topic).size();
  EXPECT_GT(kept, 15u);
  const std::uint64_t before = stored_bytes();
  declare("bulk", bytes(0));
  pass(30 * sim::kSecondNs);
  EXPECT_LT(stored_bytes(), before / 2);
  for (int i = 0; i < 5; ++i) {
    publish(topic, std::string(60, 'v'));
    pass(2 * sim::kSecondNs);
    EXPECT_EQ(values(topic).size(), kept);
  }
}

TEST_F(TrimmerTest, a_boundary_that_cannot_be_read_goes_late_and_nothing_else_suffers) {
  const TopicId topic = declare("a", seconds(20));
  publish(topic, "one");
  pass(10 * sim::kSecondNs);
  publish(topic, "two");
  world_.files().fail_kind(sim::SimFiles::Kind::ReadAt, 1, base::Error{base::Errc::System, "injected", EIO});
  pass(12 * sim::kSecondNs);
  EXPECT_THAT(values(topic), ElementsAre("one", "two"));
  pass(12 * sim::kSecondNs);
  EXPECT_THAT(values(topic), IsEmpty());
}

TEST_F(TrimmerTest, thousands_of_topics_are_trimmed_in_a_few_runs) {
  constexpr std::size_t kTopics = kTrimTopicsMax + 1'000;
  stop();
  limits_.segment_bytes_first = limits_.segment_bytes_max = 4 << 20;  // their names take some of each
  start();
  std::vector<TopicDeclaration> declarations;
  for (std::size_t i = 0; i < kTopics; ++i) declarations.push_back({std::to_string(i), seconds(20)});
  const std::vector<TopicId> ids = declare(declarations);
  std::vector<NewEvent> request;
  for (const TopicId id : ids) request.push_back(event_of(id, "v"));
  for (std::size_t at = 0; at < request.size(); at += 400) {
    const std::size_t end = std::min(at + 400, request.size());
    append(std::vector<NewEvent>(std::make_move_iterator(request.begin() + static_cast<std::ptrdiff_t>(at)),
                                 std::make_move_iterator(request.begin() + static_cast<std::ptrdiff_t>(end))));
  }
  EXPECT_EQ(values(ids.back()).size(), 1u);
  pass(25 * sim::kSecondNs);
  std::size_t left = 0;
  for (std::size_t i = 0; i < kTopics; i += 50) left += values(ids[i]).size();
  EXPECT_EQ(left, 0u);
}

TEST_F(TrimmerTest, many_dead_segments_go_with_few_manifests) {
  const TopicId topic = declare("a", seconds(5));
  publish_bytes(topic, 1'500'000);
  pass(15 * sim::kSecondNs);
  const std::size_t before = segments();
  ASSERT_GT(before, 2 * kSegmentRemovalsMax - kSegmentRemovalsMax / 2);
  const std::uint64_t syncs = world_.files().calls(sim::SimFiles::Kind::Sync);
  pass(15 * sim::kSecondNs);
  EXPECT_LE(segments(), 2u);
  EXPECT_LT(world_.files().calls(sim::SimFiles::Kind::Sync) - syncs, before / 2);
}

TEST_F(TrimmerTest, a_segment_of_control_groups_alone_ends_when_it_is_full) {
  declare("a", seconds(5));
  std::uint64_t largest = 0;
  for (std::uint64_t i = 0; i < 600; ++i) {
    declare("a", seconds(6 + i % 2));
    for (const std::string& path : segment_paths()) largest = std::max(largest, world_.files().get(path)->size());
  }
  EXPECT_LE(largest, limits_.segment_bytes_max);
  EXPECT_EQ(segments(), 1u) << "without an event they are only kept until the next one has begun";
}

// A segment begins with the lane's state, the damage that somebody could ask about included.
TEST_F(TrimmerTest, a_lane_forgets_damage_that_retention_has_passed) {
  const TopicId topic = declare("a", seconds(30));
  declare("unused", for_ever());
  const Sequence first = publish(topic, std::string(600, 'v'));
  publish_bytes(topic, 4'000);
  const std::string damaged = segment_paths().front();
  world_.files().flip_bit(damaged, world_.files().get(damaged)->find("vvvvvvvv") + 100, 1);
  EXPECT_EQ(read({topic}, first - 1).status, ReadStatus::Damaged);
  const auto remembered = [&] {
    const std::string newest = *world_.files().get(segment_paths().back());
    const auto group = parse_group(base::Bytes(newest).substr(kFirstGroupAt), parse_segment_start(newest)->seed());
    return decode_lane_state(RecordWalk(group->records).next()->body())->damage.size();
  };
  publish_bytes(topic, 150'000);
  EXPECT_EQ(remembered(), 1u);
  EXPECT_EQ(read({topic}, first - 1).status, ReadStatus::Damaged);
  pass(kMinuteNs);
  publish_bytes(topic, 200'000);
  EXPECT_EQ(remembered(), 0u);
  EXPECT_EQ(read({topic}, first - 1).status, ReadStatus::Trimmed);
}

// --- usage

TEST_F(TrimmerTest, says_what_the_log_takes_and_why_events_went) {
  const TopicId old = declare("old", seconds(10)), much = declare("much", bytes(5'000));
  const int aged = publish_bytes(old, 30'000);
  publish_bytes(much, 200'000);
  pass(3 * sim::kSecondNs);
  LogUsage usage = lane().usage();
  EXPECT_EQ(usage.segments, segments());
  EXPECT_EQ(usage.trimmed_by_age, 0u);
  EXPECT_EQ(usage.trimmed_by_bytes, 100u - values(much).size());
  EXPECT_GT(usage.dead_bytes, 130'000u) << "all but the extents of about 64 KiB that hold a live event";
  EXPECT_LT(usage.dead_bytes, 210'000u);
  pass(10 * sim::kSecondNs);
  usage = lane().usage();
  EXPECT_EQ(usage.bytes, stored_bytes());
  EXPECT_EQ(usage.trimmed_by_age, static_cast<std::uint64_t>(aged));
  EXPECT_EQ(usage.trimmed_by_total, 0u);
  pass(kMinuteNs);
  EXPECT_LT(lane().usage().dead_bytes, 66'000u) << "no more than the newest segment";
  EXPECT_EQ(lane().usage().segments, segments());
}

// --- far behind

TEST_F(TrimmerTest, a_reader_of_rare_topics_far_behind_passes_many_segments_in_bounded_steps) {
  constexpr std::size_t kTopics = 2'000;
  std::vector<TopicDeclaration> declarations;
  for (std::size_t i = 0; i < kTopics; ++i) declarations.push_back({std::to_string(i), for_ever()});
  stop();
  limits_.segment_bytes_first = limits_.segment_bytes_max = 1 << 20;
  start();
  std::vector<TopicId> rare = declare(declarations);
  const TopicId busy = declare("busy", for_ever());
  while (segments() < 11) publish_bytes(busy, 1'000'000, 50'000);
  const Sequence last = publish(rare.back(), "rare");
  std::ranges::sort(rare);
  std::size_t replies = 0, found = 0;
  for (Sequence after = 0; after < last; ++replies) {
    const ReadReply reply = read(rare, after);
    ASSERT_EQ(reply.status, ReadStatus::Read);
    ASSERT_GT(reply.covered, after);
    found += reply.blocks.size();
    after = reply.covered;
  }
  EXPECT_EQ(found, 1u);
  EXPECT_GE(replies, segments() * kTopics / (kReadLookUpsMax + kTopics));
  EXPECT_LE(replies, segments() * kTopics / kReadLookUpsMax + 2);
}

// --- space

class SmallLaneTest : public TrimmerTest {
 protected:
  SmallLaneTest() : TrimmerTest(limits()) {}
  static Limits limits() {
    Limits limits = small_limits();
    limits.bytes_max = 400'000;
    return limits;
  }
};

TEST_F(SmallLaneTest, publishing_is_refused_rather_than_young_events_trimmed_and_goes_on_later) {
  const TopicId topic = declare("a", for_ever());
  int published = 0;
  // Slowly enough that somebody looks at the space.
  for (int i = 0; i < 60 && lane().condition() == LaneCondition::Writable; ++i) {
    published += publish_bytes(topic, 10'000);
    pass(sim::kSecondNs / 2);
  }
  EXPECT_EQ(lane().condition(), LaneCondition::Full);
  EXPECT_EQ(append(request_of(event_of(topic, "more"))).status, AppendStatus::NoSpace);
  EXPECT_EQ(values(topic).size(), static_cast<std::size_t>(published)) << "all are younger than they are protected";
  EXPECT_LT(stored_bytes(), 450'000u);
  pass(2 * kMinuteNs);
  EXPECT_EQ(lane().condition(), LaneCondition::Writable);
  publish(topic, "more");
  EXPECT_EQ(read({topic}, 0).status, ReadStatus::Trimmed);
  const std::size_t left = values(topic).size();
  EXPECT_LT(left, static_cast<std::size_t>(published));
  EXPECT_GT(left, static_cast<std::size_t>(published) / 2) << "no more than needed";
}

TEST_F(SmallLaneTest, the_oldest_of_all_topics_go_while_publishing_goes_on) {
  const TopicId busy = declare("busy", for_ever()), rare = declare("rare", for_ever());
  publish(rare, "first");
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(publish_bytes(busy, 2'000), 1);
    pass(sim::kSecondNs);
    if (i == 290) publish(rare, "last");
  }
  EXPECT_EQ(lane().condition(), LaneCondition::Writable);
  EXPECT_GT(lane().usage().trimmed_by_total, 100u);
  EXPECT_THAT(values(rare), ElementsAre("last"));
  EXPECT_LT(stored_bytes(), 480'000u);
  EXPECT_GT(values(busy).size(), 100u) << "no more than a segment below what fits";
}

TEST_F(SmallLaneTest, a_lane_whose_one_segment_is_too_large_is_relieved_too) {
  stop();
  limits_.segment_bytes_first = limits_.segment_bytes_max = 4 << 20;
  start();
  const TopicId topic = declare("a", for_ever());
  for (int i = 0; i < 100 && lane().condition() == LaneCondition::Writable; ++i) {
    publish_bytes(topic, 10'000);
    pass(sim::kSecondNs / 2);
  }
  ASSERT_EQ(lane().condition(), LaneCondition::Full);
  pass(2 * kMinuteNs);
  EXPECT_EQ(lane().condition(), LaneCondition::Writable);
  EXPECT_THAT(values(topic), IsEmpty());
  publish(topic, "more");
  EXPECT_THAT(values(topic), ElementsAre("more"));
}

TEST_F(SmallLaneTest, bytes_that_only_the_window_of_repeats_holds_refuse_nobody) {
  const TopicId topic = declare("a", bytes(20'000));
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(publish_bytes(topic, 20'000), 10);
    pass(sim::kSecondNs / 2);
  }
  EXPECT_GT(stored_bytes(), 500'000u);
  EXPECT_EQ(lane().condition(), LaneCondition::Writable);
  pass(kMinuteNs);
  EXPECT_LT(stored_bytes(), 200'000u);
}

class SmallDiskTest : public TrimmerTest {
 protected:
  SmallDiskTest() : TrimmerTest(small_limits(), {.disk_bytes = 1'000'000}) {}
};

TEST_F(SmallDiskTest, half_of_a_file_system_is_enough_unless_somebody_said_otherwise) {
  const TopicId topic = declare("a", for_ever());
  for (int i = 0; i < 100 && lane().condition() == LaneCondition::Writable; ++i) {
    publish_bytes(topic, 10'000);
    pass(sim::kSecondNs / 2);
  }
  EXPECT_EQ(lane().condition(), LaneCondition::Full);
  EXPECT_GT(stored_bytes(), 450'000u);
  EXPECT_LT(stored_bytes(), 560'000u);
}

// --- a slow disk

class SlowDiskTest : public TrimmerTest {
 protected:
  SlowDiskTest() : TrimmerTest(small_limits(), {.latency_ns_max = 400 * sim::kMsNs}) {}
};

TEST_F(SlowDiskTest, nothing_goes_by_a_retention_that_is_no_longer_declared) {
  int kept = 0;
  for (std::uint64_t i = 0; i < 40; ++i) {
    const TopicId topic = declare("a", seconds(5));
    publish(topic, "one");
    pass(5 * sim::kSecondNs + i * 25 * sim::kMsNs);
    declare("a", for_ever());
    if (values(topic).empty()) continue;
    pass(5 * sim::kSecondNs);
    EXPECT_EQ(values(topic).size(), 1u);
    ++kept;
    declare("a", bytes(0));
    pass(3 * sim::kSecondNs);
  }
  EXPECT_GT(kept, 10);
  EXPECT_LT(kept, 40);
}

TEST_F(SlowDiskTest, a_lane_stops_in_the_middle_of_trimming) {
  for (std::uint64_t i = 0; i < 20; ++i) {
    const TopicId topic = declare("a", {.age_ns = 3 * sim::kSecondNs, .bytes = 10'000});
    publish_bytes(topic, 40'000);
    pass(i * 150 * sim::kMsNs);
    stop();
    start();
    EXPECT_LE(values(topic).size(), 30u);
  }
}

// The last event of one segment ends while it is copied together with its neighbours, which hold others.
TEST_F(SlowDiskTest, what_is_kept_beside_events_that_end_is_there_after_a_restart) {
  const TopicId kept = declare("kept", for_ever());
  std::vector<std::string> all;
  for (std::uint64_t i = 0; i < 60; ++i) {
    const std::vector<TopicId> ids = declare({{"bulk", for_ever()}, {"ending", for_ever()}});
    const auto fill_segment = [&] {
      for (const std::size_t before = segments(); segments() == before;) publish_bytes(ids[0], 10'000, 10'000);
    };
    for (int segment = 0; segment < 2; ++segment) {
      fill_segment();
      all.push_back(std::to_string(all.size()));
      publish(kept, all.back());
    }
    fill_segment();
    publish(ids[1], "soon over");
    fill_segment();
    pass(25 * sim::kSecondNs);
    declare("bulk", bytes(0));
    pass(i * 40 * sim::kMsNs);
    declare("ending", bytes(0));
    pass(10 * sim::kSecondNs);
    stop();
    start();
    ASSERT_EQ(values(kept), all) << "after " << i;
  }
}

// --- everything at once

// What a publisher knows of an event that was acknowledged.
struct KnownEvent {
  std::string value;
  std::uint64_t asked_ns;
  std::uint64_t durable_ns;
};

class LongLife : public TrimmerTest, public testing::WithParamInterface<unsigned> {
 protected:
  static constexpr std::size_t kRecordBytesMax = 160;         // around a value, in a batch of its own
  static constexpr std::uint64_t kClockErrorNs = sim::kMsNs;  // of each restart: the wall clock counts milliseconds

  std::uint64_t pick(std::uint64_t below) { return random_() % below; }

  void open_topics() {
    declarations_ = {{"old", seconds(15)},
                     {"much", bytes(9'000)},
                     {"both", {.age_ns = 30 * sim::kSecondNs, .bytes = 40'000}},
                     {"kept", for_ever()}};
    ids_ = declare(declarations_);
    known_.resize(ids_.size());
  }
  void publish_something() {
    std::vector<NewEvent> request;
    std::vector<std::pair<std::size_t, KnownEvent>> events;
    for (std::uint64_t count = 1 + pick(12); count > 0; --count) {
      const std::size_t topic = pick(30) == 0 ? 3 : pick(3);
      const std::size_t size = pick(15) == 0 ? pick(2'000) : 20 + pick(200);
      const std::string value = std::to_string(++published_) + std::string(size, 'v');
      request.push_back(event_of(ids_[topic], value));
      events.emplace_back(topic, KnownEvent{value, world_.now_ns(), 0});
    }
    EXPECT_EQ(append(std::move(request)).status, AppendStatus::Durable);
    for (auto& [topic, event] : events) {
      event.durable_ns = world_.now_ns();
      known_[topic].push_back(std::move(event));
    }
  }
  void restart() {
    if (pick(2) == 0) {
      stop();
    } else {
      kill();
    }
    start();
    clock_error_ns_ += kClockErrorNs;
  }
  // The newest events, all that must be there, and, once nothing changes any more, none that must not.
  void judge(std::size_t topic, std::uint64_t lag_ns) {
    const std::vector<KnownEvent>& known = known_[topic];
    const std::vector<std::string> found = values(ids_[topic]);
    ASSERT_LE(found.size(), known.size());
    const std::size_t gone = known.size() - found.size();
    for (std::size_t i = 0; i < found.size(); ++i) ASSERT_EQ(found[i], known[gone + i].value) << "they are no suffix";
    const Retention& retention = declarations_[topic].retention;
    std::uint64_t bytes = 0;
    for (std::size_t i = gone > 0 ? gone - 1 : 0; i < known.size(); ++i) bytes += known[i].value.size();
    const std::uint64_t bytes_most = bytes + kRecordBytesMax * (found.size() + 1);
    const std::uint64_t now = world_.now_ns();
    if (gone > 0) {
      const bool is_old = now + clock_error_ns_ - known[gone - 1].asked_ns > retention.age_ns;
      EXPECT_TRUE(is_old || bytes_most > retention.bytes) << "trimmed too early";
    }
    if (found.empty() || lag_ns == 0) return;
    if (gone > 0) bytes -= known[gone - 1].value.size();
    EXPECT_TRUE(now - known[gone].durable_ns <= retention.age_ns ||
                now - known[gone].durable_ns - retention.age_ns < lag_ns);
    EXPECT_LE(bytes, retention.bytes);
  }
  void judge_all(std::uint64_t lag_ns) {
    for (std::size_t topic = 0; topic < ids_.size(); ++topic) judge(topic, lag_ns);
  }

  std::mt19937_64 random_{GetParam()};
  std::vector<TopicDeclaration> declarations_;
  std::vector<TopicId> ids_;
  std::vector<std::vector<KnownEvent>> known_;
  std::uint64_t published_ = 0;
  std::uint64_t clock_error_ns_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Seeds, LongLife, testing::Range(1u, 13u));

TEST_P(LongLife, keeps_of_each_topic_the_newest_events_that_its_retention_allows) {
  open_topics();
  for (int round = 0; round < 25 && !HasFatalFailure(); ++round) {
    for (std::uint64_t i = pick(60); i > 0; --i) {
      publish_something();
      if (pick(4) == 0) pass(pick(300) * sim::kMsNs);
    }
    judge_all(0);
    if (pick(3) == 0) restart();
    if (pick(3) == 0) pass(pick(20) * sim::kSecondNs);
    pass(4 * sim::kSecondNs);
    judge_all(4 * sim::kSecondNs);
  }
  pass(kMinuteNs);
  judge_all(4 * sim::kSecondNs);
}

}  // namespace
}  // namespace storage
