// SPDX-License-Identifier: Apache-2.0
#include "storage/log/read_ahead.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/file_lane_stage.h"

namespace storage {
namespace {

constexpr std::size_t kPieceBytes = 1;  // of what a read asks for: one extent at a time

// A lane with some extents, and how often the disk was asked for one.
class ReadAheadTest : public FileLaneStage {
 protected:
  ReadAheadTest() {
    topics_ = declare({{"a"}});
    for (int i = 0; i < 400; ++i) publish(topics_[0], std::to_string(i) + std::string(500, 'x'));
  }

  std::optional<Sequence> read_from(std::optional<Sequence> after) {
    const ReadReply reply = read(topics_, after, kPieceBytes);
    EXPECT_EQ(reply.status, ReadStatus::Read);
    world_.run_for(sim::kSecondNs / 10);  // what is read ahead arrives
    return reply.covered;
  }
  std::uint64_t reads() const { return world_.files().calls(io::FileRequest::Kind::ReadAt); }

  std::vector<TopicId> topics_;
};

TEST_F(ReadAheadTest, a_single_read_reads_nothing_ahead) {
  const std::uint64_t before = reads();
  read_from(std::nullopt);
  EXPECT_EQ(reads(), before + 1);
}

TEST_F(ReadAheadTest, a_reader_that_goes_on_finds_its_next_piece_read) {
  const std::uint64_t before = reads();
  std::optional<Sequence> after = read_from(std::nullopt);
  after = read_from(after);
  EXPECT_EQ(reads(), before + 3) << "the third piece is there before it is asked for";
  const std::optional<Sequence> third = read_from(after);
  EXPECT_EQ(reads(), before + 4);
  EXPECT_GT(third, after);
}

TEST_F(ReadAheadTest, a_walk_to_the_end_reads_every_piece_once_and_gives_every_event) {
  const std::uint64_t before = reads();
  std::uint64_t pieces = 0;
  for (std::optional<Sequence> after; after != lane().durable(); ++pieces) after = read_from(after);
  EXPECT_GT(pieces, 4u);
  EXPECT_EQ(reads(), before + pieces);
  EXPECT_EQ(values(topics_, kPieceBytes).size(), 400u);
}

TEST_F(ReadAheadTest, what_nobody_came_for_makes_room) {
  const std::optional<Sequence> after = read_from(read_from(std::nullopt));
  world_.run_for(2 * sim::kSecondNs);
  const std::uint64_t before = reads();
  read_from(std::nullopt);  // looks after the room
  read_from(after);
  EXPECT_EQ(reads(), before + 2) << "the piece that lay ready was let go, and its reader counts as new";
}

TEST_F(ReadAheadTest, more_readers_than_there_is_room_for_read_no_piece_twice) {
  // In step, each somewhere else in what is kept in mind.
  const std::uint64_t before = reads();
  std::uint64_t pieces = 0;
  std::vector<std::optional<Sequence>> readers(300);
  for (int round = 0; round < 4; ++round) {
    for (std::optional<Sequence>& after : readers) {
      after = read(topics_, after, kPieceBytes).covered;
      ++pieces;
    }
  }
  EXPECT_LE(reads(), before + pieces + readers.size());
}

TEST_F(ReadAheadTest, what_was_read_ahead_and_failed_is_read_again) {
  const std::optional<Sequence> after = read_from(std::nullopt);
  world_.files().fail_kind(sim::SimFiles::Kind::ReadAt, 2, {base::Errc::System, "a failure made by the test", EIO});
  const std::optional<Sequence> second = read_from(after);
  EXPECT_GT(read_from(second), second);
}

TEST_F(ReadAheadTest, trimmed_events_are_not_served_from_what_was_read_ahead) {
  // The position is judged when a read is asked for, whatever lies ready.
  std::optional<Sequence> after = read_from(read_from(std::nullopt));
  run_->lane->declare(run_->loop, {{"a", {.age_ns = sim::kSecondNs}}}, [](const auto&) {});
  world_.run_for(30 * sim::kSecondNs);
  EXPECT_EQ(read(topics_, after, kPieceBytes).status, ReadStatus::Trimmed);
}

}  // namespace
}  // namespace storage
