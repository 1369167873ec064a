// SPDX-License-Identifier: Apache-2.0
// What a lane must come back to after trouble, one fact each. The judge watches the rest. A segment stays as long as a
// repeat of one of its events must be recognised, so space comes back only after that.
#include <errno.h>
#include <gtest/gtest.h>

#include "tests/sim/lane_script.h"

namespace lane_sim {
namespace {

using storage::AppendStatus;
using storage::ReadStatus;
using Trouble = LaneModel::Trouble;

class LaneRules : public testing::Test {
 protected:
  ~LaneRules() override { EXPECT_EQ(script_.wrong(), ""); }

  AppendStatus publish(ContentNumber event) {
    const auto reply = script_.life().publish({event});
    return reply ? reply->status : AppendStatus::OutcomeUnknown;
  }
  AppendStatus publish_to(const std::string& topic, std::size_t bytes = 60) {
    return publish(script_.model().invent(topic, bytes, std::nullopt));
  }
  std::size_t bytes_on_disk() {
    std::size_t bytes = 0;
    for (const std::string& path : script_.files().paths()) bytes += script_.files().get(path)->size();
    return bytes;
  }

  LaneScript script_;
};

TEST_F(LaneRules, another_process_cannot_use_the_directory) {
  ASSERT_TRUE(script_.start());
  io::Loop loop(script_.world().world(), "another");
  const auto second = storage::FileLane::open(script_.world().world(), loop, script_.directory(), LaneScript::limits());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().sys_errno, EWOULDBLOCK);
  EXPECT_EQ(publish_to("kept"), AppendStatus::Durable);
}

TEST_F(LaneRules, after_a_failed_sync_nothing_is_published_and_everything_can_be_read) {
  ASSERT_TRUE(script_.start());
  ASSERT_TRUE(script_.publish_some(12));
  script_.model().allow(Trouble::Sync);
  script_.files().fail_kind(sim::SimFiles::Kind::Sync, 1, {base::Errc::System, "a failure made by the test", EIO});
  EXPECT_EQ(publish_to("kept"), AppendStatus::OutcomeUnknown);
  EXPECT_EQ(publish_to("kept"), AppendStatus::Stopped);
  EXPECT_TRUE(script_.life().read_everything());
  script_.kill();
  script_.audit();
}

TEST_F(LaneRules, publishing_goes_on_when_a_full_disk_has_space_again) {
  for (const int error : {ENOSPC, EDQUOT}) {
    ASSERT_TRUE(script_.start());
    ASSERT_TRUE(script_.publish_some(4));
    script_.model().allow(Trouble::Space);
    script_.files().set_free_bytes(0, error);
    AppendStatus status = AppendStatus::Durable;
    for (int i = 0; i < 200 && status == AppendStatus::Durable; ++i) status = publish_to("kept", 900);
    EXPECT_EQ(status, AppendStatus::NoSpace);
    EXPECT_TRUE(script_.life().read_everything());
    script_.files().set_free_bytes(1 << 30);
    script_.world().run_for(5 * sim::kSecondNs);
    script_.model().forbid(Trouble::Space);
    EXPECT_EQ(publish_to("kept"), AppendStatus::Durable);
    ASSERT_TRUE(script_.life().stop());
    script_.kill();
  }
  script_.audit();
}

TEST_F(LaneRules, a_full_disk_has_space_again_when_retention_has_trimmed) {
  ASSERT_TRUE(script_.start());
  script_.world().run_for(2 * sim::kSecondNs);  // the reserve is made
  for (int i = 0; i < 60; ++i) ASSERT_EQ(publish_to("short", 900), AppendStatus::Durable);
  script_.model().allow(Trouble::Space);
  script_.files().set_free_bytes(0);
  AppendStatus status = AppendStatus::Durable;
  for (int i = 0; i < 200 && status == AppendStatus::Durable; ++i) status = publish_to("short", 900);
  EXPECT_EQ(status, AppendStatus::NoSpace);
  script_.world().run_for(LaneScript::limits().repeat_window_ns + 20 * sim::kSecondNs);
  EXPECT_EQ(publish_to("kept"), AppendStatus::Durable);
}

TEST_F(LaneRules, what_is_too_old_is_trimmed_and_its_space_comes_back) {
  ASSERT_TRUE(script_.start());
  EXPECT_EQ(publish_to("kept"), AppendStatus::Durable);
  for (int i = 0; i < 200; ++i) ASSERT_EQ(publish_to("short", 900), AppendStatus::Durable);
  const std::size_t before = bytes_on_disk();
  script_.world().run_for(LaneScript::limits().repeat_window_ns + 10 * sim::kSecondNs);
  const auto reply = script_.life().read({"short"}, std::nullopt);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, ReadStatus::Read);
  EXPECT_TRUE(reply->blocks.empty());
  EXPECT_EQ(reply->complete_after, script_.life().lane().durable());
  EXPECT_LT(bytes_on_disk(), before / 2);
  ASSERT_TRUE(script_.life().stop());
  script_.kill();
  script_.audit();
}

TEST_F(LaneRules, what_is_too_much_is_trimmed) {
  ASSERT_TRUE(script_.start());
  for (int i = 0; i < 50; ++i) ASSERT_EQ(publish_to("small", 200), AppendStatus::Durable);
  script_.world().run_for(3 * sim::kSecondNs);
  const auto reply = script_.life().read({"small"}, std::nullopt);
  ASSERT_TRUE(reply);
  std::size_t bytes = 0;
  for (const auto& block : reply->blocks) {
    for (const auto& entry : block->entries)
      bytes += entry.last_sequence() > reply->complete_after ? entry.batch.size() : 0;
  }
  EXPECT_GT(bytes, 0u);
  EXPECT_LE(bytes, 2'000u);
}

TEST_F(LaneRules, a_repeat_is_known_over_a_crash_for_its_window_and_no_longer) {
  const std::uint64_t window_ns = LaneScript::limits().repeat_window_ns;
  ASSERT_TRUE(script_.start());
  const ContentNumber event = script_.model().invent("kept", 50, 7);
  EXPECT_EQ(publish(event), AppendStatus::Durable);
  script_.crash(sim::Loss::KeepsNothing);
  ASSERT_TRUE(script_.start());
  const auto again = script_.life().publish({event});
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->items.at(0).duplicate);
  script_.world().run_for(window_ns + 5 * sim::kSecondNs);
  const auto later = script_.life().publish({event});
  ASSERT_TRUE(later);
  EXPECT_FALSE(later->items.at(0).duplicate);
}

TEST_F(LaneRules, a_clock_that_jumps_by_years_at_a_start_lets_nothing_be_trimmed_for_ten_minutes) {
  ASSERT_TRUE(script_.start());
  EXPECT_EQ(publish_to("kept"), AppendStatus::Durable);
  const Sequence kept = script_.life().lane().durable();
  ASSERT_TRUE(script_.life().stop());
  script_.kill();
  script_.world().step_wall_clock(std::int64_t{3} * 365 * 86'400'000);
  script_.model().stepped_wall_clock();
  ASSERT_TRUE(script_.start());
  script_.world().run_for(500 * sim::kSecondNs);
  const auto early = script_.life().read({"kept"}, std::nullopt);
  ASSERT_TRUE(early);
  EXPECT_LT(early->complete_after, kept);
  script_.world().run_for(200 * sim::kSecondNs);
  const auto late = script_.life().read({"kept"}, std::nullopt);
  ASSERT_TRUE(late);
  EXPECT_EQ(late->complete_after, kept);
}

TEST_F(LaneRules, positions_between_two_runs_and_beyond_the_end_are_ahead) {
  ASSERT_TRUE(script_.start());
  ASSERT_TRUE(script_.publish_some(3));
  const Sequence end = script_.life().lane().durable();
  ASSERT_TRUE(script_.life().stop());
  script_.kill();
  ASSERT_TRUE(script_.start());
  ASSERT_TRUE(script_.publish_some(3));
  const std::uint64_t gap = LaneScript::limits().run_gap;
  EXPECT_EQ(script_.life().read({"kept"}, end)->status, ReadStatus::Read);
  EXPECT_EQ(script_.life().read({"kept"}, end + 1)->status, ReadStatus::Ahead);
  EXPECT_EQ(script_.life().read({"kept"}, end + gap - 2)->status, ReadStatus::Ahead);
  EXPECT_EQ(script_.life().read({"kept"}, end + gap - 1)->status, ReadStatus::Read);
  EXPECT_EQ(script_.life().read({"kept"}, script_.life().lane().durable() + 1)->status, ReadStatus::Ahead);
}

}  // namespace
}  // namespace lane_sim
