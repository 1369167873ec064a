// SPDX-License-Identifier: Apache-2.0
#include "storage/memory_lane.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/test_stage.h"

namespace storage {
namespace {

class MemoryLaneTest : public testing::Test {
 protected:
  static Limits limits() {
    Limits limits;
    limits.memory_bytes_max = 2'000;
    return limits;
  }
  std::vector<TopicId> declare(std::vector<TopicDeclaration> identities) {
    std::optional<std::vector<TopicId>> ids;
    lane_.declare(stage_.loop(0), std::move(identities), [&](std::vector<TopicId> answer) { ids = std::move(answer); });
    EXPECT_FALSE(ids) << "answered within the call";
    stage_.settle();
    return ids.value();
  }
  std::optional<AppendReply> append(std::vector<NewEvent> events) {
    std::optional<AppendReply> reply;
    lane_.append(stage_.loop(0), std::move(events), [&](AppendReply answer) { reply = std::move(answer); });
    EXPECT_FALSE(reply) << "answered within the call";
    stage_.settle();
    return reply;
  }
  std::optional<ReadReply> read(std::vector<TopicId> topics, std::optional<Sequence> after) {
    std::optional<ReadReply> reply;
    lane_.read(stage_.loop(0), {std::move(topics), after, 1 << 20},
               [&](ReadReply answer) { reply = std::move(answer); });
    EXPECT_FALSE(reply) << "answered within the call";
    stage_.settle();
    return reply;
  }

  Stage stage_{1};
  MemoryLane lane_{stage_.lane_loop(), limits()};
};

TEST_F(MemoryLaneTest, an_empty_lane_is_at_zero_and_its_first_event_is_one) {
  EXPECT_EQ(lane_.durable(), 0u);
  const TopicId topic = declare({{"a"}}).at(0);
  EXPECT_EQ(append(request_of(event_of(topic, "x")))->items.at(0).sequence, 1u);
  EXPECT_EQ(lane_.durable(), 1u);
}

TEST_F(MemoryLaneTest, a_declared_topic_keeps_its_id) {
  const std::vector<TopicId> ids = declare({{"a/*"}, {"b"}, {"a/*"}});
  EXPECT_EQ(ids[0], ids[2]);
  EXPECT_NE(ids[0], ids[1]);
  EXPECT_EQ(declare({{"c"}, {"b"}}).at(1), ids[1]);
}

TEST_F(MemoryLaneTest, each_start_is_another_history) {
  Stage stage(0);
  const MemoryLane other(stage.lane_loop());
  EXPECT_NE(other.identity().epoch, lane_.identity().epoch);
  EXPECT_NE(other.identity().deduplication_key, lane_.identity().deduplication_key);
}

TEST_F(MemoryLaneTest, what_was_trimmed_is_said_and_repeats_of_it_are_still_known) {
  const TopicId topic = declare({{"a"}}).at(0);
  append(request_of(event_of(topic, "first", 7)));
  for (int i = 0; i < 20; ++i) append(request_of(event_of(topic, std::string(100, 'x'))));
  const ReadReply gone = read({topic}, 0).value();
  EXPECT_EQ(gone.status, ReadStatus::Trimmed);
  EXPECT_GT(gone.complete_after, 1u);
  EXPECT_TRUE(gone.blocks.empty());
  const ReadReply earliest = read({topic}, std::nullopt).value();
  EXPECT_EQ(earliest.after, gone.complete_after);
  EXPECT_EQ(earliest.blocks.at(0)->first(), gone.complete_after + 1);
  EXPECT_EQ(earliest.covered, lane_.durable());
  EXPECT_EQ(read({topic}, lane_.durable() + 1)->status, ReadStatus::Ahead);
  const AppendReply repeat = append(request_of(event_of(topic, "first", 7))).value();
  EXPECT_EQ(repeat.items.at(0).sequence, 1u);
  EXPECT_TRUE(repeat.items.at(0).duplicate);
}

TEST_F(MemoryLaneTest, stopping_answers_everything_and_then_says_so) {
  const TopicId topic = declare({{"a"}}).at(0);
  std::vector<std::string> order;
  lane_.append(stage_.loop(0), request_of(event_of(topic, "x")), [&](const AppendReply& reply) {
    EXPECT_EQ(reply.status, AppendStatus::Durable);
    order.push_back("appended");
  });
  lane_.read(stage_.loop(0), {{topic}, 0, 1}, [&](const ReadReply& reply) {
    EXPECT_EQ(reply.status, ReadStatus::Read);
    order.push_back("read");
  });
  bool is_stopped = false;
  lane_.stop([&] {
    is_stopped = true;
    EXPECT_EQ(stage_.waiting(stage_.loop(0)), 2u) << "stopped before the answers were posted";
  });
  EXPECT_FALSE(is_stopped);
  stage_.settle({&stage_.loop(0)});
  EXPECT_TRUE(is_stopped);
  stage_.settle();
  EXPECT_THAT(order, testing::ElementsAre("read", "appended"));
}

TEST_F(MemoryLaneTest, a_stopped_lane_answers_without_its_loop) {
  const TopicId topic = declare({{"a"}}).at(0);
  append(request_of(event_of(topic, "x")));
  lane_.stop([] {});
  stage_.settle();
  int answers = 0;
  lane_.append(stage_.loop(0), request_of(event_of(topic, "y")), [&](const AppendReply& reply) {
    EXPECT_EQ(reply.status, AppendStatus::Stopped);
    ++answers;
  });
  lane_.read(stage_.loop(0), {{topic}, 0, 1}, [&](const ReadReply& reply) {
    EXPECT_EQ(reply.status, ReadStatus::Stopped);
    ++answers;
  });
  lane_.declare(stage_.loop(0), {{"b"}}, [&](const std::vector<TopicId>& ids) {
    EXPECT_TRUE(ids.empty());
    ++answers;
  });
  EXPECT_EQ(answers, 0);
  stage_.settle({&stage_.lane_loop()});
  EXPECT_EQ(answers, 3);
  EXPECT_EQ(lane_.durable(), 1u);
}

TEST(MemoryLane, may_die_with_answers_that_never_ran) {
  Stage stage(1);
  auto lane = std::make_unique<MemoryLane>(stage.lane_loop());
  lane->follow(stage.loop(0), [](const Commit&) { FAIL() << "the loop has ended"; });
  lane->declare(stage.loop(0), {{"a"}}, [](const std::vector<TopicId>&) { FAIL() << "the loop has ended"; });
  stage.settle({&stage.loop(0)});
  lane->append(stage.loop(0), request_of(event_of(1, "x")), [](const AppendReply&) { FAIL() << "the loop has ended"; });
  stage.settle({&stage.loop(0)});
  EXPECT_EQ(lane->durable(), 1u);
  EXPECT_EQ(stage.waiting(stage.loop(0)), 3u);
  lane = nullptr;
}

}  // namespace
}  // namespace storage
