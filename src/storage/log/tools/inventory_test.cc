// SPDX-License-Identifier: Apache-2.0
#include "storage/log/tools/inventory.h"

#include <gtest/gtest.h>

#include "tests/support/lane_directory.h"

namespace storage {
namespace {

class InventoryTest : public testing::Test {
 protected:
  InventoryTest() {
    lane.must_start();
    lane.declare("likes/*");
    lane.declare("orders");
    lane.declare("quiet");
  }

  std::vector<TopicContent> take() {
    lane.close();
    const auto opened = open_stopped_lane(world.world().file_system, lane.path());
    EXPECT_TRUE(opened) << opened.error().text;
    return take_inventory(*opened).value();
  }
  static void expect(const TopicContent& content, std::uint64_t events, Sequence first, Sequence last,
                     std::int64_t first_offset) {
    EXPECT_EQ(content.events, events);
    EXPECT_EQ(content.first_sequence, first);
    EXPECT_EQ(content.last_sequence, last);
    EXPECT_EQ(content.first_offset, first_offset);
    EXPECT_EQ(content.bytes > 0, events > 0);
  }

  sim::SimWorld world{{.seed = 3}};
  TestLane lane{world};
};

TEST_F(InventoryTest, counts_each_topic_over_all_segments_and_the_group_that_is_not_proven) {
  lane.publish(1, 3);  // 1 to 3
  lane.publish(2, 2);  // 4, 5
  lane.rotate(TestLane::Footer::Yes);
  lane.publish(1, 2);  // 6, 7
  lane.rotate();
  lane.publish(2, 1);  // 8
  lane.publish(1, 4);  // 9 to 12
  const std::vector<TopicContent> topics = take();
  expect(topics[0], 9, 1, 12, 0);
  expect(topics[1], 3, 4, 8, 0);
  expect(topics[2], 0, 0, 0, 0);
}

TEST_F(InventoryTest, leaves_out_what_was_trimmed_to_the_event) {
  for (int i = 0; i < 40; ++i) lane.publish(1, 5, {}, 1'000);  // several extents
  lane.rotate(TestLane::Footer::Yes);
  lane.publish(1, 5);
  lane.trim(1, 123);
  lane.stop();
  expect(take()[0], 205 - 123, 124, 205, 123);
}

TEST_F(InventoryTest, of_a_topic_whose_events_were_all_trimmed_nothing_is_left) {
  lane.publish(1, 5);
  lane.trim(1, 5);
  lane.stop();
  expect(take()[0], 0, 0, 0, 0);
}

}  // namespace
}  // namespace storage
