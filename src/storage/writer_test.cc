// SPDX-License-Identifier: Apache-2.0
#include "storage/writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "storage/test_stage.h"

namespace storage {
namespace {

// Lets the test decide when and how a group persists.
class HeldMedium final : public Medium {
 public:
  explicit HeldMedium(io::Loop& loop) : loop_(loop) {}
  void persist(std::shared_ptr<Block> block, Done done) override {
    EXPECT_FALSE(held_) << "two groups at a time";
    held_ = std::move(done);
    ++groups_;
    newest_ = std::move(block);
  }
  void release(Persisted outcome) {
    loop_.post([done = std::move(held_), outcome]() mutable { done(outcome); });
    held_ = nullptr;
  }
  bool holds() const { return held_ != nullptr; }
  int groups() const { return groups_; }
  const Block& newest() const { return *newest_; }

 private:
  io::Loop& loop_;
  Done held_;
  BlockPtr newest_;
  int groups_ = 0;
};

using Answer = std::optional<AppendReply>;

MATCHER_P(HasStatus, status, "") { return arg && arg->status == status; }
MATCHER_P2(IsOne, sequence, duplicate, "") {
  return arg && arg->status == AppendStatus::Durable && arg->items.size() == 1 &&
         arg->items[0].sequence == Sequence(sequence) && arg->items[0].duplicate == duplicate;
}
constexpr bool kFirst = false;
constexpr bool kDuplicate = true;

class WriterTest : public testing::Test {
 protected:
  WriterTest() {
    a_ = topics_.declare("a");
    b_ = topics_.declare("b");
  }
  std::shared_ptr<Answer> append(std::vector<NewEvent> events, std::size_t loop = 0) {
    auto answer = std::make_shared<Answer>();
    writer_.append(stage_.loop(loop), std::move(events), [answer](AppendReply reply) {
      EXPECT_FALSE(answer->has_value()) << "answered twice";
      *answer = std::move(reply);
    });
    stage_.settle();
    return answer;
  }
  void release(Persisted outcome = Persisted::Durable) {
    medium_.release(outcome);
    stage_.settle();
  }

  static Limits limits() {
    Limits limits;
    limits.queue_bytes_max = 64'000;
    limits.request_bytes_max = 32'000;
    limits.group_bytes_max = 8'000;
    limits.repeat_entries_max = 4;
    return limits;
  }

  Stage stage_{2};
  TopicTable topics_;
  HeldMedium medium_{stage_.lane_loop()};
  LaneClock clock_{stage_.lane_loop()};
  Writer writer_{stage_.lane_loop(), clock_, topics_, medium_, limits(), {}};
  TopicId a_ = 0;
  TopicId b_ = 0;
};

TEST_F(WriterTest, answers_when_the_group_is_durable_and_not_before) {
  const auto answer = append(request_of(event_of(a_, "x")));
  EXPECT_FALSE(answer->has_value());
  EXPECT_EQ(writer_.durable(), 0u);
  release();
  EXPECT_THAT(*answer, IsOne(1, kFirst));
  EXPECT_EQ(writer_.durable(), 1u);
}

TEST_F(WriterTest, what_arrives_while_a_group_persists_is_the_next_group) {
  append(request_of(event_of(a_, "1")));
  const auto second = append(request_of(event_of(a_, "2")));
  const auto third = append(request_of(event_of(b_, "3")), 1);
  EXPECT_EQ(medium_.groups(), 1);
  release();
  EXPECT_EQ(medium_.groups(), 2);
  EXPECT_EQ(medium_.newest().first(), 2u);
  EXPECT_EQ(medium_.newest().last(), 3u);
  release();
  EXPECT_THAT(*second, IsOne(2, kFirst));
  EXPECT_THAT(*third, IsOne(3, kFirst));
}

TEST_F(WriterTest, runs_of_one_topic_are_batches_with_dense_offsets_and_the_append_time) {
  stage_.clock().now_ns = 5'000'000;
  append(request_of(event_of(a_, "1"), event_of(a_, "2"), event_of(b_, "3"), event_of(a_, "4")));
  release();
  append(request_of(event_of(a_, "5")));
  std::vector<SeenEvent> seen;
  decode(medium_.newest(), seen);
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].offset, 3);
  EXPECT_EQ(seen[0].sequence, 5u);
  EXPECT_EQ(seen[0].timestamp_ms, StageClock::kEpochMs + 5);
}

TEST_F(WriterTest, a_group_holds_each_maximal_run_in_arrival_order) {
  append(request_of(event_of(a_, "1"), event_of(a_, "2"), event_of(b_, "3"), event_of(a_, "4")));
  const Block& block = medium_.newest();
  ASSERT_EQ(block.entries.size(), 3u);
  EXPECT_EQ(block.entries[0].records, 2u);
  EXPECT_EQ(block.entries[1].topic, b_);
  EXPECT_EQ(block.entries[2].first_sequence, 4u);
  std::vector<SeenEvent> seen;
  decode(block, seen);
  std::vector<std::string> values;
  for (const SeenEvent& event : seen) values.push_back(event.value);
  EXPECT_THAT(values, testing::ElementsAre("1", "2", "3", "4"));
  EXPECT_EQ(seen[3].offset, 2);
}

TEST_F(WriterTest, a_group_is_bounded_and_a_larger_request_is_one_alone) {
  append(request_of(event_of(a_, "hold")));
  const std::string big(6'000, 'x');
  append(request_of(event_of(a_, big)));
  append(request_of(event_of(a_, big)));
  append(request_of(event_of(a_, big), event_of(a_, big)));
  std::vector<Sequence> lasts;
  for (int i = 0; i < 4; ++i) {
    lasts.push_back(medium_.newest().last());
    release();
  }
  EXPECT_THAT(lasts, testing::ElementsAre(1, 2, 3, 5));
  EXPECT_FALSE(medium_.holds());
}

TEST_F(WriterTest, a_repeat_in_the_same_group_is_answered_with_it) {
  append(request_of(event_of(a_, "hold")));
  const auto first = append(request_of(event_of(a_, "x", 7)));
  const auto repeat = append(request_of(event_of(a_, "x", 7)), 1);
  release();
  EXPECT_FALSE(first->has_value());
  EXPECT_FALSE(repeat->has_value());
  release();
  EXPECT_THAT(*first, IsOne(2, kFirst));
  EXPECT_THAT(*repeat, IsOne(2, kDuplicate));
  EXPECT_EQ(writer_.durable(), 2u);
}

TEST_F(WriterTest, a_repeat_of_a_pending_group_is_answered_with_it) {
  const auto first = append(request_of(event_of(a_, "x", 7)));
  const auto repeat = append(request_of(event_of(a_, "x", 7)));
  EXPECT_FALSE(repeat->has_value());
  release();
  EXPECT_THAT(*first, IsOne(1, kFirst));
  EXPECT_THAT(*repeat, IsOne(1, kDuplicate));
  EXPECT_FALSE(medium_.holds());
}

TEST_F(WriterTest, a_repeat_of_a_pending_group_shares_its_failure) {
  const auto first = append(request_of(event_of(a_, "x", 7)));
  const auto repeat = append(request_of(event_of(a_, "x", 7)));
  const auto other = append(request_of(event_of(a_, "y", 8)));
  release(Persisted::NoSpace);
  EXPECT_THAT(*first, HasStatus(AppendStatus::NoSpace));
  EXPECT_THAT(*repeat, HasStatus(AppendStatus::NoSpace));
  EXPECT_FALSE(other->has_value());
  release();
  EXPECT_THAT(*other, IsOne(1, kFirst));
}

TEST_F(WriterTest, a_group_without_space_leaves_no_sequence_offset_or_id_behind) {
  append(request_of(event_of(a_, "x", 7), event_of(b_, "z")));
  release(Persisted::NoSpace);
  EXPECT_EQ(writer_.durable(), 0u);
  const auto again = append(request_of(event_of(a_, "x", 7)));
  std::vector<SeenEvent> seen;
  decode(medium_.newest(), seen);
  EXPECT_EQ(seen[0].offset, 0);
  release();
  EXPECT_THAT(*again, IsOne(1, kFirst));
}

TEST_F(WriterTest, an_unknown_outcome_stops_the_lane) {
  append(request_of(event_of(a_, "before")));
  release();
  const auto first = append(request_of(event_of(a_, "x", 7)));
  const auto repeat = append(request_of(event_of(a_, "x", 7)));
  const auto other = append(request_of(event_of(a_, "y")));
  release(Persisted::Unknown);
  EXPECT_THAT(*first, HasStatus(AppendStatus::OutcomeUnknown));
  EXPECT_THAT(*repeat, HasStatus(AppendStatus::OutcomeUnknown));
  EXPECT_THAT(*other, HasStatus(AppendStatus::Stopped));
  EXPECT_THAT(*append(request_of(event_of(a_, "x", 7))), HasStatus(AppendStatus::OutcomeUnknown));
  EXPECT_THAT(*append(request_of(event_of(a_, "z"))), HasStatus(AppendStatus::Stopped));
  EXPECT_EQ(writer_.durable(), 1u);
  EXPECT_FALSE(medium_.holds());
}

TEST_F(WriterTest, a_later_repeat_is_answered_at_once_with_the_first_sequence) {
  append(request_of(event_of(a_, "0"), event_of(a_, "x", 7)));
  release();
  EXPECT_THAT(*append(request_of(event_of(a_, "x", 7))), IsOne(2, kDuplicate));
  EXPECT_EQ(medium_.groups(), 1);
}

TEST_F(WriterTest, a_repeat_after_the_window_is_a_new_event) {
  append(request_of(event_of(a_, "x", 7)));
  release();
  stage_.clock().now_ns += kRepeatWindowNs;
  EXPECT_THAT(*append(request_of(event_of(a_, "x", 7))), IsOne(1, kDuplicate));
  stage_.clock().now_ns += 1;
  const auto late = append(request_of(event_of(a_, "x", 7)));
  release();
  EXPECT_THAT(*late, IsOne(2, kFirst));
}

TEST_F(WriterTest, the_window_begins_when_the_group_is_durable) {
  append(request_of(event_of(a_, "x", 7)));
  stage_.clock().now_ns += kRepeatWindowNs;
  release();
  stage_.clock().now_ns += kRepeatWindowNs;
  EXPECT_THAT(*append(request_of(event_of(a_, "x", 7))), IsOne(1, kDuplicate));
}

TEST_F(WriterTest, the_same_id_with_another_payload_refuses_the_whole_batch_with_indexes) {
  append(request_of(event_of(a_, "x", 7)));
  release();
  const auto answer =
      append(request_of(event_of(a_, "new", 8), event_of(a_, "other", 7), event_of(a_, "different", 8)));
  ASSERT_THAT(*answer, HasStatus(AppendStatus::Conflict));
  EXPECT_THAT((*answer)->conflicts, testing::ElementsAre(1, 2));
  EXPECT_TRUE((*answer)->items.empty());
  EXPECT_FALSE(medium_.holds());
  const auto again = append(request_of(event_of(a_, "different", 8)));
  release();
  EXPECT_THAT(*again, IsOne(2, kFirst));
}

TEST_F(WriterTest, a_batch_may_hold_a_repeat_twice_and_earlier_ones) {
  append(request_of(event_of(a_, "x", 7)));
  release();
  const auto answer =
      append(request_of(event_of(a_, "y", 8), event_of(a_, "x", 7), event_of(a_, "y", 8), event_of(a_, "z")));
  release();
  ASSERT_THAT(*answer, HasStatus(AppendStatus::Durable));
  std::vector<std::pair<Sequence, bool>> items;
  for (const auto& item : (*answer)->items) items.emplace_back(item.sequence, item.duplicate);
  EXPECT_THAT(items,
              testing::ElementsAre(std::pair(2, false), std::pair(1, true), std::pair(2, true), std::pair(3, false)));
  EXPECT_EQ(writer_.durable(), 3u);
}

TEST_F(WriterTest, a_table_full_of_guaranteed_ids_refuses_new_ids_alone) {
  append(request_of(event_of(a_, "1", 1), event_of(a_, "2", 2), event_of(a_, "3", 3)));
  release();
  EXPECT_THAT(*append(request_of(event_of(a_, "4", 4), event_of(a_, "5", 5))), HasStatus(AppendStatus::RepeatsFull));
  const auto fits = append(request_of(event_of(a_, "4", 4)));
  const auto no_id = append(request_of(event_of(a_, "6")));
  release();
  release();
  EXPECT_THAT(*fits, IsOne(4, kFirst));
  EXPECT_THAT(*no_id, IsOne(5, kFirst));
  EXPECT_THAT(*append(request_of(event_of(a_, "1", 1))), IsOne(1, kDuplicate));
}

TEST_F(WriterTest, a_full_queue_refuses_at_once_and_recovers) {
  append(request_of(event_of(a_, "hold")));
  const std::string big(15'000, 'x');
  std::vector<std::shared_ptr<Answer>> answers;
  for (int i = 0; i < 6; ++i) answers.push_back(append(request_of(event_of(a_, big))));
  EXPECT_THAT(*answers[5], HasStatus(AppendStatus::QueueFull));
  EXPECT_THAT(*answers[4], HasStatus(AppendStatus::QueueFull));
  EXPECT_FALSE(answers[3]->has_value());
  while (medium_.holds()) release();
  EXPECT_THAT(*answers[3], IsOne(5, kFirst));
  const auto after = append(request_of(event_of(a_, big)));
  release();
  EXPECT_THAT(*after, IsOne(6, kFirst));
}

TEST_F(WriterTest, a_refusal_is_a_message_and_never_within_the_call) {
  bool answered = false;
  const auto expect = [&](AppendStatus status) {
    return [&answered, status](const AppendReply& reply) {
      EXPECT_EQ(reply.status, status);
      answered = true;
    };
  };
  writer_.append(stage_.loop(0), request_of(event_of(a_, std::string(33'000, 'x'))), expect(AppendStatus::TooLarge));
  EXPECT_FALSE(answered);
  stage_.turn(stage_.loop(0));  // the lane's loop has no part in it
  EXPECT_TRUE(answered);
  answered = false;
  writer_.close();
  writer_.append(stage_.loop(0), request_of(event_of(a_, "x")), expect(AppendStatus::Stopped));
  EXPECT_FALSE(answered);
  stage_.turn(stage_.loop(0));
  EXPECT_TRUE(answered);
}

TEST_F(WriterTest, one_message_per_loop_carries_all_answers_of_a_group) {
  append(request_of(event_of(a_, "hold")));
  for (int i = 0; i < 5; ++i) append(request_of(event_of(a_, "x")), 0);
  for (int i = 0; i < 5; ++i) append(request_of(event_of(a_, "x")), 1);
  release();
  medium_.release(Persisted::Durable);
  stage_.turn(stage_.lane_loop());
  EXPECT_EQ(stage_.waiting(stage_.loop(0)), 1u);
  EXPECT_EQ(stage_.waiting(stage_.loop(1)), 1u);
  stage_.settle();
}

TEST_F(WriterTest, a_request_of_no_events_is_durable_at_once) {
  const auto answer = append({});
  ASSERT_THAT(*answer, HasStatus(AppendStatus::Durable));
  EXPECT_TRUE((*answer)->items.empty());
  EXPECT_FALSE(medium_.holds());
}

TEST_F(WriterTest, closing_lets_what_entered_finish) {
  const auto pending = append(request_of(event_of(a_, "1")));
  const auto waiting = append(request_of(event_of(a_, "2")));
  writer_.close();
  const auto late = append(request_of(event_of(a_, "3")));
  EXPECT_THAT(*late, HasStatus(AppendStatus::Stopped));
  EXPECT_FALSE(writer_.drained());
  release();
  EXPECT_FALSE(writer_.drained());
  release();
  EXPECT_TRUE(writer_.drained());
  EXPECT_THAT(*pending, IsOne(1, kFirst));
  EXPECT_THAT(*waiting, IsOne(2, kFirst));
}

}  // namespace
}  // namespace storage
