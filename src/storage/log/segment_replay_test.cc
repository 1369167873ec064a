// SPDX-License-Identifier: Apache-2.0
#include "storage/log/segment_replay.h"

#include <gtest/gtest.h>

#include "codec/record_batch.h"
#include "storage/log/little_endian.h"
#include "tests/support/sim_world.h"

namespace storage {
namespace {

constexpr char kPath[] = "/log/segment";

// A segment whose commits say what a test wants them to say. It continues commit 10; its lane state is commit 11.
class WrittenSegment {
 public:
  WrittenSegment() {
    header.number = 3;
    header.id = 77;
    header.continues = 10;
    header.continues_crc = 0xabc;
    state.topics = {{0, 0, {}, "a"}};
  }

  void begin() {
    SegmentStart start = encode_segment_start(header, state, next());
    last = start.commit;
    bytes = std::move(start.bytes);
  }
  void events(std::size_t count) { events_at(next_sequence, count); }
  void events_at(Sequence first, std::size_t count) {
    codec::BatchBuilder builder;
    std::string tail;
    codec::append_record_tail(tail, std::nullopt, "value", {});
    builder.start(static_cast<std::int64_t>(first), 0);
    for (std::size_t i = 0; i < count; ++i) builder.add(0, tail);
    const std::vector<std::uint64_t> addresses(count);
    std::string group;
    append_batch_record(group, {1, first, addresses, {}, builder.finish()});
    CommitRecord commit = next();
    commit.first_sequence = first;
    commit.last_sequence = first + count - 1;
    next_sequence = commit.last_sequence + 1;
    append(std::move(group), commit);
  }
  void control() {
    std::string group;
    append_control_record(group, RecordKind::Damage, 0, encode_damage({}));
    append(std::move(group), next());
  }
  void empty() { append({}, next()); }
  void run(Sequence first, Sequence previous_end) {
    std::string group;
    append_control_record(group, RecordKind::Run, 0, encode_run(state, {first, previous_end}));
    next_sequence = first;
    append(std::move(group), next());
  }
  void append(std::string group, CommitRecord commit) {
    offsets.push_back(bytes.size());
    append_commit_room(group);
    last = seal_group(group, header.seed(), commit);
    bytes += group;
  }
  CommitRecord next() const {
    CommitRecord commit;
    commit.number = last.number == 0 ? header.continues + 1 : last.number + 1;
    commit.synced_through = commit.number - 1;
    commit.previous_crc = last.number == 0 ? header.continues_crc : last.crc;
    return commit;
  }
  // A bit of the group with this index, in its records or in its commit.
  void rot(std::size_t group) { bytes[offsets[group] + 20] ^= 1; }
  void rot_commit(std::size_t group) { bytes[end_of(group) - 8] ^= 1; }
  std::uint64_t end_of(std::size_t group) const {
    return group + 1 < offsets.size() ? offsets[group + 1] : bytes.size();
  }

  Replayed replay(ReplayRequest::Applies applies = ReplayRequest::Applies::Everything,
                  CommitNumber until = ~CommitNumber{0}) {
    world.files().put(kPath, bytes);
    const auto file = OpenFile::open(world.world().file_system, kPath, io::OpenMode::ExistingRead).value();
    RepeatWindow repeats(0, 0);
    ReplayRequest request{.file = file, .file_bytes = bytes.size(), .header = header, .state = state};
    request.applies = applies;
    request.until = until;
    if (until != ~CommitNumber{0}) request.proven = until;
    return replay_segment(std::move(request), repeats).value();
  }

  SegmentHeader header;
  LaneState state;
  std::string bytes;
  std::vector<std::uint64_t> offsets;
  CommitRecord last;
  Sequence next_sequence = 1;
  sim::SimWorld world{{.seed = 1}};
};

class SegmentReplayTest : public testing::Test {
 protected:
  SegmentReplayTest() { segment.begin(); }

  WrittenSegment segment;
};

using Ranges = std::vector<DamagedRange>;

TEST_F(SegmentReplayTest, calls_proven_what_a_later_commit_knows_as_synced) {
  segment.events(2);
  segment.events(3);
  const Replayed replayed = segment.replay();
  EXPECT_EQ(replayed.proven.number, 12u);
  EXPECT_EQ(replayed.end_offset, segment.offsets[1]);
  EXPECT_EQ(replayed.index.last_sequence(), 2u);
  EXPECT_EQ(replayed.state.next_sequence, 3u);
  ASSERT_EQ(replayed.unproven.size(), 1u);
  EXPECT_EQ(replayed.unproven[0].group.commit.number, 13u);
  EXPECT_EQ(replayed.last.number, 13u);
  EXPECT_EQ(replayed.torn_bytes, 0u);
}

TEST_F(SegmentReplayTest, proves_nothing_of_a_segment_without_groups_but_what_it_continues) {
  const Replayed replayed = segment.replay();
  EXPECT_EQ(replayed.own_state, Replayed::OwnState::Whole);
  EXPECT_EQ(replayed.proven.number, 10u);
  EXPECT_EQ(replayed.proven.crc, 0xabcu);
  EXPECT_TRUE(replayed.unproven.empty());
}

TEST_F(SegmentReplayTest, ends_with_the_torn_tail_of_what_nobody_proves) {
  segment.events(2);
  segment.empty();
  segment.events(3);
  segment.rot(2);
  const Replayed replayed = segment.replay();
  EXPECT_EQ(replayed.last.number, 13u);
  EXPECT_EQ(replayed.torn_bytes, segment.bytes.size() - segment.offsets[2]);
  EXPECT_TRUE(replayed.damage.empty());
}

// Two groups under way at once would be against the rules: what stands behind a torn one does not count.
TEST_F(SegmentReplayTest, counts_nothing_behind_a_torn_group) {
  segment.events(2);
  segment.events(3);
  segment.rot(1);
  CommitRecord commit = segment.next();
  commit.synced_through = 12;
  segment.append({}, commit);
  const Replayed replayed = segment.replay();
  EXPECT_EQ(replayed.proven.number, 12u);
  EXPECT_TRUE(replayed.unproven.empty());
  EXPECT_EQ(replayed.torn_bytes, segment.bytes.size() - segment.offsets[1]);
  EXPECT_TRUE(replayed.damage.empty());
}

TEST_F(SegmentReplayTest, counts_no_group_whose_link_does_not_fit) {
  segment.events(2);
  CommitRecord commit = segment.next();
  commit.previous_crc ^= 1;
  segment.append({}, commit);
  const Replayed replayed = segment.replay();
  EXPECT_EQ(replayed.last.number, 12u);
  EXPECT_EQ(replayed.torn_bytes, kCommitBytes);
}

TEST_F(SegmentReplayTest, counts_no_group_whose_number_comes_too_early_or_too_late) {
  segment.events(2);
  const CommitRecord good = segment.next();
  for (const CommitNumber number : {CommitNumber{5}, good.number - 1, good.number + 1}) {
    WrittenSegment other;
    other.begin();
    other.events(2);
    CommitRecord commit = other.next();
    commit.number = number;
    other.append({}, commit);
    EXPECT_EQ(other.replay().last.number, 12u) << number;
  }
}

TEST_F(SegmentReplayTest, counts_no_group_whose_sequences_do_not_go_on) {
  segment.events(5);
  segment.events_at(5, 2);
  segment.empty();
  const Replayed replayed = segment.replay();
  EXPECT_EQ(replayed.index.last_sequence(), 5u);
  EXPECT_EQ(replayed.damage.size(), 1u);  // the last commit proves that there was something
}

TEST_F(SegmentReplayTest, takes_no_lane_state_in_the_middle_for_a_group) {
  segment.events(1);
  std::string group;
  append_control_record(group, RecordKind::LaneState, 0, encode_lane_state(LaneState{}));
  segment.append(std::move(group), segment.next());
  EXPECT_EQ(segment.replay().last.number, 12u);
}

// --- what is missing

TEST_F(SegmentReplayTest, knows_the_events_of_a_damaged_group_by_its_commit) {
  segment.events(2);
  segment.events(3);
  segment.empty();
  segment.empty();
  segment.rot(1);
  const Replayed replayed = segment.replay();
  EXPECT_EQ(replayed.damage, (Ranges{{3, 5}}));
  EXPECT_EQ(replayed.state.next_sequence, 6u);
  EXPECT_EQ(replayed.last.number, 15u);
}

TEST_F(SegmentReplayTest, bounds_events_without_a_commit_by_those_behind) {
  segment.events(2);
  segment.events(3);
  segment.control();
  segment.events(1);
  segment.empty();
  segment.rot_commit(1);
  const Replayed replayed = segment.replay();
  EXPECT_EQ(replayed.damage, (Ranges{{3, 5}}));
  EXPECT_EQ(replayed.state.next_sequence, 7u);
}

TEST_F(SegmentReplayTest, bounds_events_without_a_commit_by_the_next_run) {
  segment.events(2);
  segment.events(3);
  segment.run(1'000, 5);
  segment.empty();
  segment.rot_commit(1);
  const Replayed replayed = segment.replay();
  EXPECT_EQ(replayed.damage, (Ranges{{3, 5}}));
  EXPECT_EQ(replayed.state.end(), 5u);
  EXPECT_EQ(replayed.own_run, Replayed::OwnRun::Found);
}

// A few groups cannot have held the events of a whole gap, and what lies between two runs is no event.
TEST_F(SegmentReplayTest, loses_no_more_over_a_run_that_is_lost_than_there_was_room_for) {
  constexpr Sequence kRun = Sequence{1} << 40;
  segment.begin();
  segment.events(3);
  segment.events(2);
  segment.run(kRun, 5);
  segment.events(2);
  segment.events(4);
  segment.empty();
  for (const std::size_t group : {1u, 2u, 3u}) {
    segment.rot(group);
    segment.rot_commit(group);
  }
  const Replayed replayed = segment.replay();
  ASSERT_EQ(replayed.damage.size(), 2u);
  const Sequence events_max = (segment.end_of(3) - segment.offsets[1]) / 15;
  EXPECT_EQ(replayed.damage[0], (DamagedRange{4, 3 + events_max}));
  EXPECT_EQ(replayed.damage[1], (DamagedRange{kRun + 1 - events_max, kRun + 1}));
  EXPECT_FALSE(replayed.state.is_between_runs(replayed.damage[0].last));
  EXPECT_TRUE(replayed.state.is_between_runs(kRun / 2));
  EXPECT_EQ(replayed.state.next_sequence, kRun + 6);
}

TEST_F(SegmentReplayTest, bounds_events_by_what_is_not_proven_yet) {
  segment.events(2);
  segment.events(3);
  segment.events(1);
  segment.rot_commit(1);
  const Replayed replayed = segment.replay();
  EXPECT_EQ(replayed.damage, (Ranges{{3, 5}}));
  EXPECT_EQ(replayed.unproven.size(), 1u);
}

TEST_F(SegmentReplayTest, loses_no_event_with_a_group_that_has_none) {
  segment.events(2);
  segment.control();
  segment.control();
  segment.events(1);
  segment.empty();
  segment.rot(1);
  segment.rot_commit(2);
  const Replayed replayed = segment.replay();
  EXPECT_TRUE(replayed.damage.empty());
  EXPECT_EQ(replayed.findings.size(), 1u);
  EXPECT_EQ(replayed.index.last_sequence(), 3u);
  EXPECT_EQ(segment.replay(ReplayRequest::Applies::Sequences).findings.size(), 0u);
}

TEST_F(SegmentReplayTest, finds_several_damages) {
  for (int i = 0; i < 6; ++i) segment.events(2);
  segment.empty();
  segment.rot(1);
  segment.rot_commit(3);
  segment.rot(5);
  EXPECT_EQ(segment.replay().damage, (Ranges{{3, 4}, {7, 8}, {11, 12}}));
}

TEST_F(SegmentReplayTest, goes_on_if_its_own_lane_state_is_damaged) {
  segment.events(2);
  segment.events(3);
  segment.bytes[kFirstGroupAt + 30] ^= 1;
  const Replayed replayed = segment.replay();
  EXPECT_EQ(replayed.own_state, Replayed::OwnState::Damaged);
  EXPECT_EQ(replayed.proven.number, 12u);
  EXPECT_EQ(replayed.unproven.size(), 1u);
  EXPECT_TRUE(replayed.damage.empty());
  EXPECT_TRUE(replayed.findings.empty());
}

TEST_F(SegmentReplayTest, gives_no_offset_out_again_that_a_lost_event_may_have_had) {
  segment.events(2);
  segment.events(3);
  segment.empty();
  segment.empty();
  segment.rot(1);
  EXPECT_EQ(segment.replay().state.topics.at(0).next_offset, 3 + 3);
}

// --- where a segment ends

TEST_F(SegmentReplayTest, looks_at_nothing_behind_the_commit_at_which_its_successor_continues) {
  segment.events(2);
  segment.events(3);
  segment.rot(1);
  segment.events(1);
  segment.empty();
  const Replayed replayed = segment.replay(ReplayRequest::Applies::Sequences, 12);
  EXPECT_EQ(replayed.last.number, 12u);
  EXPECT_TRUE(replayed.damage.empty());
  EXPECT_TRUE(replayed.unproven.empty());
}

TEST_F(SegmentReplayTest, counts_the_copies_that_the_header_announces) {
  WrittenSegment recovered;
  recovered.header.kind = SegmentKind::Recovery;
  recovered.header.copies = 2;
  recovered.begin();
  recovered.events(1);
  recovered.events(1);
  recovered.run(1'000, 2);
  const Replayed whole = recovered.replay();
  EXPECT_EQ(whole.copies, 2u);
  EXPECT_EQ(whole.own_run, Replayed::OwnRun::Found);
  EXPECT_EQ(whole.newest_known_synced, 13u);
  recovered.rot(0);
  EXPECT_EQ(recovered.replay().copies, 1u);
}

TEST_F(SegmentReplayTest, returns_an_error_for_a_whole_group_that_makes_no_sense) {
  std::string group;
  append_control_record(group, RecordKind::Topic, 1, "short");
  segment.append(std::move(group), segment.next());
  segment.empty();
  segment.world.files().put(kPath, segment.bytes);
  const auto file = OpenFile::open(segment.world.world().file_system, kPath, io::OpenMode::ExistingRead).value();
  RepeatWindow repeats(0, 0);
  const auto replayed = replay_segment(
      {.file = file, .file_bytes = segment.bytes.size(), .header = segment.header, .state = segment.state}, repeats);
  ASSERT_FALSE(replayed);
  EXPECT_EQ(replayed.error().code, base::Errc::BadInput);
}

}  // namespace
}  // namespace storage
