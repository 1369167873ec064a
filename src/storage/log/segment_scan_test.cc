// SPDX-License-Identifier: Apache-2.0
#include "storage/log/segment_scan.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "storage/log/little_endian.h"
#include "tests/support/sim_world.h"

namespace storage {
namespace {

constexpr char kPath[] = "/log/segment";
constexpr std::uint64_t kId = 99;

// A group of one record of about so many bytes.
std::string group_of(CommitNumber number, std::size_t body_bytes, std::uint64_t id = kId, char fill = 'x') {
  std::string group;
  append_control_record(group, RecordKind::Trim, 0, std::string(body_bytes, fill));
  append_commit_room(group);
  seal_group(group, Seed(id), {.number = number, .first_sequence = number * 10, .last_sequence = number * 10 + 1});
  return group;
}

// What a scan of a file said, in a form to compare.
struct Scanned {
  std::vector<CommitNumber> groups;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> damage;  // offset, bytes
  std::vector<CommitNumber> damaged_commits;
  ScanEnd end;
  std::uint64_t unreadable_bytes = 0;
};

class SegmentScanTest : public testing::Test {
 protected:
  void put(base::Bytes groups) { world.files().put(kPath, std::string(kFirstGroupAt, 'h') + std::string(groups)); }

  Scanned scan() {
    Scanned scanned;
    auto file = OpenFile::open(world.world().file_system, kPath, io::OpenMode::ExistingRead).value();
    SegmentScan scan(file, world.files().get(kPath)->size(), Seed(kId));
    while (true) {
      ScanStep step = scan.next().value();
      if (auto* end = std::get_if<ScanEnd>(&step)) {
        scanned.end = std::move(*end);
        scanned.unreadable_bytes = scan.unreadable_bytes();
        return scanned;
      }
      if (const auto* group = std::get_if<ScannedGroup>(&step)) {
        scanned.groups.push_back(group->group.commit.number);
        continue;
      }
      const auto& damage = std::get<ScannedDamage>(step);
      scanned.damage.emplace_back(damage.offset, damage.bytes);
      for (const CommitRecord& commit : damage.commits) scanned.damaged_commits.push_back(commit.number);
    }
  }

  sim::SimWorld world{{.seed = 1}};
};

using Numbers = std::vector<CommitNumber>;
using Places = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

TEST_F(SegmentScanTest, finds_every_group_and_the_end) {
  const std::string groups = group_of(1, 10) + group_of(2, 0) + group_of(3, 1'000);
  for (const std::size_t zeros : {0u, 7u, 16u, 100'000u}) {
    put(groups + std::string(zeros, '\0'));
    const Scanned scanned = scan();
    EXPECT_EQ(scanned.groups, (Numbers{1, 2, 3}));
    EXPECT_TRUE(scanned.damage.empty());
    EXPECT_EQ(scanned.end.offset, kFirstGroupAt + groups.size());
    EXPECT_EQ(scanned.end.bytes, 0u);
  }
}

TEST_F(SegmentScanTest, finds_no_group_in_a_file_that_ends_before_the_first) {
  world.files().put(kPath, "short");
  EXPECT_TRUE(scan().groups.empty());
  put("");
  EXPECT_TRUE(scan().groups.empty());
}

TEST_F(SegmentScanTest, keeps_the_bytes_of_a_group_for_whoever_wants_them) {
  put(group_of(1, 100) + group_of(2, 9u << 20));
  std::vector<ScannedGroup> kept;
  {
    auto file = OpenFile::open(world.world().file_system, kPath, io::OpenMode::ExistingRead).value();
    SegmentScan scan(file, world.files().get(kPath)->size(), Seed(kId));
    for (int i = 0; i < 2; ++i) kept.push_back(std::get<ScannedGroup>(scan.next().value()));
  }
  EXPECT_EQ(kept[0].offset, kFirstGroupAt);
  EXPECT_EQ(kept[0].group.records.substr(kRecordHeaderBytes, 100), std::string(100, 'x'));
  EXPECT_EQ(kept[1].group.records.substr(kRecordHeaderBytes, 9u << 20), std::string(9u << 20, 'x'));
}

TEST_F(SegmentScanTest, walks_groups_across_windows_and_larger_than_one) {
  std::string groups;
  Numbers numbers;
  for (CommitNumber number = 1; number <= 60; ++number) {
    groups += group_of(number, number % 20 == 0 ? kScanWindowBytes + number * 1'000 : number * 7'919);
    numbers.push_back(number);
  }
  put(groups);
  const std::uint64_t before = world.files().calls(sim::SimFiles::Kind::ReadAt);
  EXPECT_EQ(scan().groups, numbers);
  EXPECT_LT(world.files().calls(sim::SimFiles::Kind::ReadAt) - before, 3 * groups.size() / kScanWindowBytes + 10);
}

// --- damage

TEST_F(SegmentScanTest, goes_on_behind_a_damaged_group) {
  const std::string damaged = group_of(2, 1'000);
  for (std::size_t byte = 0; byte < damaged.size(); byte += 3) {
    std::string wrong = damaged;
    wrong[byte] = static_cast<char>(wrong[byte] ^ 4);
    put(group_of(1, 10) + wrong + group_of(3, 10));
    const Scanned scanned = scan();
    ASSERT_EQ(scanned.groups, (Numbers{1, 3})) << byte;
    EXPECT_EQ(scanned.damage, (Places{{kFirstGroupAt + group_of(1, 10).size(), damaged.size()}}));
    // Its commit says what it was, unless that is damaged itself.
    EXPECT_EQ(scanned.damaged_commits, byte < damaged.size() - kCommitBytes ? Numbers{2} : Numbers{});
  }
}

TEST_F(SegmentScanTest, finds_the_next_group_at_every_multiple_of_8) {
  for (std::size_t junk = 8; junk <= 200; junk += 8) {
    for (const char fill : {'\0', 'j'}) {
      put(group_of(1, 10) + std::string(junk, fill) + group_of(2, 10));
      const Scanned scanned = scan();
      EXPECT_EQ(scanned.groups, (Numbers{1, 2}));
      EXPECT_EQ(scanned.damage, (Places{{kFirstGroupAt + group_of(1, 10).size(), junk}}));
    }
  }
}

TEST_F(SegmentScanTest, finds_the_next_group_over_windows_of_damage) {
  const std::uint64_t first_bytes = group_of(1, 10).size();
  for (const std::size_t junk : {kScanWindowBytes - first_bytes - 40, kScanWindowBytes, 3 * kScanWindowBytes + 72}) {
    put(group_of(1, 10) + std::string(junk, 'j') + group_of(2, 6u << 20) + group_of(3, 10));
    const Scanned scanned = scan();
    EXPECT_EQ(scanned.groups, (Numbers{1, 2, 3}));
    EXPECT_EQ(scanned.damage, (Places{{kFirstGroupAt + first_bytes, junk}}));
  }
}

TEST_F(SegmentScanTest, reads_no_more_for_a_damaged_length_than_the_file) {
  for (const std::uint32_t length : {16u, 1'024u, 1u << 20, 0x7fff'fff8u, 0xffff'fff8u}) {
    std::string wrong = group_of(1, 1'000);
    store_le(wrong.data() + 4, length);
    put(wrong + group_of(2, 10) + std::string(2u << 20, '\0'));
    EXPECT_EQ(scan().groups, Numbers{2});
  }
}

// A payload cannot make a scan try what it says: only a commit under the segment's own seed leads anywhere.
TEST_F(SegmentScanTest, takes_nothing_in_a_payload_for_a_group) {
  std::string imitation;
  for (int i = 0; i < 2'000; ++i) {
    append_control_record(imitation, RecordKind::Trim, 0, std::string(1'000, 'y'));
    imitation += group_of(9, 100, kId + 1);
  }
  std::string damaged;
  append_control_record(damaged, RecordKind::Trim, 0, imitation);
  append_commit_room(damaged);
  seal_group(damaged, Seed(kId), {.number = 1});
  damaged[20] = static_cast<char>(damaged[20] ^ 1);
  put(damaged + group_of(2, 10));
  const Scanned scanned = scan();
  EXPECT_EQ(scanned.groups, Numbers{2});
  EXPECT_EQ(scanned.damaged_commits, Numbers{1});
}

TEST_F(SegmentScanTest, says_what_is_left_behind_the_last_group) {
  const std::string torn = group_of(2, 500);
  for (const std::size_t length : {1u, 8u, 79u, 80u, 300u, 579u}) {
    for (const std::size_t zeros : {0u, 90'000u}) {
      put(group_of(1, 10) + torn.substr(0, length) + std::string(zeros, '\0'));
      const Scanned scanned = scan();
      EXPECT_EQ(scanned.groups, Numbers{1});
      EXPECT_EQ(scanned.end.offset, kFirstGroupAt + group_of(1, 10).size());
      EXPECT_EQ(scanned.end.bytes, torn.substr(0, length).find_last_not_of('\0') + 1) << length;
    }
  }
}

TEST_F(SegmentScanTest, names_whole_commits_behind_the_last_group) {
  std::string torn = group_of(2, 500);
  torn[100] = 'y';
  put(group_of(1, 10) + torn);
  const Scanned scanned = scan();
  ASSERT_EQ(scanned.end.commits.size(), 1u);
  EXPECT_EQ(scanned.end.commits[0].number, 2u);
  EXPECT_EQ(scanned.end.commits[0].last_sequence, 21u);
}

TEST_F(SegmentScanTest, counts_what_cannot_be_read_as_damage) {
  put(group_of(1, 10) + group_of(2, 3'900) + group_of(3, 10));
  auto file = OpenFile::open(world.world().file_system, kPath, io::OpenMode::ExistingRead).value();
  const std::uint64_t size = world.files().get(kPath)->size();
  SegmentScan scan(file, size, Seed(kId));
  world.files().fail_kind(sim::SimFiles::Kind::ReadAt, 1, {base::Errc::System, "rotten", EIO});
  world.files().fail_kind(sim::SimFiles::Kind::ReadAt, 2, {base::Errc::System, "rotten", EIO});
  const ScanStep step = scan.next().value();  // the sector of groups 1 and 2 is gone, that of 3 is not
  ASSERT_TRUE(std::holds_alternative<ScannedDamage>(step));
  EXPECT_EQ(std::get<ScannedGroup>(scan.next().value()).group.commit.number, 3u);
  EXPECT_EQ(scan.unreadable_bytes(), 4'096u);
}

TEST_F(SegmentScanTest, returns_every_other_error_of_reading) {
  put(group_of(1, 10));
  world.files().fail_kind(sim::SimFiles::Kind::ReadAt, 1, {base::Errc::System, "no", EBADF});
  auto file = OpenFile::open(world.world().file_system, kPath, io::OpenMode::ExistingRead).value();
  SegmentScan scan(file, world.files().get(kPath)->size(), Seed(kId));
  EXPECT_EQ(scan.next().error().sys_errno, EBADF);
}

}  // namespace
}  // namespace storage
