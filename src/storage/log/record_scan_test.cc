// SPDX-License-Identifier: Apache-2.0
#include "storage/log/record_scan.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "codec/record_batch.h"
#include "storage/log/little_endian.h"

namespace storage {
namespace {

const Seed kSeed(77);

std::string control_group(const std::string& body) {
  std::string group;
  append_control_record(group, RecordKind::Trim, 0, body);
  append_commit_room(group);
  seal_group(group, kSeed, {.number = 1});
  return group;
}

std::string batch_group(Sequence sequence, const std::string& value) {
  codec::BatchBuilder builder;
  builder.start(0, 0);
  std::string tail, group;
  codec::append_record_tail(tail, std::nullopt, value, {});
  builder.add(0, tail);
  append_batch_record(group, {1, sequence, std::vector<std::uint64_t>{1}, {}, builder.finish()});
  append_commit_room(group);
  seal_group(group, kSeed, {.number = 1, .first_sequence = sequence, .last_sequence = sequence});
  return group;
}

// What a walk does that verifies whatever may be a record at every place.
std::vector<std::size_t> found_by_trying(base::Bytes bytes) {
  std::vector<std::size_t> found;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto record = parse_record(bytes.substr(at), kSeed);
    if (record) found.push_back(at);
    at += record ? record->bytes.size() : kRecordAlignment;
  }
  return found;
}

std::vector<std::size_t> found_by_scan(base::Bytes bytes) {
  std::vector<std::size_t> found;
  for (RecordScan scan(bytes, kSeed); const auto record = scan.next();) {
    const auto at = static_cast<std::size_t>(record->bytes.data() - bytes.data());
    const std::size_t expected = found.empty() ? 0 : found.back() + load_le<std::uint32_t>(&bytes[found.back() + 4]);
    EXPECT_EQ(scan.has_skipped(), at != expected);
    found.push_back(at);
  }
  return found;
}

TEST(RangeCrcs, are_those_of_the_bytes) {
  std::mt19937_64 random(3);
  std::string bytes(1'003, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  const RangeCrcs crcs(bytes);
  for (int i = 0; i < 5'000; ++i) {
    const std::size_t begin = random() % ((bytes.size() - 12) / 8) * 8;
    const std::size_t end = begin + 4 + random() % (bytes.size() - begin - 3);
    const Seed seed(random());
    ASSERT_EQ(crcs.of(begin, end, seed),
              base::crc32c(base::Bytes(bytes).substr(begin + 4, end - begin - 4), seed.value()))
        << begin << " to " << end;
  }
}

TEST(RecordScan, finds_every_whole_record_whatever_is_damaged) {
  std::mt19937_64 random(5);
  std::string whole;
  for (Sequence i = 1; i <= 20; ++i) {
    whole += random() % 3 == 0 ? control_group(std::string(random() % 300, 'c'))
                               : batch_group(i, std::string(random() % 500, 'v'));
  }
  EXPECT_EQ(found_by_scan(whole).size(), 40u);
  for (int i = 0; i < 2'000; ++i) {
    std::string bytes = whole.substr(0, random() % 4 == 0 ? random() % whole.size() : whole.size());
    for (std::uint64_t damages = random() % 5; damages > 0; --damages) {
      const std::size_t at = random() % (bytes.size() + 1);
      const std::size_t size = std::min<std::size_t>(random() % 200, bytes.size() - at);
      for (std::size_t k = at; k < at + size; ++k) bytes[k] = static_cast<char>(random() % 2 == 0 ? 0 : random());
    }
    ASSERT_EQ(found_by_scan(bytes), found_by_trying(bytes));
  }
}

// Each of a million of these, were it believed, would cost a checksum of all that follows: hours.
TEST(RecordScan, an_event_that_looks_like_a_million_records_costs_no_more_than_its_bytes) {
  constexpr std::size_t kRecords = 1'000'000;
  std::string value;
  for (std::size_t i = 0; i < kRecords; ++i) {
    append_le<std::uint32_t>(value, 1);
    append_le(value, static_cast<std::uint32_t>((kRecords - i) * kRecordHeaderBytes));
    append_le(value, std::uint64_t{static_cast<std::uint8_t>(RecordKind::Trim)});
  }
  std::string bytes = batch_group(1, value);
  // Where the value begins is not ours to choose; one of these lies at a multiple of 8.
  for (std::size_t shift = 0; shift < kRecordAlignment; ++shift) {
    bytes = batch_group(1, std::string(shift, 's') + value);
    if (record_crc_end(base::Bytes(bytes).substr(4'096))) break;
  }
  ASSERT_TRUE(record_crc_end(base::Bytes(bytes).substr(4'096))) << "it does not look like records";
  bytes[20] = static_cast<char>(bytes[20] ^ 1);  // the real record is damaged
  bytes += batch_group(2, "next");
  RecordScan scan(bytes, kSeed);
  const auto commit = scan.next();
  ASSERT_TRUE(commit);
  EXPECT_EQ(commit->kind, RecordKind::Commit);
  EXPECT_TRUE(scan.has_skipped());
  const auto batch = scan.next();
  ASSERT_TRUE(batch);
  EXPECT_EQ(BatchRecord(*batch).first_sequence(), 2u);
  EXPECT_FALSE(scan.has_skipped());
}

}  // namespace
}  // namespace storage
