// SPDX-License-Identifier: Apache-2.0
#include "storage/log/group_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace storage {
namespace {

const Seed kSeed(77);

std::string group_of(CommitNumber number, std::size_t records, std::size_t bytes_each) {
  std::string group;
  for (std::size_t i = 0; i < records; ++i) {
    append_control_record(group, RecordKind::Trim, 0, std::string(bytes_each, static_cast<char>('a' + i % 26)));
  }
  append_commit_room(group);
  seal_group(group, kSeed, {.number = number});
  return group;
}

struct Reading {
  std::vector<CommitNumber> groups;
  base::Errc outcome = {};
};

Reading read_all(const std::string& file, std::uint64_t offset, std::size_t piece_bytes) {
  Reading reading;
  GroupReader reader(kSeed, offset, offset + file.size());
  while (!reader.done()) {
    const std::uint64_t at = reader.offset();
    if (const auto group = reader.next()) {
      const auto expected = parse_group(base::Bytes(file).substr(at - offset), kSeed);
      EXPECT_TRUE(expected);
      EXPECT_EQ(group->records, expected->records);
      reading.groups.push_back(group->commit.number);
      continue;
    } else if (group.error().code != base::Errc::TooLarge) {
      reading.outcome = group.error().code;
      break;
    }
    reader.append(base::Bytes(file).substr(reader.read_offset() - offset, piece_bytes));
  }
  return reading;
}

std::string three_groups() { return group_of(1, 3, 20) + group_of(2, 0, 0) + group_of(3, 40, 100); }

TEST(GroupReader, gives_the_same_groups_whatever_the_pieces_are) {
  const std::string file = three_groups();
  for (std::size_t piece = 1; piece <= file.size(); ++piece) {
    EXPECT_EQ(read_all(file, 4'096, piece).groups, (std::vector<CommitNumber>{1, 2, 3})) << piece;
  }
}

TEST(GroupReader, ends_at_damage_wherever_it_is) {
  const std::string whole = three_groups();
  const std::size_t first_bytes = group_of(1, 3, 20).size();
  for (std::size_t at = first_bytes; at < whole.size(); at += 3) {
    std::string file = whole;
    file[at] = static_cast<char>(file[at] ^ 4);
    const Reading reading = read_all(file, 0, 64);
    EXPECT_EQ(reading.outcome, base::Errc::BadInput) << at;
    ASSERT_FALSE(reading.groups.empty());
    EXPECT_EQ(reading.groups.front(), 1u);
    EXPECT_LT(reading.groups.size(), 3u);
  }
}

TEST(GroupReader, a_group_that_does_not_end_is_damaged) {
  const std::string file = three_groups();
  const Reading reading = read_all(file.substr(0, file.size() - 40), 0, 64);
  EXPECT_EQ(reading.groups, (std::vector<CommitNumber>{1, 2}));
  EXPECT_EQ(reading.outcome, base::Errc::BadInput);
}

TEST(GroupReader, takes_no_record_of_the_group_before_for_its_own) {
  std::string file = group_of(1, 2, 20);
  const std::string second = group_of(2, 2, 20);
  // The second group's commit behind the first group's records.
  file.replace(file.size() - kCommitBytes, kCommitBytes, second.substr(second.size() - kCommitBytes));
  EXPECT_EQ(read_all(file, 0, 64).groups, std::vector<CommitNumber>{2}) << "equal records fit either";
  const std::string larger = group_of(2, 3, 20);
  file.replace(file.size() - kCommitBytes, kCommitBytes, larger.substr(larger.size() - kCommitBytes));
  EXPECT_EQ(read_all(file, 0, 64).outcome, base::Errc::BadInput);
}

// Were each piece a reason to verify the group from its front, this would be sixteen thousand times its checksums.
TEST(GroupReader, a_group_of_many_pieces_costs_its_bytes_once) {
  const std::string file = group_of(1, 64, 1u << 20);
  EXPECT_EQ(read_all(file, 0, 4'096).groups, std::vector<CommitNumber>{1});
}

}  // namespace
}  // namespace storage
