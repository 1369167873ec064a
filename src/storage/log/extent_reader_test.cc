// SPDX-License-Identifier: Apache-2.0
#include "storage/log/extent_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "codec/record_batch.h"

namespace storage {
namespace {

constexpr std::uint64_t kSegmentId = 77;
constexpr std::size_t kValueBytes = 200;

struct Piece {
  std::string bytes;
  std::vector<std::size_t> batch_at;  // of each group's batch record
  std::vector<std::size_t> ends;      // of each group
};

// One group for each event; events 11, 12, ... alternate between the topics 1 and 2.
Piece piece_of(int events) {
  Piece piece;
  for (int i = 0; i < events; ++i) {
    codec::BatchBuilder builder;
    builder.start(i / 2, 0);
    std::string tail;
    codec::append_record_tail(tail, std::nullopt, std::string(kValueBytes, static_cast<char>('a' + i)), {});
    builder.add(0, tail);
    std::string group;
    const Sequence sequence = 11 + static_cast<Sequence>(i);
    append_batch_record(
        group, {static_cast<TopicId>(1 + i % 2), sequence, std::vector<std::uint64_t>{1}, {}, builder.finish()});
    append_commit_room(group);
    CommitRecord commit;
    commit.number = commit.first_sequence = commit.last_sequence = sequence;
    seal_group(group, Seed(kSegmentId), commit);
    piece.batch_at.push_back(piece.bytes.size());
    piece.bytes += group;
    piece.ends.push_back(piece.bytes.size());
  }
  return piece;
}

ExtentReading reading(int events) {
  return {{1, 2}, 0, 10, 10 + static_cast<Sequence>(events), 1'000, Seed(kSegmentId)};
}

std::vector<Sequence> sequences(const ExtentEvents& events) {
  std::vector<Sequence> found;
  if (events.block == nullptr) return found;
  for (const Entry& entry : events.block->entries) {
    found.push_back(entry.first_sequence);
    EXPECT_TRUE(codec::BatchView::parse(entry.batch, codec::BatchCrc::Check)) << "an entry points elsewhere";
  }
  return found;
}

using Sequences = std::vector<Sequence>;

TEST(ExtentReader, gives_the_events_of_the_topics_behind_the_position) {
  const Piece piece = piece_of(6);
  EXPECT_EQ(sequences(read_extents(piece.bytes, reading(6))), (Sequences{11, 12, 13, 14, 15, 16}));
  ExtentReading some = reading(6);
  some.topics = {2};
  some.after = 12;
  EXPECT_EQ(sequences(read_extents(piece.bytes, some)), (Sequences{14, 16}));
  some.after = 16;
  EXPECT_EQ(read_extents(piece.bytes, some).block, nullptr);
}

TEST(ExtentReader, keeps_only_what_was_asked_for_if_that_is_little) {
  ExtentReading one = reading(20);
  one.topics = {1};
  one.after = 28;
  const ExtentEvents events = read_extents(piece_of(20).bytes, one);
  EXPECT_EQ(sequences(events), Sequences{29});
  EXPECT_LT(events.block->bytes.size(), 2 * kValueBytes);
}

TEST(ExtentReader, ends_before_damage_and_names_the_events_that_are_lost) {
  Piece piece = piece_of(6);
  piece.bytes[piece.batch_at[2] + 100] ^= 1;  // of event 13
  const ExtentEvents events = read_extents(piece.bytes, reading(6));
  EXPECT_EQ(sequences(events), (Sequences{11, 12}));
  EXPECT_EQ(events.damage, (DamagedRange{13, 13}));
}

TEST(ExtentReader, goes_on_behind_damage_that_is_at_or_before_the_position) {
  Piece piece = piece_of(6);
  piece.bytes[piece.batch_at[2] + 100] ^= 1;
  ExtentReading behind = reading(6);
  behind.after = 13;
  const ExtentEvents events = read_extents(piece.bytes, behind);
  EXPECT_EQ(sequences(events), (Sequences{14, 15, 16}));
  EXPECT_FALSE(events.damage);
}

TEST(ExtentReader, a_damaged_commit_loses_no_event) {
  Piece piece = piece_of(4);
  piece.bytes[piece.ends[1] - 10] ^= 1;
  const ExtentEvents events = read_extents(piece.bytes, reading(4));
  EXPECT_EQ(sequences(events), (Sequences{11, 12, 13, 14}));
  EXPECT_FALSE(events.damage);
}

TEST(ExtentReader, damage_up_to_the_end_reaches_to_the_last_event_of_the_piece) {
  Piece piece = piece_of(4);
  piece.bytes.resize(piece.batch_at[2] + 50);
  const ExtentEvents events = read_extents(piece.bytes, reading(4));
  EXPECT_EQ(sequences(events), (Sequences{11, 12}));
  EXPECT_EQ(events.damage, (DamagedRange{13, 14}));
}

TEST(ExtentReader, stops_where_known_damage_begins_without_finding_it_again) {
  Piece piece = piece_of(6);
  piece.bytes[piece.batch_at[3] + 100] ^= 1;  // of event 14
  ExtentReading known = reading(6);
  known.readable_through = 13;
  const ExtentEvents events = read_extents(piece.bytes, known);
  EXPECT_EQ(sequences(events), (Sequences{11, 12, 13}));
  EXPECT_FALSE(events.damage);
}

TEST(ExtentReader, finds_the_same_damage_wherever_a_bit_changed) {
  const Piece whole = piece_of(3);
  for (std::size_t at = whole.batch_at[1]; at < whole.ends[1]; ++at) {
    std::string bytes = whole.bytes;
    bytes[at] = static_cast<char>(bytes[at] ^ 4);
    const ExtentEvents events = read_extents(bytes, reading(3));
    const bool lost = events.damage.has_value();
    EXPECT_EQ(events.damage.value_or(DamagedRange{12, 12}), (DamagedRange{12, 12})) << at;
    EXPECT_EQ(sequences(events), lost ? Sequences{11} : (Sequences{11, 12, 13})) << at;
  }
}

}  // namespace
}  // namespace storage
