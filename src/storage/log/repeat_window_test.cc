// SPDX-License-Identifier: Apache-2.0
#include "storage/log/repeat_window.h"

#include <gtest/gtest.h>

namespace storage {
namespace {

RestoredRepeat repeat_at(std::uint64_t lane_time_ns) { return {{1, 2}, 3, 4, lane_time_ns}; }

std::vector<std::uint64_t> times_of(RepeatWindow& window) {
  std::vector<std::uint64_t> times;
  for (const RestoredRepeat& each : window.take()) times.push_back(each.lane_time_ns);
  return times;
}

using Times = std::vector<std::uint64_t>;

TEST(RepeatWindowTest, forgets_what_is_older_than_the_window) {
  RepeatWindow window(100, 10);
  for (const std::uint64_t time : {10, 50, 110, 150}) window.add(repeat_at(time));
  EXPECT_EQ(window.oldest_ns(), 50u);
  EXPECT_EQ(times_of(window), (Times{50, 110, 150}));
}

TEST(RepeatWindowTest, keeps_the_newest_if_there_are_too_many) {
  RepeatWindow window(100, 2);
  for (const std::uint64_t time : {10, 11, 12}) window.add(repeat_at(time));
  EXPECT_EQ(window.room(), 0u);
  EXPECT_EQ(times_of(window), (Times{11, 12}));
}

TEST(RepeatWindowTest, ends_at_a_time_that_younger_groups_have_reached) {
  RepeatWindow window(100, 10, 150);
  window.add(repeat_at(49));
  window.add(repeat_at(50));
  EXPECT_EQ(times_of(window), Times{50});
}

TEST(RepeatWindowTest, moves_on_with_groups_that_have_no_ids) {
  RepeatWindow window(100, 10);
  window.add(repeat_at(10));
  std::string group;
  append_commit_room(group);
  const CommitRecord commit = seal_group(group, Seed(1), {.number = 1, .lane_time_ns = 200});
  window.add(GroupView{{}, commit});
  EXPECT_EQ(window.newest_ns(), 200u);
  EXPECT_EQ(times_of(window), Times{});
}

TEST(RepeatWindowTest, takes_nothing_without_room) {
  RepeatWindow window(100, 0);
  window.add(repeat_at(10));
  EXPECT_EQ(times_of(window), Times{});
}

}  // namespace
}  // namespace storage
