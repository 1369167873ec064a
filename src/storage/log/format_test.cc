// SPDX-License-Identifier: Apache-2.0
#include "storage/log/format.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "codec/record_batch.h"

namespace storage {
namespace {

constexpr std::uint64_t kSegmentId = 0x1122334455667788;

std::string batch_of(int events, const std::string& value, std::int64_t base_offset = 0) {
  codec::BatchBuilder builder;
  builder.start(base_offset, 1'700'000'000'000);
  for (int i = 0; i < events; ++i) {
    std::string tail;
    codec::append_record_tail(tail, std::nullopt, value + std::to_string(i), {});
    builder.add(1'700'000'000'000, tail);
  }
  return std::string(builder.finish());
}

// Two batches around a control record.
std::string group() {
  std::string bytes;
  const std::vector<std::uint64_t> hashes = {7, 8, 9};
  const std::vector<EventRepeat> repeats = {{1, {10, 11}, 12}, {2, {20, 21}, 22}};
  append_batch_record(bytes, {4, 100, hashes, repeats, batch_of(3, "a")});
  append_control_record(bytes, RecordKind::Trim, 0, "thirteen bytes");
  append_batch_record(bytes, {5, 103, std::vector<std::uint64_t>{1}, {}, batch_of(1, "b")});
  append_commit_room(bytes);
  return bytes;
}

CommitRecord commit() {
  CommitRecord commit;
  commit.number = 42;
  commit.first_sequence = 100;
  commit.last_sequence = 103;
  commit.synced_through = 41;
  commit.lane_time_ns = 5;
  commit.wall_ms = -6;
  commit.previous_crc = 7;
  return commit;
}

std::string sealed_group() {
  std::string bytes = group();
  seal_group(bytes, Seed(kSegmentId), commit());
  return bytes;
}

base::Errc error_of(base::Bytes bytes, std::uint64_t id = kSegmentId) {
  const auto group = parse_group(bytes, Seed(id));
  return group ? base::Errc::Overload : group.error().code;
}

TEST(LogFormat, a_group_says_again_what_went_into_it) {
  const std::string bytes = sealed_group() + "more";
  const GroupView group = parse_group(bytes, Seed(kSegmentId)).value();
  EXPECT_EQ(group.bytes(), bytes.size() - 4);
  EXPECT_EQ(group.commit.number, 42u);
  EXPECT_EQ(group.commit.first_sequence, 100u);
  EXPECT_EQ(group.commit.last_sequence, 103u);
  EXPECT_EQ(group.commit.synced_through, 41u);
  EXPECT_EQ(group.commit.lane_time_ns, 5u);
  EXPECT_EQ(group.commit.wall_ms, -6);
  EXPECT_EQ(group.commit.previous_crc, 7u);
  EXPECT_EQ(group.commit.records, 3u);

  RecordWalk walk(group.records);
  const RecordView first = walk.next().value();
  ASSERT_EQ(first.kind, RecordKind::Batch);
  const BatchRecord batch(first);
  EXPECT_EQ(batch.topic(), 4u);
  EXPECT_EQ(batch.first_sequence(), 100u);
  EXPECT_EQ(batch.last_sequence(), 102u);
  EXPECT_EQ(batch.address_hash(2), 9u);
  ASSERT_EQ(batch.repeats(), 2u);
  EXPECT_EQ(batch.repeat(1).index, 2u);
  EXPECT_EQ(batch.repeat(1).key, (base::Hash128{20, 21}));
  EXPECT_EQ(batch.repeat(1).content, 22u);
  EXPECT_EQ(batch.batch(), batch_of(3, "a"));
  EXPECT_EQ(walk.next().value().body(), "thirteen bytes");
  EXPECT_EQ(BatchRecord(walk.next().value()).batch(), batch_of(1, "b"));
  EXPECT_FALSE(walk.next());
}

TEST(LogFormat, every_record_begins_at_a_multiple_of_eight) {
  const std::string bytes = sealed_group();
  const GroupView group = parse_group(bytes, Seed(kSegmentId)).value();
  for (RecordWalk walk(group.records); walk.next();) EXPECT_EQ(walk.offset() % kRecordAlignment, 0u);
  EXPECT_EQ(bytes.size() % kRecordAlignment, 0u);
}

TEST(LogFormat, a_changed_bit_is_found_wherever_it_is) {
  const std::string whole = sealed_group();
  for (std::size_t byte = 0; byte < whole.size(); ++byte) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string damaged = whole;
      damaged[byte] = static_cast<char>(damaged[byte] ^ (1u << bit));
      EXPECT_FALSE(parse_group(damaged, Seed(kSegmentId))) << "byte " << byte << ", bit " << bit;
    }
  }
}

TEST(LogFormat, a_cut_group_goes_on_behind_the_end) {
  const std::string whole = sealed_group();
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    EXPECT_EQ(error_of(whole.substr(0, bytes)), base::Errc::TooLarge) << bytes;
  }
}

TEST(LogFormat, zeros_are_nothing_at_the_front_and_damage_within) {
  EXPECT_EQ(error_of(std::string(4'096, '\0')), base::Errc::NotFound);
  const std::string whole = sealed_group();
  std::string without_commit = whole.substr(0, whole.size() - kCommitBytes);
  without_commit.append(4'096, '\0');
  EXPECT_EQ(error_of(without_commit), base::Errc::BadInput);
}

TEST(LogFormat, a_group_of_another_segment_is_no_group_of_this_one) {
  EXPECT_EQ(error_of(sealed_group(), kSegmentId + 1), base::Errc::BadInput);
}

TEST(LogFormat, an_empty_commit_is_a_group) {
  std::string bytes;
  append_commit_room(bytes);
  seal_group(bytes, Seed(kSegmentId), commit());
  const GroupView group = parse_group(bytes, Seed(kSegmentId)).value();
  EXPECT_TRUE(group.records.empty());
  EXPECT_EQ(group.commit.records, 0u);
  EXPECT_EQ(group.bytes(), kCommitBytes);
}

SegmentHeader header() {
  SegmentHeader header;
  header.number = 3;
  header.id = kSegmentId;
  header.kind = SegmentKind::Recovery;
  header.copies = 2;
  header.continues = 41;
  header.continues_crc = 9;
  header.first_replaced = 3;
  header.created_ms = 1'700'000'000'000;
  return header;
}

TEST(LogFormat, a_header_survives_the_loss_of_either_copy) {
  const std::string start = encode_segment_start(header());
  ASSERT_EQ(start.size(), kFirstGroupAt);
  for (std::size_t byte = 0; byte < kFirstGroupAt; ++byte) {
    std::string damaged = start;
    damaged[byte] = static_cast<char>(damaged[byte] ^ 0x10);
    const SegmentHeader read = parse_segment_start(damaged).value();
    EXPECT_EQ(read.number, 3u);
    EXPECT_EQ(read.id, kSegmentId);
    EXPECT_EQ(read.kind, SegmentKind::Recovery);
    EXPECT_EQ(read.copies, 2u);
    EXPECT_EQ(read.continues, 41u);
    EXPECT_EQ(read.continues_crc, 9u);
    EXPECT_EQ(read.created_ms, 1'700'000'000'000);
  }
}

TEST(LogFormat, a_header_without_a_whole_copy_is_damaged_and_a_newer_version_is_named) {
  std::string start = encode_segment_start(header());
  start[20] = start[kSegmentHeaderCopyAt + 21] = 'x';
  EXPECT_EQ(parse_segment_start(start).error().code, base::Errc::BadInput);
  EXPECT_EQ(parse_segment_start("").error().code, base::Errc::BadInput);
}

}  // namespace
}  // namespace storage
