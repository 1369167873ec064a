// SPDX-License-Identifier: Apache-2.0
#include "storage/log/rewriter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/retention_stage.h"

namespace storage {
namespace {

constexpr std::uint64_t kWindowAndMoreNs = 40 * sim::kSecondNs;

class RewriterTest : public RetentionTest {
 protected:
  using Kind = sim::SimFiles::Kind;

  // A segment of this and of bulk that goes, and the next one begun.
  void publish_a_segment(TopicId kept, const std::string& value) {
    const TopicId bulk = declare("bulk", seconds(5));
    publish(kept, value);
    all_.push_back(value);
    for (const std::size_t before = segments(); segments() == before;) publish_bytes(bulk, 4'000);
  }
  LocateReply locate(std::vector<TopicId> topics, std::int64_t wall_ms) {
    std::optional<LocateReply> reply;
    run_->lane->locate(run_->loop, {.topics = std::move(topics), .what = AtTime{wall_ms}},
                       [&](const LocateReply& answer) { reply = answer; });
    EXPECT_TRUE(world_.run_until([&] { return reply.has_value(); }, kPatienceNs));
    return reply.value_or(LocateReply{});
  }
  std::int64_t wall_ms() { return world_.world().clock.wall_ms(); }
  std::vector<std::string> all_;
};

TEST_F(RewriterTest, sparse_segments_side_by_side_become_one) {
  const TopicId kept = declare("kept", for_ever());
  for (int i = 0; i < 8; ++i) publish_a_segment(kept, std::to_string(i));
  pass(kWindowAndMoreNs);
  EXPECT_EQ(segments(), 2u);
  EXPECT_EQ(values(kept), all_);
  kill();
  start();
  EXPECT_EQ(values(kept), all_);
}

// Even where only events that were left out had come so far.
TEST_F(RewriterTest, a_clock_that_stepped_back_is_known_behind_what_was_left_out) {
  const TopicId kept = declare("kept", for_ever());
  const TopicId bulk = declare("bulk", for_ever());
  const Sequence first = publish(kept, "before");
  world_.step_wall_clock(3'600'000);
  const std::int64_t ahead_ms = wall_ms();
  publish_bytes(bulk, 4'000);
  world_.step_wall_clock(-3'600'000);
  const Sequence second = publish(kept, "behind");
  publish_bytes(bulk, 4'000);
  world_.step_wall_clock(7'200'000);
  publish(kept, "later");
  for (const std::size_t before = segments(); segments() == before;) publish_bytes(bulk, 4'000);
  const std::string oldest = segment_paths().front();
  const auto contents = [&] { return world_.files().get(oldest).value_or(""); };
  declare("bulk", bytes(0));
  pass(700 * sim::kSecondNs);  // until no id is remembered
  ASSERT_EQ(contents().find("vvvvvvvv"), std::string::npos) << "nothing of bulk is left";
  const auto check = [&] {
    const Sequence position = locate({kept}, ahead_ms).position;
    EXPECT_GE(position, first);
    EXPECT_LT(position, second);
    EXPECT_EQ(locate({kept}, ahead_ms - 1'800'000).position, position);
  };
  check();
  kill();
  start();
  check();
  kill();
  world_.files().flip_bit(oldest, contents().size() - 3, 1);  // no footer: the index is made anew
  start();
  check();
}

// Each is rewritten alone, since its neighbour is not yet old enough: the small ones must not pile up.
TEST_F(RewriterTest, segments_that_were_rewritten_one_by_one_become_few) {
  const TopicId kept = declare("kept", for_ever());
  for (int i = 0; i < 40; ++i) {
    publish_a_segment(kept, std::to_string(i));
    pass(kWindowAndMoreNs);
    ASSERT_LE(segments(), 8u) << "after " << i;
  }
  EXPECT_EQ(values(kept), all_);
  kill();
  start();
  EXPECT_EQ(values(kept), all_);
}

TEST_F(RewriterTest, the_segments_of_many_short_starts_become_few) {
  const TopicId kept = declare("kept", for_ever());
  for (int i = 0; i < 40; ++i) {
    all_.push_back(std::to_string(i));
    publish(kept, all_.back());
    stop();
    start();
  }
  EXPECT_GT(segments(), 30u);
  pass(2 * kMinuteNs);
  EXPECT_LE(segments(), 4u);
  EXPECT_EQ(values(kept), all_);
}

TEST_F(RewriterTest, full_segments_stay_as_they_are) {
  const TopicId kept = declare("kept", for_ever());
  publish_bytes(kept, 400'000);
  pass(kWindowAndMoreNs);  // the first ones were small
  const std::size_t before = segments();
  const std::uint64_t renames = world_.files().calls(Kind::Rename);
  pass(10 * kMinuteNs);
  EXPECT_EQ(segments(), before);
  EXPECT_EQ(world_.files().calls(Kind::Rename), renames);
}

TEST_F(RewriterTest, what_the_disk_refused_is_tried_again_later) {
  const TopicId kept = declare("kept", for_ever());
  for (int i = 0; i < 6; ++i) publish_a_segment(kept, std::to_string(i));
  const std::string oldest = segment_paths().front();
  const auto oldest_bytes = [&] { return world_.files().get(oldest).value_or("").size(); };
  pass(15 * sim::kSecondNs);  // footers are written, ids are still remembered
  const std::size_t before = oldest_bytes();
  world_.files().fail_kind(Kind::Rename, 1, {base::Errc::System, "injected", ENOSPC});
  pass(12 * sim::kSecondNs);
  EXPECT_EQ(oldest_bytes(), before) << "the refusal was not met";
  pass(kMinuteNs);
  EXPECT_LT(oldest_bytes(), before);
  EXPECT_EQ(values(kept), all_);
}

TEST_F(RewriterTest, a_damaged_segment_keeps_its_place_and_its_neighbours_become_one) {
  const TopicId kept = declare("kept", for_ever());
  for (int i = 0; i < 7; ++i) publish_a_segment(kept, std::to_string(i));
  pass(8 * sim::kSecondNs);
  const std::vector<std::string> paths = segment_paths();
  world_.files().flip_bit(paths.at(3), 20'000, 1);  // of the bulk
  pass(3 * kMinuteNs);
  EXPECT_LE(segments(), 5u);
  EXPECT_TRUE(world_.files().get(paths.at(3)));
  EXPECT_EQ(values(kept), all_);
}

}  // namespace
}  // namespace storage
