// SPDX-License-Identifier: Apache-2.0
#include "codec/record_batch.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <vector>

namespace codec {
namespace {

using base::Bytes;
using base::Errc;

std::string from_hex(std::string_view hex) {
  std::string out;
  int high = -1;
  for (const char c : hex) {
    if (c == ' ') continue;
    const int digit = c <= '9' ? c - '0' : c - 'a' + 10;
    if (high < 0) {
      high = digit;
      continue;
    }
    out += static_cast<char>(high << 4 | digit);
    high = -1;
  }
  return out;
}

std::string two_records() {
  std::string first;
  const std::array headers = {Header{"a", "1"}, Header{"empty", ""}, Header{"null", std::nullopt}};
  append_record_tail(first, "key", "value", headers);
  std::string second;
  append_record_tail(second, std::nullopt, std::nullopt, {});
  BatchBuilder builder;
  builder.start(1000, 5000);
  builder.add(5007, first);
  builder.add(4999, second);
  return std::string(builder.finish());
}

// Reads everything that there is to read.
base::Result<int> walk(Bytes bytes, BatchCrc crc) {
  int seen = 0;
  RecordReader records = TRY(BatchView::parse(bytes, crc)).records();
  while (records.left() > 0) {
    RecordView record = TRY(records.next());
    while (record.headers.left() > 0) TRY(record.headers.next());
    ++seen;
  }
  return seen;
}

// Every field by hand, after the Kafka protocol documentation; the checksum by an independent program.
TEST(RecordBatch, has_the_bytes_of_the_kafka_documentation) {
  std::string tail;
  const std::array headers = {Header{"h", "x"}};
  append_record_tail(tail, "k", "v", headers);
  BatchBuilder builder;
  builder.start(3, 1000);
  builder.add(1001, tail);
  const std::string expected = from_hex(
      "0000000000000003 0000003e 00000000 02 937ddad7 0000 00000000 00000000000003e8 00000000000003e9"
      "ffffffffffffffff ffff ffffffff 00000001"
      "18 00 02 00 02 6b 02 76 02 02 68 02 78");
  EXPECT_EQ(builder.finish(), expected);
  EXPECT_EQ(builder.size(), expected.size());
}

TEST(RecordBatch, is_read_back_as_it_was_written) {
  const std::string bytes = two_records();
  const BatchView view = BatchView::parse(bytes, BatchCrc::Check).value();
  EXPECT_EQ(view.base_offset(), 1000);
  EXPECT_EQ(view.last_offset(), 1001);
  EXPECT_EQ(view.base_timestamp_ms(), 5000);
  EXPECT_EQ(view.timestamp_ms_max(), 5007);
  EXPECT_EQ(view.count(), 2);
  RecordReader records = view.records();
  RecordView first = records.next().value();
  EXPECT_EQ(first.offset, 1000);
  EXPECT_EQ(first.timestamp_ms, 5007);
  EXPECT_EQ(first.key, "key");
  EXPECT_EQ(first.value, "value");
  ASSERT_EQ(first.headers.left(), 3U);
  const Header a = first.headers.next().value();
  EXPECT_EQ(a.name, "a");
  EXPECT_EQ(a.value, "1");
  EXPECT_EQ(first.headers.next().value().value, "");
  EXPECT_EQ(first.headers.next().value().value, std::nullopt);
  EXPECT_EQ(first.headers.left(), 0U);
  const RecordView second = records.next().value();
  EXPECT_EQ(second.offset, 1001);
  EXPECT_EQ(second.timestamp_ms, 4999);
  EXPECT_EQ(second.key, std::nullopt);
  EXPECT_EQ(second.value, std::nullopt);
  EXPECT_EQ(second.headers.left(), 0U);
  EXPECT_EQ(records.left(), 0);
}

TEST(RecordBatch, a_tail_that_was_read_builds_the_same_batch_again) {
  const std::string bytes = two_records();
  const BatchView view = BatchView::parse(bytes, BatchCrc::Check).value();
  BatchBuilder builder;
  builder.start(view.base_offset(), view.base_timestamp_ms());
  RecordReader records = view.records();
  while (records.left() > 0) {
    const RecordView record = records.next().value();
    builder.add(record.timestamp_ms, record.tail);
  }
  EXPECT_EQ(builder.finish(), bytes);
}

TEST(RecordBatch, the_builder_starts_anew_for_every_batch) {
  BatchBuilder builder;
  std::string tail;
  append_record_tail(tail, "k", "v", {});
  builder.start(1, 10);
  builder.add(99, tail);
  builder.add(99, tail);
  builder.finish();
  builder.start(3, 20);
  builder.add(20, tail);
  const BatchView view = BatchView::parse(builder.finish(), BatchCrc::Check).value();
  EXPECT_EQ(view.count(), 1);
  EXPECT_EQ(view.base_offset(), 3);
  EXPECT_EQ(view.timestamp_ms_max(), 20);
}

TEST(RecordBatch, no_prefix_of_a_batch_is_a_batch) {
  const std::string bytes = two_records();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    for (const BatchCrc crc : {BatchCrc::Check, BatchCrc::Skip}) {
      const auto result = walk(std::string(bytes, 0, size), crc);
      ASSERT_FALSE(result) << size;
      EXPECT_EQ(result.error().code, Errc::BadInput);
    }
  }
  EXPECT_EQ(walk(bytes, BatchCrc::Check).value(), 2);
}

TEST(RecordBatch, what_follows_a_batch_is_left_alone) {
  const std::string bytes = two_records();
  const std::string longer = bytes + "next";
  EXPECT_EQ(BatchView::parse(longer, BatchCrc::Check).value().bytes(), bytes);
}

TEST(RecordBatch, every_changed_bit_behind_the_checksum_is_noticed) {
  const std::string bytes = two_records();
  for (std::size_t at = 17; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      ASSERT_FALSE(BatchView::parse(changed, BatchCrc::Check)) << at;
    }
  }
}

TEST(RecordBatch, unchecked_bytes_never_lead_outside_of_the_batch) {
  const std::string bytes = two_records();
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(value);
      const auto result = walk(changed, BatchCrc::Skip);
      EXPECT_EQ(result.value_or(2), 2) << at;
    }
  }
}

TEST(RecordBatch, compression_and_another_magic_are_unsupported) {
  std::string compressed = two_records();
  compressed[22] = 4;
  EXPECT_EQ(BatchView::parse(compressed, BatchCrc::Skip).error().code, Errc::Unsupported);
  std::string old = two_records();
  old[16] = 1;
  EXPECT_EQ(BatchView::parse(old, BatchCrc::Check).error().code, Errc::Unsupported);
}

TEST(RecordBatch, holes_between_the_offsets_are_refused) {
  std::string bytes = two_records();
  bytes[26] = 2;  // lastOffsetDelta
  EXPECT_EQ(BatchView::parse(bytes, BatchCrc::Skip).error().code, Errc::BadInput);
}

TEST(RecordBatch, bytes_behind_the_last_record_are_refused) {
  std::string bytes = two_records() + "x";
  bytes[11] = static_cast<char>(bytes[11] + 1);  // batchLength
  EXPECT_TRUE(BatchView::parse(bytes, BatchCrc::Skip));
  EXPECT_EQ(walk(bytes, BatchCrc::Skip).error().code, Errc::BadInput);
}

TEST(RecordBatch, bytes_behind_the_last_header_are_refused) {
  std::string tail;
  const std::array headers = {Header{"a", "1"}};
  append_record_tail(tail, "k", "v", headers);
  BatchBuilder builder;
  builder.start(0, 0);
  builder.add(0, tail + "x");
  EXPECT_EQ(walk(builder.finish(), BatchCrc::Check).error().code, Errc::BadInput);
  tail.clear();
  append_record_tail(tail, "k", "v", {});
  builder.start(0, 0);
  builder.add(0, tail + "x");
  EXPECT_EQ(walk(builder.finish(), BatchCrc::Check).error().code, Errc::BadInput);
}

TEST(RecordBatch, records_are_skipped_by_their_length) {
  const std::string bytes = two_records();
  RecordReader records = BatchView::parse(bytes, BatchCrc::Check).value().records();
  EXPECT_TRUE(records.skip());
  EXPECT_EQ(records.next().value().offset, 1001);
}

TEST(RecordBatch, many_records_keep_their_offsets_and_times) {
  std::string tail;
  append_record_tail(tail, std::nullopt, std::string(300, 'x'), {});
  BatchBuilder builder;
  constexpr int kRecords = 70'000;
  builder.start(std::int64_t{1} << 40, 1'700'000'000'000);
  for (int i = 0; i < kRecords; ++i) builder.add(1'700'000'000'000 + 1000 * i, tail);
  EXPECT_EQ(builder.count(), kRecords);
  RecordReader records = BatchView::parse(builder.finish(), BatchCrc::Check).value().records();
  for (int i = 0; i < kRecords; ++i) {
    const RecordView record = records.next().value();
    ASSERT_EQ(record.offset, (std::int64_t{1} << 40) + i);
    ASSERT_EQ(record.timestamp_ms, 1'700'000'000'000 + 1000 * i);
  }
}

TEST(RecordBatch, an_impossible_base_offset_is_refused) {
  std::string bytes = two_records();
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(i == 0 ? 0x7f : 0xff);
  EXPECT_FALSE(BatchView::parse(bytes, BatchCrc::Check));
  bytes[0] = static_cast<char>(0xff);
  EXPECT_FALSE(BatchView::parse(bytes, BatchCrc::Check));
}

}  // namespace
}  // namespace codec
