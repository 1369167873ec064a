// SPDX-License-Identifier: Apache-2.0
#include "storage/log/survey.h"

#include <gtest/gtest.h>

#include "tests/support/lane_directory.h"

namespace storage {
namespace {

class SurveyTest : public testing::Test {
 protected:
  base::Result<Survey> look(const SurveyOptions& options = {}) {
    return survey(world.world().file_system, lane.path(), options);
  }

  sim::SimWorld world{{.seed = 1}};
  TestLane lane{world};
};

TEST_F(SurveyTest, needs_a_directory) { EXPECT_EQ(look().error().code, base::Errc::NotFound); }

TEST_F(SurveyTest, finds_no_history_where_there_is_no_segment) {
  world.files().put(lane.path() + "/lock", "");
  const auto found = look();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->history, Survey::History::None);
  EXPECT_EQ(found->names, std::vector<std::string>{"lock"});
  EXPECT_FALSE(found->newest);
}

TEST_F(SurveyTest, says_what_a_start_would_find_and_changes_nothing) {
  lane.must_start();
  lane.declare("a");
  lane.publish(1, 2, {11, 12});
  lane.rotate(TestLane::Footer::Yes);
  lane.publish(1, 1);
  lane.publish(1, 3, {13});
  world.files().put(lane.path() + "/0000000000000009.segment.tmp", "half");
  const std::vector<std::string> before = world.files().paths();
  for (int i = 0; i < 2; ++i) {
    const std::uint64_t writes = world.files().calls(sim::SimFiles::Kind::WriteAt);
    const auto found = look({.repeat_window_ns = 1'000, .repeat_entries_max = 10});
    ASSERT_TRUE(found);
    EXPECT_EQ(found->history, Survey::History::Whole);
    EXPECT_EQ(found->highest_number, 9u);
    EXPECT_EQ(found->newest->number, 2u);
    ASSERT_EQ(found->segments.size(), 2u);
    EXPECT_EQ(found->segments[0].footer, OpenSegment::Footer::Whole);
    EXPECT_EQ(found->segments[0].end.last_sequence, 2u);
    EXPECT_EQ(found->segments[1].footer, OpenSegment::Footer::Missing);
    EXPECT_EQ(found->segments[1].end.last_sequence, 3u);
    EXPECT_EQ(found->segments[1].index.last_sequence(), 3u);
    EXPECT_EQ(found->state.manifest.size(), 2u);
    EXPECT_EQ(found->state.next_sequence, 4u);
    ASSERT_EQ(found->unproven.size(), 1u);
    EXPECT_EQ(found->unproven[0].group.commit.last_sequence, 6u);
    EXPECT_EQ(found->last.number, found->unproven[0].group.commit.number);
    EXPECT_EQ(found->repeats.size(), 3u);
    EXPECT_TRUE(found->findings.empty());
    EXPECT_EQ(world.files().calls(sim::SimFiles::Kind::WriteAt), writes);
  }
  EXPECT_EQ(world.files().paths(), before);
  EXPECT_EQ(look()->repeats.size(), 0u);
}

TEST_F(SurveyTest, closes_every_file) {
  lane.must_start();
  lane.declare("a");
  lane.publish(1, 2);
  lane.rotate();
  lane.publish(1, 2);
  lane.close();
  EXPECT_TRUE(look());
  EXPECT_EQ(lane.open_handles(), 0u);
}

TEST_F(SurveyTest, works_on_files_that_may_only_be_read) {
  lane.must_start();
  lane.declare("a");
  lane.publish(1, 2);
  lane.close();
  const auto found = look({.mode = io::OpenMode::ExistingRead});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->unproven.size(), 1u);
}

TEST_F(SurveyTest, sorts_out_files_that_do_not_count) {
  lane.must_start();
  lane.declare("a");
  lane.publish(1, 2);
  lane.rotate();
  lane.close();
  world.files().put(lane.path() + '/' + segment_name(0), *world.files().get(lane.path() + '/' + segment_name(1)));
  const auto found = look();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->superseded, std::vector<std::string>{segment_name(2)});
  EXPECT_EQ(found->unreadable, std::vector<std::string>{segment_name(0)});  // another number in its header
}

TEST_F(SurveyTest, needs_no_segment_of_which_the_newest_knows_nothing) {
  lane.must_start();
  lane.declare("a");
  lane.publish(1, 2);
  lane.stop();
  lane.must_start();
  lane.close();
  const auto found = look();
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->findings.empty());
  EXPECT_EQ(found->runs_known_through, 2u);
}

}  // namespace
}  // namespace storage
