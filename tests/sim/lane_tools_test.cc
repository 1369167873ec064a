// SPDX-License-Identifier: Apache-2.0
// What the tools say of a lane that has had a life: nothing is wrong where nothing was damaged, what was damaged is
// named, and a copy that was made in the middle of everything is a lane.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "storage/log/tools/backup.h"
#include "storage/log/tools/verify.h"
#include "tests/sim/lane_damage.h"
#include "tests/sim/lane_script.h"

namespace lane_sim {
namespace {

constexpr char kCopy[] = "/copy";

void no_progress(std::uint64_t, std::uint64_t) {}

storage::Verification verify(sim::SimWorld& world, const std::string& directory) {
  const auto lane = storage::open_stopped_lane(world.world().file_system, directory);
  EXPECT_TRUE(lane) << lane.error().text;
  if (!lane) return {};
  auto verified = storage::verify(*lane, no_progress);
  EXPECT_TRUE(verified) << verified.error().text;
  return verified ? *std::move(verified) : storage::Verification{};
}

std::string all_of(const storage::Verification& verified) {
  std::string all;
  for (const auto& damage : verified.damage)
    all += "damage " + std::to_string(damage.range.first) + " to " + std::to_string(damage.range.last) + '\n';
  for (const std::string& place : verified.places) all += place + '\n';
  for (const std::string& fault : verified.faults) all += fault + '\n';
  return all;
}

TEST(LaneTools, find_nothing_wrong_after_any_loss_of_power) {
  for (std::uint64_t n = 7; n < 400; n += 5) {
    LaneScript script(n);
    script.files().cut_power_at_call(n);
    if (!script.play()) script.crash(script.files().any_loss());
    script.audit();
    ASSERT_EQ(script.wrong(), "") << "power lost at call " << n;
    const storage::Verification verified = verify(script.world(), script.directory());
    EXPECT_TRUE(verified.is_sound()) << "power lost at call " << n << '\n' << all_of(verified);
    EXPECT_GT(verified.events, 0u);
  }
}

// The groups with events that stand where they stood.
std::map<std::pair<std::string, Sequence>, Sequence> events_of(const LaneScript& script, const sim::SimFiles& files) {
  std::map<std::pair<std::string, Sequence>, Sequence> events;
  for (const SegmentAt& segment : find_segments(files, script.directory())) {
    for (const GroupAt& group : segment.groups) {
      if (group.first != 0) events[{segment.path, group.first}] = group.last;
    }
  }
  return events;
}

std::map<std::string, std::string> contents_of(const sim::SimFiles& files) {
  std::map<std::string, std::string> contents;
  for (const std::string& path : files.paths()) contents[path] = *files.get(path);
  return contents;
}

class DamageByKind : public testing::TestWithParam<Damage> {};

TEST_P(DamageByKind, is_named_with_all_events_that_it_took) {
  int damaged = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    LaneScript script(seed);
    ASSERT_TRUE(script.play());
    const auto files_before = contents_of(script.files());
    const auto events_before = events_of(script, script.files());
    (void)damage(script.files(), script.directory(), GetParam(), script.model(), script.choices());
    const storage::Verification verified = verify(script.world(), script.directory());
    const bool was_damaged = contents_of(script.files()) != files_before;
    damaged += was_damaged ? 1 : 0;
    EXPECT_EQ(verified.is_sound(), !was_damaged) << "seed " << seed << '\n' << all_of(verified);
    const auto events_after = events_of(script, script.files());
    for (const auto& [place, last] : events_before) {
      if (events_after.contains(place)) continue;
      const bool is_named = std::ranges::any_of(verified.damage, [&](const storage::VerifiedDamage& each) {
        return each.range.first <= place.second && last <= each.range.last;
      });
      EXPECT_TRUE(is_named) << "seed " << seed << ": " << place.second << " to " << last << '\n' << all_of(verified);
    }
  }
  EXPECT_GT(damaged, 0);
}

INSTANTIATE_TEST_SUITE_P(LaneTools, DamageByKind,
                         testing::Values(Damage::Range, Damage::Truncated, Damage::Removed, Damage::Swapped,
                                         Damage::OldLaneState));

storage::Backup back_up(io::FileSystem& file_system, const std::string& directory) {
  storage::BackupSide failed = storage::BackupSide::Source;
  const auto backup = storage::back_up(file_system, directory, kCopy, no_progress, failed);
  EXPECT_TRUE(backup) << backup.error().text;
  return backup ? *backup : storage::Backup{};
}

Traffic busy_traffic() { return {.actions = 200, .chains = 4, .reads_percent = 10}; }

TEST(LaneTools, a_copy_made_in_the_middle_of_traffic_has_everything_that_was_acknowledged) {
  for (std::uint64_t steps = 20; steps < 2'000; steps += 60) {
    LaneScript script(steps);
    ASSERT_TRUE(script.play());
    ASSERT_TRUE(script.start());
    ASSERT_TRUE(script.life().live_for(busy_traffic(), steps));
    back_up(script.world().world().file_system, script.directory());
    LaneModel copied = script.model();
    copied.ended();
    ASSERT_TRUE(script.life().stop());
    script.kill();
    ASSERT_EQ(script.wrong(), "");
    const storage::Verification verified = verify(script.world(), kCopy);
    EXPECT_TRUE(verified.is_sound()) << "after " << steps << " steps\n" << all_of(verified);
    {
      LaneLife life(script.world(), kCopy, LaneScript::limits(), 1, copied, script.choices());
      ASSERT_TRUE(life.open(LaneModel::Epoch::New));
      EXPECT_TRUE(life.declare(script.topics()));
      EXPECT_TRUE(life.read_everything());
      copied.settled();
    }
    EXPECT_EQ(copied.wrong(), "") << "after " << steps << " steps";
  }
}

// The lane goes on before each of its operations.
class BesideTraffic final : public io::FileSystem {
 public:
  explicit BesideTraffic(LaneScript& script) : script_(script) {}
  base::Result<std::string> read_file(const std::string& path, std::uint64_t bytes_max) override {
    return script_.world().world().file_system.read_file(path, bytes_max);
  }
  base::Result<io::FileReply> carry_out(const io::FileRequest& request) override {
    script_.world().run_for(script_.choices().below(2'000'000));
    return script_.world().world().file_system.carry_out(request);
  }

 private:
  LaneScript& script_;
};

TEST(LaneTools, a_copy_made_beside_traffic_is_a_sound_lane_up_to_some_moment) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    LaneScript script(seed);
    ASSERT_TRUE(script.play());
    ASSERT_TRUE(script.start());
    ASSERT_TRUE(script.life().live_for(busy_traffic(), 50));
    const Sequence durable_before = script.life().lane().durable();
    BesideTraffic beside(script);
    const storage::Backup backup = back_up(beside, script.directory());
    EXPECT_GE(backup.end, durable_before);
    EXPECT_LE(backup.end, script.life().lane().durable());
    ASSERT_TRUE(script.life().stop());
    script.kill();
    ASSERT_EQ(script.wrong(), "");
    const storage::Verification verified = verify(script.world(), kCopy);
    EXPECT_TRUE(verified.is_sound()) << "seed " << seed << '\n' << all_of(verified);
    const auto opened = storage::recover(script.world().world(), kCopy, LaneScript::limits());
    ASSERT_TRUE(opened) << opened.error().text;
    EXPECT_NE(opened->state.identity.epoch, backup.epoch);
    EXPECT_TRUE(opened->state.damage.empty());
    script.files().kill();
  }
}

}  // namespace
}  // namespace lane_sim
