// SPDX-License-Identifier: Apache-2.0
// Positions and newest events on the memory lane.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/memory_lane.h"
#include "storage/test_stage.h"

namespace storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class MemoryLookupTest : public testing::Test {
 protected:
  MemoryLookupTest() {
    lane_.declare(stage_.loop(0), {{"a"}, {"b"}}, [](const std::vector<TopicId>&) {});
    stage_.settle();
  }

  void publish(TopicId topic, std::uint64_t address) {
    NewEvent event = event_of(topic, "x");
    event.address_hash = address;
    lane_.append(stage_.loop(0), request_of(std::move(event)), [](const AppendReply&) {});
    stage_.settle();
    stage_.clock().now_ns += 1'000'000;
  }
  LocateReply locate(LocateRequest request) {
    LocateReply reply{};
    lane_.locate(stage_.loop(0), std::move(request), [&](LocateReply answer) { reply = answer; });
    stage_.settle();
    return reply;
  }
  NewestReply newest(NewestRequest request) {
    NewestReply reply{};
    lane_.newest_per_address(stage_.loop(0), std::move(request),
                             [&](NewestReply answer) { reply = std::move(answer); });
    stage_.settle();
    return reply;
  }

  Stage stage_{1};
  MemoryLane lane_{stage_.lane_loop()};
};

TEST_F(MemoryLookupTest, the_last_events_of_topics_and_of_addresses) {
  for (const std::uint64_t address : {1, 2, 1, 3, 2}) publish(address == 3 ? 2 : 1, address);
  EXPECT_EQ(locate({{1}, {}, LastEvents{2}}).position, 2u);
  EXPECT_EQ(locate({{1, 2}, {}, LastEvents{2}}).position, 3u);
  EXPECT_EQ(locate({{1}, {1}, LastEvents{1}}).position, 2u);
  EXPECT_EQ(locate({{1}, {}, LastEvents{100}}).position, 0u);
  const LocateReply none = locate({{1}, {7}, LastEvents{1}});
  EXPECT_EQ(none.position, 5u);
  EXPECT_EQ(none.events, 0u);
}

TEST_F(MemoryLookupTest, a_time) {
  for (int i = 0; i < 4; ++i) publish(1, 1);  // a millisecond apart
  EXPECT_EQ(locate({.topics = {1}, .what = AtTime{StageClock::kEpochMs}}).position, 0u);
  EXPECT_EQ(locate({.topics = {1}, .what = AtTime{StageClock::kEpochMs + 2}}).position, 2u);
  EXPECT_EQ(locate({.topics = {1}, .what = AtTime{StageClock::kEpochMs + 9}}).position, 4u);
}

TEST_F(MemoryLookupTest, the_newest_of_each_address_in_pages) {
  for (const std::uint64_t address : {1, 2, 1, 3, 2}) publish(address == 3 ? 2 : 1, address);
  const NewestReply all = newest({{1, 2}, std::nullopt, 10});
  EXPECT_THAT(all.sequences, ElementsAre(3, 4, 5));
  EXPECT_EQ(all.status, LookupStatus::Complete);
  const NewestReply page = newest({{1, 2}, 0, 2});
  EXPECT_THAT(page.sequences, ElementsAre(3, 4));
  EXPECT_EQ(page.status, LookupStatus::Partial);
  EXPECT_THAT(newest({{1, 2}, page.covered, 2}).sequences, ElementsAre(5));
  EXPECT_EQ(newest({{1}, 6, 2}).status, LookupStatus::Ahead);
}

TEST_F(MemoryLookupTest, a_lane_that_stopped_says_so) {
  publish(1, 1);
  bool stopped = false;
  stage_.lane_loop().post([&] { lane_.stop([&] { stopped = true; }); });
  stage_.settle();
  ASSERT_TRUE(stopped);
  EXPECT_EQ(locate({{1}, {}, LastEvents{1}}).status, LookupStatus::Stopped);
  EXPECT_THAT(newest({{1}, 0, 2}).sequences, IsEmpty());
}

}  // namespace
}  // namespace storage
