// SPDX-License-Identifier: Apache-2.0
#include "storage/log/tools/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/log/tools/fork.h"
#include "tests/support/lane_directory.h"
#include "tests/support/rewritten_segment.h"

namespace storage {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class VerifyTest : public testing::Test {
 protected:
  VerifyTest() {
    lane.must_start();
    lane.declare("likes/*");
    lane.declare("orders");
    lane.declare("quiet");
  }

  Verification run() {
    lane.close();
    const auto opened = open_stopped_lane(world.world().file_system, lane.path());
    EXPECT_TRUE(opened) << opened.error().text;
    std::uint64_t last = 0;
    auto verified = verify(*opened, [&](std::uint64_t done, std::uint64_t all) {
      EXPECT_LE(last, done);
      EXPECT_LE(done, all);
      last = done;
    });
    EXPECT_TRUE(verified) << verified.error().text;
    EXPECT_EQ(last, verified->bytes) << "the progress comes to its end";
    return *verified;
  }
  // "topic: at most n", for each topic of each damage.
  static std::vector<std::string> losses(const Verification& verified) {
    std::vector<std::string> found;
    for (const VerifiedDamage& damage : verified.damage) {
      for (const LostEvents& lost : damage.lost) {
        found.push_back(std::to_string(lost.topic) + ": " + std::to_string(lost.events_max));
      }
    }
    return found;
  }
  static std::string all_of(const Verification& verified) {
    std::string all;
    for (const auto* sentences : {&verified.places, &verified.faults}) {
      for (const std::string& sentence : *sentences) all += sentence + "\n";
    }
    return all;
  }
  void rewrite(SegmentNumber number) { rewrite_segment(world, lane, number); }
  void flip(const WrittenGroup& group, std::uint64_t at) { files.flip_bit(group.path, group.offset + at, 3); }

  sim::SimWorld world{{.seed = 3}};
  sim::SimFiles& files = world.files();
  TestLane lane{world};
};

TEST_F(VerifyTest, finds_nothing_in_what_recovery_and_the_writer_have_written) {
  for (int life = 0; life < 4; ++life) {
    for (int i = 0; i < 6; ++i) {
      lane.publish(1, 3, {static_cast<std::uint64_t>(life * 10 + i + 1)});
      lane.publish(2, 2, {}, 30'000);
      if (i % 2 == 1) lane.rotate(i % 3 == 0 ? TestLane::Footer::Yes : TestLane::Footer::No);
    }
    lane.publish(2);
    if (life == 1) {
      lane.close();  // as if it was killed: the next start copies the newest group
    } else {
      lane.stop();
    }
    const Verification verified = run();
    EXPECT_TRUE(verified.is_sound()) << all_of(verified);
    EXPECT_EQ(verified.events, lane.written.size());
    EXPECT_GT(verified.footers, 0u);
    lane.must_start();
  }
}

TEST_F(VerifyTest, a_new_epoch_is_no_finding) {
  lane.publish(1, 3);
  lane.stop();
  ASSERT_TRUE(fork_lane(world.world().file_system, lane.path()));
  lane.must_start();
  lane.publish(1, 3);
  lane.stop();
  const Verification verified = run();
  EXPECT_TRUE(verified.is_sound()) << all_of(verified);
}

TEST_F(VerifyTest, names_the_topics_of_damage_in_a_sealed_segment) {
  lane.publish(1, 4);
  const WrittenGroup hit = lane.publish(2, 3);  // 5 to 7
  lane.publish(1, 2);
  lane.publish(2, 2);
  lane.rotate(TestLane::Footer::Yes);
  lane.publish(1, 1);
  lane.stop();
  flip(hit, 70);
  const Verification verified = run();
  ASSERT_THAT(verified.damage, SizeIs(1));
  EXPECT_EQ(verified.damage[0].range, (DamagedRange{5, 7}));
  EXPECT_THAT(losses(verified), ElementsAre("2: 3"));
  ASSERT_THAT(verified.places, SizeIs(1));
  EXPECT_THAT(verified.places[0], HasSubstr("events 5 to 7 cannot be read"));
  EXPECT_THAT(verified.faults, IsEmpty());
  EXPECT_EQ(verified.events, lane.written.size() - 3);
}

TEST_F(VerifyTest, names_every_topic_that_lost_something) {
  lane.publish(1, 4);
  const WrittenGroup first = lane.publish(2, 3);   // 5 to 7
  const WrittenGroup second = lane.publish(1, 2);  // 8, 9
  lane.publish(1, 1);
  lane.publish(2, 1);
  lane.publish(3, 1);
  lane.rotate(TestLane::Footer::Yes);
  lane.stop();
  flip(first, 70);
  flip(second, 70);
  const Verification verified = run();
  EXPECT_THAT(losses(verified), testing::UnorderedElementsAre("1: 2", "2: 3"));
}

TEST_F(VerifyTest, knows_the_topic_of_the_last_events_from_the_next_segment) {
  lane.publish(1, 4);
  const WrittenGroup hit = lane.publish(2, 3);
  lane.rotate(TestLane::Footer::Yes);
  lane.publish(1, 1);
  lane.rotate(TestLane::Footer::Yes);
  lane.stop();
  flip(hit, 70);
  const Verification verified = run();
  ASSERT_THAT(verified.damage, SizeIs(1));
  EXPECT_EQ(verified.damage[0].range, (DamagedRange{5, 7}));
  EXPECT_THAT(losses(verified), ElementsAre("2: 3"));
}

TEST_F(VerifyTest, finds_again_what_a_start_has_found_and_quarantined) {
  lane.publish(1, 4);
  const WrittenGroup hit = lane.publish(2, 3);
  lane.publish(2, 1);
  lane.stop();
  flip(hit, 70);
  lane.must_start();
  lane.publish(1, 1);
  lane.stop();
  lane.must_start();
  lane.stop();
  const Verification verified = run();
  ASSERT_THAT(verified.damage, SizeIs(1));
  EXPECT_EQ(verified.damage[0].range, (DamagedRange{5, 7}));
  EXPECT_THAT(losses(verified), ElementsAre("2: 3"));
  EXPECT_THAT(verified.faults, IsEmpty());
}

TEST_F(VerifyTest, knows_the_topic_of_an_event_between_others_of_it) {
  for (int i = 0; i < 5; ++i) lane.publish(2);
  lane.publish(1);
  lane.stop();
  flip(lane.groups[lane.groups.size() - 5], 70);
  const Verification verified = run();
  ASSERT_THAT(verified.damage, SizeIs(1));
  EXPECT_EQ(verified.damage[0].range, (DamagedRange{3, 3}));
  EXPECT_THAT(losses(verified), ElementsAre("2: 1"));
}

TEST_F(VerifyTest, guesses_no_topic_where_it_knows_all_of_them) {
  lane.publish(1, 4);
  const WrittenGroup hit = lane.publish(2, 3);
  lane.publish(2, 1);
  lane.stop();
  flip(hit, 70);
  EXPECT_THAT(losses(run()), ElementsAre("2: 3"));
}

TEST_F(VerifyTest, names_every_topic_that_may_have_lost_something_if_it_knows_none) {
  lane.publish(1, 4);
  const WrittenGroup hit = lane.publish(2, 3);
  lane.stop();
  flip(hit, 70);
  EXPECT_THAT(losses(run()), testing::UnorderedElementsAre("1: 3", "2: 3", "3: 3"));
}

TEST_F(VerifyTest, finds_a_segment_that_is_missing_and_whose_events_it_held) {
  lane.publish(1, 4);
  lane.rotate(TestLane::Footer::Yes);
  const std::string path = lane.newest_path();
  lane.publish(2, 3);
  lane.publish(1, 1);
  lane.rotate(TestLane::Footer::Yes);
  lane.publish(1, 1);
  lane.rotate();
  lane.stop();
  files.remove_file(path);
  const Verification verified = run();
  ASSERT_THAT(verified.damage, SizeIs(1));
  EXPECT_EQ(verified.damage[0].range, (DamagedRange{5, 8}));
  EXPECT_THAT(losses(verified), testing::UnorderedElementsAre("1: 1", "2: 3"));
  EXPECT_THAT(all_of(verified), HasSubstr("is missing"));
}

TEST_F(VerifyTest, calls_every_bit_of_a_wrong_footer_a_fault_and_no_damage) {
  for (TopicId i = 0; i < 20; ++i) lane.publish(1 + i % 2, 3, {std::uint64_t{i} + 1}, 9'000);
  const std::string path = lane.newest_path();
  const std::uint64_t groups_end = lane.recovered().segments.back().end_offset;
  lane.rotate(TestLane::Footer::Yes);
  lane.stop();
  const std::uint64_t size = files.get(path)->size();
  EXPECT_TRUE(run().is_sound());
  for (std::uint64_t at = groups_end; at < size - kFooterTrailerBytes; at += 1 + (size - groups_end) / 97) {
    files.flip_bit(path, at, 5);
    const Verification verified = run();
    EXPECT_THAT(verified.faults, SizeIs(1)) << at;
    EXPECT_THAT(verified.damage, IsEmpty());
    EXPECT_THAT(verified.places, IsEmpty());
    EXPECT_EQ(verified.events, lane.written.size());
    files.flip_bit(path, at, 5);
  }
}

TEST_F(VerifyTest, compares_a_footer_whose_checksums_are_right_with_what_the_groups_say) {
  lane.publish(1, 3);
  const SegmentHeader header = lane.recovered().segments.back().header;
  const std::string path = lane.newest_path();
  const std::uint64_t groups_end = lane.recovered().segments.back().end_offset;
  lane.rotate(TestLane::Footer::Yes);
  lane.stop();
  const std::string whole = *files.get(path);
  const auto trailer =
      parse_footer_trailer(base::Bytes(whole).substr(whole.size() - kFooterTrailerBytes), header, whole.size());
  ASSERT_TRUE(trailer);
  const auto index = read_footer_index(base::Bytes(whole).substr(trailer->index.offset, trailer->index.bytes), *trailer,
                                       header.seed());
  ASSERT_TRUE(index);
  CommitRecord last;
  last.number = trailer->last_commit;
  last.crc = trailer->last_commit_crc;
  const SegmentRepeats no_repeats;
  const AddressIndex no_addresses;
  FooterWriter without_addresses({header, last, *index, no_repeats, no_addresses});
  files.put(path, whole.substr(0, groups_end) + without_addresses.next(1u << 30));
  EXPECT_THAT(run().faults, ElementsAre(HasSubstr("addresses")));
}

TEST_F(VerifyTest, a_torn_tail_is_no_finding) {
  lane.publish(1, 3);
  lane.stop();
  const std::string path = lane.groups.back().path;
  files.put(path, *files.get(path) + std::string("half a write"));
  const Verification verified = run();
  EXPECT_TRUE(verified.is_sound()) << all_of(verified);
}

TEST_F(VerifyTest, what_was_trimmed_and_removed_is_not_missed) {
  lane.publish(1, 4);  // 1 to 4
  lane.rotate(TestLane::Footer::Yes);
  const std::string path = lane.newest_path();
  lane.publish(2, 3);  // 5 to 7
  lane.rotate(TestLane::Footer::Yes);
  lane.publish(1, 1);
  lane.publish(2, 1);
  std::vector<ManifestEntry> manifest = lane.state().manifest;
  manifest.erase(manifest.begin() + 1);
  lane.trim(2, 7);
  lane.control(RecordKind::Segments, encode_manifest(manifest));
  lane.stop();
  files.remove_file(path);
  const Verification verified = run();
  EXPECT_TRUE(verified.is_sound()) << all_of(verified);
}

TEST_F(VerifyTest, a_segment_that_retention_has_rewritten_is_sound) {
  lane.publish(2, 2);  // 1, 2
  lane.publish(1, 3);
  lane.rotate(TestLane::Footer::Yes);
  lane.publish(2, 3);  // 6 to 8
  lane.publish(1, 2);  // 9, 10
  lane.publish(2, 1);  // 11
  lane.publish(3, 1);
  lane.rotate(TestLane::Footer::Yes);
  lane.publish(1, 2);
  lane.publish(2, 1);
  lane.trim(2, 9);
  rewrite(2);
  lane.stop();
  Verification verified = run();
  EXPECT_TRUE(verified.is_sound()) << all_of(verified);
  EXPECT_EQ(verified.events, lane.written.size() - 3);
  EXPECT_EQ(verified.footers, 2u);
  // Now it is the oldest.
  files.remove_file(lane.path() + "/" + segment_name(1));
  verified = run();
  EXPECT_THAT(verified.faults, IsEmpty());
  ASSERT_THAT(verified.damage, SizeIs(1));
  EXPECT_EQ(verified.damage[0].range, (DamagedRange{1, 5}));
}

TEST_F(VerifyTest, names_the_topics_of_damage_in_a_rewritten_segment) {
  lane.publish(1, 3);
  lane.publish(2, 1);  // 4
  lane.publish(2, 2);  // 5, 6
  lane.publish(1, 1);
  lane.publish(2, 1);
  lane.rotate(TestLane::Footer::Yes);
  lane.publish(1, 2);
  lane.trim(1, 3);
  rewrite(1);
  lane.stop();
  const std::string path = lane.path() + "/" + segment_name(1);
  const std::string content = *files.get(path);
  const SegmentHeader header = parse_segment_start(content).value();
  const auto file = OpenFile::open(world.world().file_system, path, io::OpenMode::ExistingRead);
  SegmentScan scan(*file, content.size(), header.seed());
  ASSERT_TRUE(scan.next() && scan.next());
  const auto third = scan.next();  // behind the lane state and event 4
  const ScannedGroup& hit = std::get<ScannedGroup>(*third);
  ASSERT_EQ(hit.group.commit.first_sequence, 5u);
  files.flip_bit(path, hit.offset + 70, 1);
  const Verification verified = run();
  ASSERT_THAT(verified.damage, SizeIs(1)) << all_of(verified);
  EXPECT_EQ(verified.damage[0].range, (DamagedRange{5, 6}));
  EXPECT_THAT(losses(verified), ElementsAre("2: 2"));
}

TEST_F(VerifyTest, takes_nothing_between_two_runs_of_a_rewritten_segment_for_damage) {
  lane.publish(2, 3);
  lane.publish(2, 2);  // 4 and 5, which the next start copies
  lane.must_start();
  const SegmentNumber number = lane.state().manifest.empty() ? 2 : lane.state().manifest.back().number + 1;
  const Sequence run_first = lane.state().next_sequence;
  lane.publish(2, 2);
  lane.publish(2, 1);
  lane.rotate(TestLane::Footer::Yes);
  lane.publish(1, 1);
  rewrite(number);
  lane.stop();
  const std::string path = lane.path() + "/" + segment_name(number);
  const std::string content = *files.get(path);
  const auto file = OpenFile::open(world.world().file_system, path, io::OpenMode::ExistingRead);
  SegmentScan scan(*file, content.size(), parse_segment_start(content)->seed());
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  for (auto step = scan.next(); const auto* scanned = std::get_if<ScannedGroup>(&*step); step = scan.next()) {
    if (scanned->group.commit.first_sequence == 4) begin = scanned->offset;
    if (scanned->group.commit.first_sequence == run_first) end = scanned->offset + scanned->group.bytes();
  }
  ASSERT_LT(begin, end);
  files.zero_range(path, begin, end - begin);
  const Verification verified = run();
  ASSERT_THAT(verified.damage, SizeIs(2)) << all_of(verified);
  EXPECT_EQ(verified.damage[0].range, (DamagedRange{4, 5}));
  EXPECT_EQ(verified.damage[1].range, (DamagedRange{run_first, run_first + 1}));
}

TEST_F(VerifyTest, events_that_are_missing_without_a_reason_are_a_fault) {
  lane.publish(1, 4);
  lane.rotate(TestLane::Footer::Yes);
  const std::string path = lane.newest_path();
  lane.publish(2, 3);
  lane.rotate(TestLane::Footer::Yes);
  lane.publish(2, 1);
  std::vector<ManifestEntry> manifest = lane.state().manifest;
  manifest.erase(manifest.begin() + 1);
  lane.control(RecordKind::Segments, encode_manifest(manifest));
  lane.stop();
  files.remove_file(path);
  EXPECT_THAT(run().faults, ElementsAre(HasSubstr("up to 3 events of `orders` are missing")));
}

TEST_F(VerifyTest, every_flipped_bit_of_a_group_is_found) {
  const WrittenGroup group = lane.publish(1, 2);
  const std::string path = lane.newest_path();
  const std::string bytes = files.get(path)->substr(group.offset, group.bytes);
  // Zeros that fill a record up to a multiple of 8 say nothing, and no checksum covers those of a batch.
  const std::size_t records_end = bytes.size() - kCommitBytes;
  const std::size_t padding_at = records_end - static_cast<std::size_t>(bytes[9]);
  lane.publish(1, 1);
  lane.rotate(TestLane::Footer::Yes);
  lane.publish(1, 1);
  lane.stop();
  ASSERT_TRUE(run().is_sound());
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    if (at >= padding_at && at < records_end) continue;
    files.flip_bit(path, group.offset + at, static_cast<unsigned>(at % 8));
    EXPECT_THAT(run().damage, SizeIs(1)) << at;
    files.flip_bit(path, group.offset + at, static_cast<unsigned>(at % 8));
  }
}

TEST_F(VerifyTest, a_lane_state_that_is_not_what_came_before_it_is_a_fault) {
  lane.publish(1, 3);
  lane.rotate();
  const OpenSegment& newest = lane.recovered().segments.back();
  LaneState state = lane.state();
  state.topics[0].complete_after = 2;
  CommitRecord commit;
  commit.number = newest.header.continues + 1;
  commit.synced_through = newest.header.continues;
  commit.previous_crc = newest.header.continues_crc;
  files.put(newest.path, encode_segment_start(newest.header, state, commit).bytes);
  lane.forget();
  files.kill();
  lane.must_start();
  lane.publish(1, 1);
  lane.stop();
  const Verification verified = run();
  EXPECT_THAT(verified.faults, ElementsAre(HasSubstr("the lane state at its front"))) << all_of(verified);
}

TEST_F(VerifyTest, sectors_that_cannot_be_read_are_damage_and_every_other_failure_is_an_error) {
  lane.publish(1, 2);
  lane.rotate(TestLane::Footer::Yes);
  lane.stop();
  lane.close();
  const auto opened = open_stopped_lane(world.world().file_system, lane.path());
  ASSERT_TRUE(opened);
  files.fail_kind(sim::SimFiles::Kind::ReadAt, 1, {base::Errc::System, "cannot read a file", ENOMEM});
  const auto verified = verify(*opened, [](std::uint64_t, std::uint64_t) {});
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().sys_errno, ENOMEM);
}

}  // namespace
}  // namespace storage
