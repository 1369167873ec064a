// SPDX-License-Identifier: Apache-2.0
#include "storage/followers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/group_encoder.h"
#include "storage/test_stage.h"

namespace storage {
namespace {

struct Told {
  Sequence first;
  Sequence last;
  bool has_block;
  bool operator==(const Told&) const = default;
};
constexpr bool kBlock = true;
constexpr bool kRange = false;

// One loop that follows and stands still unless it is told to run.
class FollowersTest : public testing::Test {
 protected:
  BlockPtr next_block() {
    encoder_.add({topic_, 0, "tail", {}}, ++last_, 0);
    return encoder_.finish();
  }
  Followers make(std::size_t blocks_max) {
    const BlockPtr block = next_block();
    encoder_.unwind(*block);
    last_ = 0;
    return Followers(blocks_max * block->memory_bytes());
  }
  void follow(Followers& followers, Sequence told, Sequence durable) {
    followers.add(
        stage_.loop(0),
        [this](const Commit& commit) { told_.push_back({commit.first, commit.last, commit.block != nullptr}); }, told,
        durable);
  }
  std::vector<Told> run() {
    stage_.turn(stage_.loop(0));
    return std::exchange(told_, {});
  }

  Stage stage_{1};
  TopicTable topics_;
  TopicId topic_ = topics_.declare("a");
  GroupEncoder encoder_{topics_};
  Sequence last_ = 0;
  std::vector<Told> told_;
};

TEST_F(FollowersTest, every_commit_is_a_message_with_its_block) {
  Followers followers = make(10);
  follow(followers, 0, 0);
  followers.tell(next_block());
  followers.tell(next_block());
  EXPECT_TRUE(told_.empty());
  EXPECT_THAT(run(), testing::ElementsAre(Told{1, 1, kBlock}, Told{2, 2, kBlock}));
}

TEST_F(FollowersTest, a_loop_with_too_much_waiting_is_told_one_growing_range) {
  Followers followers = make(2);
  follow(followers, 0, 0);
  for (int i = 0; i < 5; ++i) followers.tell(next_block());
  EXPECT_EQ(stage_.waiting(stage_.loop(0)), 3u);
  EXPECT_THAT(run(), testing::ElementsAre(Told{1, 1, kBlock}, Told{2, 2, kBlock}, Told{3, 5, kRange}));
}

TEST_F(FollowersTest, a_loop_that_caught_up_is_given_blocks_again) {
  Followers followers = make(1);
  follow(followers, 0, 0);
  for (int i = 0; i < 3; ++i) followers.tell(next_block());
  EXPECT_THAT(run(), testing::ElementsAre(Told{1, 1, kBlock}, Told{2, 3, kRange}));
  followers.tell(next_block());
  EXPECT_THAT(run(), testing::ElementsAre(Told{4, 4, kBlock}));
}

TEST_F(FollowersTest, a_range_that_has_run_does_not_grow) {
  Followers followers = make(0);
  follow(followers, 0, 0);
  followers.tell(next_block());
  EXPECT_THAT(run(), testing::ElementsAre(Told{1, 1, kRange}));
  followers.tell(next_block());
  followers.tell(next_block());
  EXPECT_THAT(run(), testing::ElementsAre(Told{2, 3, kRange}));
}

TEST_F(FollowersTest, ranges_around_a_block_stay_two) {
  Followers followers = make(1);
  follow(followers, 0, 0);
  followers.tell(next_block());
  followers.tell(next_block());
  stage_.take_portion(stage_.loop(0), 1);  // the block has run, the range behind it has not
  followers.tell(next_block());
  followers.tell(next_block());
  EXPECT_THAT(run(),
              testing::ElementsAre(Told{1, 1, kBlock}, Told{2, 2, kRange}, Told{3, 3, kBlock}, Told{4, 4, kRange}));
}

TEST_F(FollowersTest, one_standing_loop_does_not_take_the_blocks_of_another) {
  Stage stage(2);
  Followers followers = make(1);
  std::vector<Told> moving;
  followers.add(stage.loop(0), [](const Commit&) {}, 0, 0);
  followers.add(
      stage.loop(1),
      [&](const Commit& commit) { moving.push_back({commit.first, commit.last, commit.block != nullptr}); }, 0, 0);
  for (int i = 0; i < 3; ++i) {
    followers.tell(next_block());
    stage.turn(stage.loop(1));
  }
  EXPECT_THAT(moving, testing::ElementsAre(Told{1, 1, kBlock}, Told{2, 2, kBlock}, Told{3, 3, kBlock}));
}

TEST_F(FollowersTest, what_was_committed_while_a_loop_began_to_follow_is_told_as_a_range) {
  Followers followers = make(10);
  follow(followers, 3, 5);
  EXPECT_THAT(run(), testing::ElementsAre(Told{4, 5, kRange}));
}

}  // namespace
}  // namespace storage
