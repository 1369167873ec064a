// SPDX-License-Identifier: Apache-2.0
#include "storage/log/sealed_segment.h"

#include <gtest/gtest.h>

#include "tests/support/lane_directory.h"

namespace storage {
namespace {

class SealedSegmentTest : public testing::Test {
 protected:
  // One sealed segment, as its successor's manifest names it.
  void seal(TestLane::Footer footer) {
    lane.must_start();
    lane.declare("a");
    lane.publish(1, 2, {11});
    lane.lane_time_ns = 2'000;
    lane.publish(1, 3, {12, 13});
    lane.rotate(footer);
    end = lane.state().manifest.at(0);
    name = segment_name(end.number);
  }
  SealedReading read(RepeatWindow& repeats) {
    SegmentFile file = open_segment_file(directory, name, io::OpenMode::ExistingRead).value();
    return read_sealed_segment(file, end, {}, repeats).value();
  }

  sim::SimWorld world{{.seed = 1}};
  TestLane lane{world};
  Directory directory{world.world().file_system, kTestDirectory};
  ManifestEntry end;
  std::string name;
};

TEST_F(SealedSegmentTest, is_the_same_by_its_footer_and_by_a_scan) {
  for (const auto footer : {TestLane::Footer::Yes, TestLane::Footer::No}) {
    sim::SimWorld other({.seed = 1});
    TestLane sealed(other);
    sealed.must_start();
    sealed.declare("a");
    sealed.publish(1, 2, {11});
    sealed.publish(1, 3, {12, 13});
    sealed.rotate(footer);
    const Directory where(other.world().file_system, kTestDirectory);
    SegmentFile file = open_segment_file(where, segment_name(1), io::OpenMode::ExistingRead).value();
    RepeatWindow repeats(10'000, 10);
    const SealedReading reading = read_sealed_segment(file, sealed.state().manifest.at(0), {}, repeats).value();
    ASSERT_TRUE(reading.segment);
    EXPECT_EQ(reading.segment->footer == OpenSegment::Footer::Whole, footer == TestLane::Footer::Yes);
    EXPECT_EQ(reading.segment->index.first_sequence(), 1u);
    EXPECT_EQ(reading.segment->index.last_sequence(), 5u);
    EXPECT_EQ(reading.segment->end_offset, sealed.groups.back().offset + sealed.groups.back().bytes);
    EXPECT_EQ(reading.segment->end.last_commit, sealed.groups.back().commit.number);
    EXPECT_EQ(repeats.take().size(), 3u);
  }
}

TEST_F(SealedSegmentTest, reads_little_of_one_with_a_footer) {
  seal(TestLane::Footer::Yes);
  const std::uint64_t before = world.files().calls(sim::SimFiles::Kind::ReadAt);
  RepeatWindow repeats(10'000, 0);
  EXPECT_TRUE(read(repeats).segment);
  EXPECT_LE(world.files().calls(sim::SimFiles::Kind::ReadAt) - before, 3u);
}

TEST_F(SealedSegmentTest, takes_only_ids_of_the_window_from_a_footer) {
  seal(TestLane::Footer::Yes);
  RepeatWindow repeats(500, 10, 2'100);
  EXPECT_TRUE(read(repeats).segment);
  EXPECT_EQ(repeats.take().size(), 2u);
}

// Its successor continues earlier than the footer believes: what stands behind is superseded.
TEST_F(SealedSegmentTest, scans_if_the_footer_ends_elsewhere_than_the_manifest_says) {
  seal(TestLane::Footer::Yes);
  const CommitRecord commit = lane.groups.at(1).commit;
  end.last_commit = commit.number;
  end.last_commit_crc = commit.crc;
  end.last_sequence = 2;
  RepeatWindow repeats(10'000, 10);
  const SealedReading reading = read(repeats);
  ASSERT_TRUE(reading.segment);
  EXPECT_EQ(reading.segment->footer, OpenSegment::Footer::Missing);
  EXPECT_EQ(reading.segment->index.last_sequence(), 2u);
  EXPECT_TRUE(reading.damage.empty());
  EXPECT_EQ(repeats.take().size(), 1u);
}

TEST_F(SealedSegmentTest, says_what_the_manifest_knows_and_the_file_lacks) {
  seal(TestLane::Footer::No);
  lane.close();
  world.files().truncate_file(lane.groups.at(2).path, lane.groups.at(2).offset + 10);
  RepeatWindow repeats(0, 0);
  const SealedReading reading = read(repeats);
  ASSERT_TRUE(reading.segment);
  EXPECT_EQ(reading.damage, (std::vector<DamagedRange>{{3, 5}}));
  EXPECT_EQ(reading.findings.size(), 1u);
}

// Puts another file in the place of each that was opened, once.
class ReplacingFileSystem final : public io::FileSystem {
 public:
  ReplacingFileSystem(io::FileSystem& real, std::string by) : real_(real), by_(std::move(by)) {}
  base::Result<std::string> read_file(const std::string& path, std::uint64_t bytes_max) override {
    return real_.read_file(path, bytes_max);
  }
  base::Result<io::FileReply> carry_out(const io::FileRequest& request) override {
    auto reply = real_.carry_out(request);
    if (request.kind != io::FileRequest::Kind::Open || by_.empty()) return reply;
    static_cast<void>(
        real_.carry_out({.kind = io::FileRequest::Kind::Rename, .path = std::exchange(by_, {}), .to = request.path}));
    return reply;
  }

 private:
  io::FileSystem& real_;
  std::string by_;
};

TEST_F(SealedSegmentTest, has_the_size_and_the_content_of_one_file_if_another_takes_its_place) {
  seal(TestLane::Footer::Yes);
  const std::string before = *world.files().get(directory.path_of(name));
  world.files().put(directory.path_of("new"), before + std::string(8'000, '\0'));
  ReplacingFileSystem replacing(world.world().file_system, directory.path_of("new"));
  const auto opened = open_segment_file(Directory(replacing, kTestDirectory), name, io::OpenMode::ExistingRead);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->bytes, before.size() + 8'000);
  EXPECT_EQ(opened->file.read(0, 1 << 20)->size(), opened->bytes);
}

}  // namespace
}  // namespace storage
