// SPDX-License-Identifier: Apache-2.0
// Rot in the files of a stopped lane: what is lost is what was hit, and it is said.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/sim/lane_damage.h"
#include "tests/sim/lane_script.h"

namespace lane_sim {
namespace {

using Epoch = LaneModel::Epoch;

// Three lives, the last one with a new topic, trimming and a few events, so that the newest segment has something of
// everything.
class DamagedLane {
 public:
  DamagedLane() {
    EXPECT_TRUE(script.play());
    EXPECT_TRUE(script.start());
    EXPECT_TRUE(script.life().declare({{"late", {}}}));
    EXPECT_TRUE(script.life().publish({script.model().invent("late", 50, 77)}));
    EXPECT_TRUE(script.publish_some(6));
    script.world().run_for(4 * sim::kSecondNs);
    EXPECT_TRUE(script.publish_some(3));
    EXPECT_TRUE(script.life().stop());
    script.kill();
    EXPECT_EQ(script.wrong(), "");
    segments = find_segments(script.files(), script.directory());
  }
  std::string audit(Epoch epoch = Epoch::Same) {
    script.audit(epoch);
    if (script.wrong().empty()) script.audit();
    return script.wrong();
  }

  LaneScript script;
  std::vector<SegmentAt> segments;
};

struct Target {
  std::size_t segment;
  std::size_t group;
  std::size_t record;
};

// Every record but those of the last group, which nothing proves.
std::vector<Target> targets_of(const DamagedLane& lane) {
  std::vector<Target> targets;
  for (std::size_t s = 0; s < lane.segments.size(); ++s) {
    const std::vector<GroupAt>& groups = lane.segments[s].groups;
    for (std::size_t g = 0; g < groups.size(); ++g) {
      if (s + 1 == lane.segments.size() && g + 1 == groups.size()) continue;
      for (std::size_t r = 0; r < groups[g].records.size(); ++r) targets.push_back({s, g, r});
    }
  }
  return targets;
}

TEST(DamagedLane, a_flipped_bit_in_any_record_costs_no_more_than_its_group) {
  std::set<RecordKind> kinds;
  const std::vector<Target> targets = targets_of(DamagedLane());
  for (const auto& [s, g, r] : targets) {
    DamagedLane lane;
    const SegmentAt& segment = lane.segments[s];
    const GroupAt& group = segment.groups[g];
    const RecordAt& record = group.records[r];
    kinds.insert(record.kind);
    // Without its record nobody knows what topic it was: its events are there under its id, and its name gets another.
    if (s + 1 < lane.segments.size() || !group.holds(RecordKind::Topic)) lane.script.declares_later({"late", {}});
    const bool is_newest_state = s + 1 == lane.segments.size() && g == 0;
    lane.script.files().flip_bit(segment.path, record.offset + record.bytes / 2, (s + g + r) % 8);
    if (is_newest_state)
      lane.script.model().forgets(segment.first(), ~Sequence{0});
    else
      lane.script.model().damages(group.first, group.last);
    EXPECT_EQ(lane.audit(is_newest_state ? Epoch::New : Epoch::Same), "")
        << "a record of kind " << static_cast<int>(record.kind) << ", the " << r << "th of group " << g
        << " of segment " << s << " of " << lane.segments.size();
  }
  for (const RecordKind kind : {RecordKind::Batch, RecordKind::Topic, RecordKind::Trim, RecordKind::LaneState,
                                RecordKind::Run, RecordKind::Commit})
    EXPECT_TRUE(kinds.contains(kind)) << static_cast<int>(kind);
}

TEST(DamagedLane, one_bad_header_is_replaced_by_its_copy) {
  for (std::size_t s = 0; s < DamagedLane().segments.size(); ++s) {
    for (const std::uint64_t at : {0, 2'048}) {
      DamagedLane lane;
      lane.script.files().zero_range(lane.segments[s].path, at, 512);
      EXPECT_EQ(lane.audit(), "") << "segment " << s << ", header at " << at;
    }
  }
}

TEST(DamagedLane, without_both_headers_a_sealed_segment_is_lost_and_nothing_else) {
  for (std::size_t s = 0; s + 1 < DamagedLane().segments.size(); ++s) {
    DamagedLane lane;
    const SegmentAt& segment = lane.segments[s];
    lane.script.files().zero_range(segment.path, 0, 4'096);
    if (segment.first() != 0) lane.script.model().damages(segment.first(), segment.last());
    EXPECT_EQ(lane.audit(), "") << "segment " << s;
  }
}

TEST(DamagedLane, without_both_headers_of_the_newest_segment_a_new_epoch_begins) {
  DamagedLane lane;
  lane.script.files().zero_range(lane.segments.back().path, 0, 4'096);
  lane.script.model().forgets(lane.segments.back().first(), ~Sequence{0});
  EXPECT_EQ(lane.audit(Epoch::New), "");
}

TEST(DamagedLane, a_sealed_segment_that_is_gone_is_said) {
  for (std::size_t s = 0; s + 1 < DamagedLane().segments.size(); ++s) {
    DamagedLane lane;
    const SegmentAt& segment = lane.segments[s];
    if (segment.first() == 0) continue;
    lane.script.files().remove_file(segment.path);
    lane.script.model().damages(segment.first(), segment.last());
    EXPECT_EQ(lane.audit(), "") << "segment " << s;
  }
}

TEST(DamagedLane, a_disk_that_lied_about_the_last_groups_costs_no_number_twice) {
  const std::vector<GroupAt> groups = DamagedLane().segments.back().groups;
  for (std::size_t g = 1; g < groups.size(); ++g) {
    if (groups[g].first == 0) continue;
    DamagedLane lane;
    const SegmentAt& segment = lane.segments.back();
    const std::uint64_t size = lane.script.files().get(segment.path)->size();
    lane.script.files().zero_range(segment.path, groups[g].offset, size - groups[g].offset);
    lane.script.model().forgets(groups[g].first, ~Sequence{0});
    EXPECT_EQ(lane.audit(), "") << "from group " << g;
  }
}

TEST(DamagedLane, a_copied_directory_is_another_history_and_the_original_is_not) {
  LaneScript script;
  ASSERT_TRUE(script.play());
  script.files().copy_directory(script.directory(), "/copy");
  script.files().copy_directory("/copy", "/again");
  LaneModel copied = script.model();
  script.audit();
  EXPECT_EQ(script.wrong(), "") << "the original";
  {
    sim::Choices choices(1);
    LaneLife life(script.world(), "/copy", LaneScript::limits(), 1, copied, choices);
    ASSERT_TRUE(life.open(Epoch::New));
    EXPECT_TRUE(life.declare(script.topics()));
    EXPECT_TRUE(life.read_everything());
    copied.settled();
    EXPECT_NE(copied.identity().epoch, script.model().identity().epoch);
    EXPECT_TRUE(life.stop());
    script.files().kill();
  }
  EXPECT_EQ(copied.wrong(), "") << "the copy";
}

}  // namespace
}  // namespace lane_sim
