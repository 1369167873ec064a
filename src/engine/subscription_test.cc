// SPDX-License-Identifier: Apache-2.0
#include "engine/subscription.h"

#include <gmock/gmock.h>

#include "engine/runs.h"
#include "tests/support/engine_stage.h"

namespace engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<storage::Sequence> numbers(storage::Sequence first, storage::Sequence last) {
  std::vector<storage::Sequence> all;
  for (storage::Sequence sequence = first; sequence <= last; ++sequence) all.push_back(sequence);
  return all;
}

constexpr std::size_t kPortionBytes = 256 << 10;

// Hands out entries whose records at or before the reader's position cannot be read: not even their lengths.
class ForgettingLane final : public FaultyLane {
 public:
  using FaultyLane::FaultyLane;
  void read(io::Loop& from, storage::ReadRequest request, ReadDone done) override {
    good_.read(from, std::move(request), [done = std::move(done)](storage::ReadReply reply) mutable {
      for (storage::BlockPtr& block : reply.blocks) block = without_past(*block, reply.after);
      done(std::move(reply));
    });
  }

 private:
  static storage::BlockPtr without_past(const storage::Block& block, storage::Sequence after) {
    auto copy = std::make_shared<storage::Block>(block);
    for (storage::Entry& entry : copy->entries) {
      const auto at = static_cast<std::size_t>(entry.batch.data() - block.bytes.data());
      entry.batch = base::Bytes(copy->bytes).substr(at, entry.batch.size());
      if (after < entry.first_sequence || after >= entry.last_sequence()) continue;
      codec::RecordReader records = codec::BatchView::parse(entry.batch, codec::BatchCrc::Skip)->records();
      for (storage::Sequence passed = entry.first_sequence; passed < after; ++passed) CHECK(records.skip(), "a record");
      const base::Bytes last = records.next()->tail;
      const std::size_t first_byte = at + codec::kBatchHeaderBytes;
      const auto end = static_cast<std::size_t>(last.data() + last.size() - copy->bytes.data());
      std::fill(copy->bytes.begin() + static_cast<std::ptrdiff_t>(first_byte),
                copy->bytes.begin() + static_cast<std::ptrdiff_t>(end), '\xff');
    }
    return copy;
  }
};

class SubscriptionTest : public testing::Test {
 protected:
  void set_up(storage::Limits limits = {}, std::size_t loops = 2, Stage::Wrap wrapping = nullptr) {
    stage_ = std::make_unique<Stage>(Stage::Options{.seed = 1, .loops = loops, .limits = limits, .wrap = wrapping});
  }
  void TearDown() override { subscription_.reset(); }

  void publish(const std::string& address, std::size_t count, const std::string& data = "{}", std::size_t from = 0) {
    std::size_t answered = 0;
    stage_->on_loop(
        [&] {
          for (std::size_t i = 0; i < count; ++i)
            stage_->begin_publish(address, data, [&](const PublishReply&) { ++answered; }, from);
        },
        from);
    ASSERT_TRUE(stage_->world.run_until([&] { return answered == count; }, kPatienceNs));
  }
  // One commit each.
  void publish_singly(const std::string& address, std::size_t count, std::size_t from = 0) {
    for (std::size_t i = 0; i < count; ++i) publish(address, 1, "{}", from);
  }
  // One commit for all of them.
  void publish_together(const std::string& address, std::size_t count, std::size_t data_bytes) {
    const std::string data = '"' + std::string(data_bytes - 2, 'x') + '"';
    codec::CloudEvent event;
    event.id = event.type = event.message = "x";
    event.source = "/x";
    event.address = address;
    event.data = data;
    std::string tail;
    codec::append_event_record(tail, event, {});
    const storage::TopicId topic = stage_->member(address).channel->topic;
    std::vector<storage::NewEvent> events(count, storage::NewEvent{topic, 0, tail, {}});
    bool done = false;
    stage_->on_loop([&] {
      stage_->lane.append(stage_->loop(), std::move(events), [&](const storage::AppendReply&) { done = true; });
    });
    ASSERT_TRUE(stage_->world.run_until([&] { return done; }, kPatienceNs));
  }
  void subscribe(const std::vector<std::string>& addresses, Start start, OnReset on_reset = OnReset::Latest) {
    std::vector<Member> members;
    for (const std::string& address : addresses) members.push_back(stage_->member(address));
    subscription_.reset();
    subscription_.emplace(stage_->engine(), std::move(members), start, on_reset, listener_);
    subscription_->start();
  }
  void subscribe_and_settle(Start start, OnReset on_reset = OnReset::Latest) {
    subscribe({"a/1"}, start, on_reset);
    stage_->settle();
  }
  Cursor at(storage::Sequence sequence) { return stage_->engine().cursor(sequence); }
  std::optional<ResetReason> reset() { return listener_.started.value().reset; }
  // The most that the subscription hands over in one step of the world, which is a turn of its loop at most.
  std::size_t most_in_a_turn(std::size_t events) {
    std::size_t most = 0, before = listener_.sequences.size();
    EXPECT_TRUE(stage_->world.run_until(
        [&] {
          most = std::max(most, listener_.sequences.size() - before);
          before = listener_.sequences.size();
          return before == events;
        },
        kPatienceNs));
    return most;
  }
  // While loop 0 is in a turn, which takes as long as `meanwhile` does.
  void stalled(io::Task meanwhile) { stage_->on_loop(std::move(meanwhile), 0); }

  std::unique_ptr<Stage> stage_;
  Listener listener_;
  std::optional<Subscription> subscription_;
};

TEST_F(SubscriptionTest, from_latest_gets_what_comes_and_nothing_before) {
  set_up();
  publish("a/1", 3);
  subscribe_and_settle(Latest{});
  EXPECT_FALSE(reset().has_value());
  EXPECT_EQ(listener_.started->cursor, at(3));
  EXPECT_EQ(listener_.lives, 1u);
  publish("a/1", 2);
  stage_->settle();
  EXPECT_THAT(listener_.sequences, ElementsAre(4, 5));
  EXPECT_EQ(subscription_->position(), at(5));
}

TEST_F(SubscriptionTest, from_earliest_gets_everything) {
  set_up();
  publish("a/1", 3);
  subscribe_and_settle(Earliest{});
  EXPECT_FALSE(reset().has_value());
  EXPECT_EQ(listener_.started->cursor, at(0));
  EXPECT_THAT(listener_.sequences, ElementsAre(1, 2, 3));
  EXPECT_TRUE(subscription_->is_live());
}

TEST_F(SubscriptionTest, from_a_cursor_gets_what_is_behind_it) {
  set_up();
  publish("a/1", 5);
  for (storage::Sequence from = 0; from <= 5; ++from) {
    listener_ = {};
    subscribe_and_settle(at(from));
    EXPECT_FALSE(reset().has_value());
    EXPECT_EQ(listener_.started->cursor, at(from));
    EXPECT_EQ(listener_.sequences, numbers(from + 1, 5));
  }
}

TEST_F(SubscriptionTest, resumes_at_the_trim_point_and_is_reset_before_it) {
  set_up({.memory_bytes_max = 3'000});
  publish_singly("a/1", 40);
  subscribe_and_settle(at(0));
  EXPECT_EQ(reset(), ResetReason::Trimmed);
  const Cursor earliest = listener_.started->earliest;
  ASSERT_GT(earliest.sequence, 1u);
  EXPECT_EQ(listener_.started->latest, at(40));
  EXPECT_EQ(listener_.started->cursor, at(40)) << "after a reset the stream goes on from latest";
  EXPECT_THAT(listener_.sequences, IsEmpty());

  listener_ = {};
  subscribe_and_settle(earliest);
  EXPECT_FALSE(reset().has_value()) << "the trim point itself is complete";
  EXPECT_EQ(listener_.sequences, numbers(earliest.sequence + 1, 40));

  listener_ = {};
  subscribe_and_settle(at(earliest.sequence - 1));
  EXPECT_EQ(reset(), ResetReason::Trimmed);

  listener_ = {};
  subscribe_and_settle(Earliest{});
  EXPECT_FALSE(reset().has_value());
  EXPECT_EQ(listener_.started->cursor, earliest);
  EXPECT_EQ(listener_.sequences, numbers(earliest.sequence + 1, 40));
}

TEST_F(SubscriptionTest, after_a_reset_goes_on_from_earliest_if_it_asked_for_that) {
  set_up({.memory_bytes_max = 3'000});
  publish_singly("a/1", 40);
  subscribe_and_settle(at(0), OnReset::Earliest);
  EXPECT_EQ(reset(), ResetReason::Trimmed);
  EXPECT_EQ(listener_.started->cursor, listener_.started->earliest);
  EXPECT_EQ(listener_.sequences, numbers(listener_.started->earliest.sequence + 1, 40));
}

TEST_F(SubscriptionTest, is_reset_when_its_cursor_is_ahead) {
  set_up();
  publish("a/1", 3);
  subscribe_and_settle(at(4));
  EXPECT_EQ(reset(), ResetReason::Ahead);
  EXPECT_EQ(listener_.started->cursor, at(3));
  EXPECT_EQ(listener_.started->earliest, at(0));
  publish("a/1", 1);
  stage_->settle();
  EXPECT_THAT(listener_.sequences, ElementsAre(4));
  listener_ = {};
  subscribe_and_settle(at(99), OnReset::Earliest);
  EXPECT_EQ(reset(), ResetReason::Ahead);
  EXPECT_EQ(listener_.sequences, numbers(1, 4));
}

TEST_F(SubscriptionTest, is_reset_when_its_cursor_is_of_another_epoch) {
  set_up();
  publish("a/1", 3);
  const Cursor other{at(0).epoch + 1, 2};
  subscribe_and_settle(other);
  EXPECT_EQ(reset(), ResetReason::EpochChanged);
  EXPECT_EQ(listener_.started->cursor, at(3));
  EXPECT_THAT(listener_.sequences, IsEmpty());
  listener_ = {};
  subscribe_and_settle(other, OnReset::Earliest);
  EXPECT_EQ(listener_.started->cursor, at(0));
  EXPECT_EQ(listener_.sequences, numbers(1, 3));
}

TEST_F(SubscriptionTest, that_is_full_goes_on_where_it_stopped) {
  set_up();
  publish("a/1", 10);
  listener_.room = 0;
  subscribe_and_settle(Earliest{});
  EXPECT_THAT(listener_.sequences, IsEmpty());
  EXPECT_EQ(subscription_->position(), at(0));
  publish_singly("a/1", 3);  // while it is full
  stage_->settle();
  EXPECT_EQ(listener_.refused, 1u) << "a full subscriber is not asked again";
  listener_.room = 10;  // takes the first run, and not the rest
  subscription_->resume();
  stage_->settle();
  EXPECT_EQ(listener_.sequences, numbers(1, 10));
  EXPECT_EQ(subscription_->position(), at(10));
  EXPECT_FALSE(subscription_->is_live());
  listener_.room = Listener::kUnlimited;
  subscription_->resume();
  stage_->settle();
  EXPECT_EQ(listener_.sequences, numbers(1, 13));
  EXPECT_TRUE(subscription_->is_live());
}

TEST_F(SubscriptionTest, that_is_full_when_live_goes_on_where_it_stopped) {
  set_up();
  subscribe_and_settle(Latest{});
  publish("b/1", 2);  // moves the position of an idle subscription
  stage_->settle();
  EXPECT_EQ(subscription_->position(), at(2));
  listener_.room = 0;
  publish("a/1", 2);
  publish("b/1", 5);
  stage_->settle();
  EXPECT_EQ(subscription_->position(), at(2)) << "what was refused is not behind the position";
  listener_.room = Listener::kUnlimited;
  subscription_->resume();
  stage_->settle();
  EXPECT_THAT(listener_.sequences, ElementsAre(3, 4));
  EXPECT_EQ(subscription_->position(), at(9));
}

TEST_F(SubscriptionTest, resume_means_nothing_unless_it_is_full) {
  set_up();
  subscribe({"a/1"}, Earliest{});
  subscription_->resume();
  EXPECT_FALSE(listener_.started.has_value());
  stage_->settle();
  subscription_->resume();
  EXPECT_EQ(listener_.lives, 1u);
}

TEST_F(SubscriptionTest, catches_up_in_portions_so_that_others_get_their_turn) {
  set_up();
  constexpr std::size_t kEvents = 60, kEventBytes = 50'000;
  const std::string data = '"' + std::string(kEventBytes, 'x') + '"';
  for (std::size_t i = 0; i < kEvents; ++i) publish("a/1", 1, data);
  stage_->settle();
  subscribe({"a/1"}, at(0));
  EXPECT_LE(most_in_a_turn(kEvents) * kEventBytes, kPortionBytes + kEventBytes);
  EXPECT_EQ(listener_.sequences, numbers(1, kEvents));
}

TEST_F(SubscriptionTest, catches_up_within_one_large_commit_in_portions_too) {
  constexpr std::size_t kEvents = 3'000, kEventBytes = 1'000;
  for (const std::size_t follower_waiting_bytes_max : {storage::kFollowerWaitingBytesMax, std::size_t{1'000}}) {
    listener_ = {};
    subscription_.reset();
    set_up({.follower_waiting_bytes_max = follower_waiting_bytes_max});
    publish_together("a/1", kEvents, kEventBytes);
    stage_->settle();
    subscribe({"a/1"}, Earliest{});
    EXPECT_LE(most_in_a_turn(kEvents) * kEventBytes, kPortionBytes + kRunBytesMax);
    EXPECT_EQ(listener_.sequences, numbers(1, kEvents));
    stage_->settle();
    EXPECT_TRUE(subscription_->is_live());
  }
}

TEST_F(SubscriptionTest, passes_what_does_not_match_in_portions_too) {
  set_up();
  constexpr std::size_t kEvents = 3'000, kPortions = 10;
  publish_together("a/2", kEvents, 1'000);
  publish("a/1", 1);
  stage_->settle();
  subscribe({"a/1"}, Earliest{});
  std::vector<storage::Sequence> positions;
  ASSERT_TRUE(stage_->world.run_until(
      [&] {
        const storage::Sequence position = subscription_->position().sequence;
        if (positions.empty() || positions.back() != position) positions.push_back(position);
        return listener_.lives == 1;
      },
      kPatienceNs));
  EXPECT_GE(positions.size(), kPortions);
  EXPECT_THAT(listener_.sequences, ElementsAre(kEvents + 1));
}

TEST_F(SubscriptionTest, reads_no_event_of_an_entry_again_when_it_goes_on_within_it) {
  set_up({.follower_waiting_bytes_max = 1'000}, 2, wrap<ForgettingLane>);
  constexpr std::size_t kEvents = 1'000, kRoom = 100;
  publish_together("a/1", kEvents, 900);
  stage_->settle();
  listener_.room = kRoom;
  subscribe_and_settle(Earliest{});
  for (std::size_t i = 0; i < kEvents && !subscription_->is_live(); ++i) {
    listener_.room = kRoom;
    subscription_->resume();
    stage_->settle();
  }
  EXPECT_GT(listener_.refused, 5u);
  EXPECT_EQ(listener_.sequences, numbers(1, kEvents));
}

TEST_F(SubscriptionTest, resumes_at_every_place_within_an_entry) {
  set_up();
  constexpr std::size_t kEvents = 200;
  publish_together("a/1", kEvents, 10);
  for (storage::Sequence from = 0; from <= kEvents; from += 7) {
    listener_ = {};
    subscribe_and_settle(at(from));
    EXPECT_EQ(listener_.sequences, numbers(from + 1, kEvents));
  }
}

TEST_F(SubscriptionTest, reads_the_lane_after_its_loop_has_lost_the_tail) {
  set_up({.follower_waiting_bytes_max = 1'000});
  subscribe_and_settle(Latest{});
  stalled([&] { publish_singly("a/1", 30, 1); });
  stage_->settle();
  EXPECT_EQ(listener_.sequences, numbers(1, 30));
  EXPECT_GT(stage_->engine().counters().tail_lost, 0u);
  EXPECT_GT(stage_->engine().counters().cold_reads, 0u);
  EXPECT_TRUE(subscription_->is_live());
  EXPECT_EQ(subscription_->position(), at(30));
}

TEST_F(SubscriptionTest, is_told_when_retention_overtook_it) {
  for (const OnReset on_reset : {OnReset::Latest, OnReset::Earliest}) {
    listener_ = {};
    subscription_.reset();
    set_up({.memory_bytes_max = 3'000, .follower_waiting_bytes_max = 1'000});
    subscribe_and_settle(Latest{}, on_reset);
    listener_.room = 0;
    stalled([&] { publish_singly("a/1", 40, 1); });
    stage_->settle();
    listener_.room = Listener::kUnlimited;
    subscription_->resume();
    stage_->settle();
    ASSERT_EQ(listener_.resets.size(), 1u);
    const Reset& reset = listener_.resets[0];
    EXPECT_EQ(reset.reason, ResetReason::Trimmed);
    EXPECT_EQ(reset.latest, at(40));
    EXPECT_EQ(reset.cursor, on_reset == OnReset::Earliest ? reset.earliest : at(40));
    EXPECT_EQ(listener_.sequences, numbers(reset.cursor.sequence + 1, 40));
    publish("a/1", 1);
    stage_->settle();
    EXPECT_EQ(listener_.sequences.back(), 41u);
  }
}

TEST_F(SubscriptionTest, skips_live_what_its_snapshot_of_the_head_had_already) {
  set_up();
  // Its loop has not heard of the three yet, and latest means behind them.
  stalled([&] {
    publish("a/1", 3, "{}", 1);
    ASSERT_EQ(stage_->engine().loop_end(), 0u);
    subscribe({"a/1"}, Latest{});
    EXPECT_EQ(listener_.started->cursor, at(3));
    EXPECT_EQ(subscription_->position(), at(3)) << "a position never goes back to its loop's end";
  });
  publish("a/1", 1, "{}", 1);
  stage_->settle();
  EXPECT_THAT(listener_.sequences, ElementsAre(4));
}

TEST_F(SubscriptionTest, gets_what_is_published_between_its_cursor_and_its_registration_once) {
  set_up();
  publish("a/1", 1);
  stalled([&] {
    publish("a/1", 2, "{}", 1);
    subscribe({"a/1"}, at(1));
  });
  publish("a/1", 1, "{}", 1);
  stage_->settle();
  EXPECT_THAT(listener_.sequences, ElementsAre(2, 3, 4));
}

TEST_F(SubscriptionTest, may_end_while_it_waits_for_the_lane) {
  set_up();
  publish("a/1", 3);
  subscribe({"a/1"}, Earliest{});
  subscription_.reset();
  stage_->settle();
  EXPECT_FALSE(listener_.started.has_value());
}

TEST_F(SubscriptionTest, of_several_addresses_keeps_the_order_of_the_log) {
  set_up();
  for (int i = 0; i < 3; ++i) {
    publish("a/1", 1);
    publish("b/1", 1);
    publish("a/2", 1);
  }
  subscribe({"b/1", "a/1"}, Earliest{});
  stage_->settle();
  EXPECT_THAT(listener_.sequences, ElementsAre(1, 2, 4, 5, 7, 8));
}

TEST_F(SubscriptionTest, tells_progress_past_what_does_not_match) {
  set_up();
  publish("a/2", 2'500);
  publish("a/1", 1);
  subscribe_and_settle(Earliest{});
  EXPECT_THAT(listener_.sequences, ElementsAre(2'501));
  ASSERT_EQ(listener_.progress.size(), 1u) << "every thousand skipped, but once a second";
  EXPECT_GE(listener_.progress[0].sequence, 1'000u);
  EXPECT_LE(listener_.progress[0].sequence, 2'500u);
}

TEST_F(SubscriptionTest, tells_progress_past_other_topics_whether_it_was_shown_them_or_not) {
  for (const std::size_t follower_waiting_bytes_max : {storage::kFollowerWaitingBytesMax, std::size_t{1'000}}) {
    listener_ = {};
    subscription_.reset();
    set_up({.follower_waiting_bytes_max = follower_waiting_bytes_max});
    subscribe_and_settle(Latest{});
    listener_.room = 0;
    publish("a/1", 1);
    publish("b/1", 2'500);
    stage_->settle();
    ASSERT_FALSE(subscription_->is_live());
    listener_.room = Listener::kUnlimited;
    subscription_->resume();
    stage_->settle();
    EXPECT_THAT(listener_.sequences, ElementsAre(1));
    ASSERT_EQ(listener_.progress.size(), 1u) << "every thousand skipped, but once a second";
    EXPECT_GE(listener_.progress[0].sequence, 1'001u);
    EXPECT_LE(listener_.progress[0].sequence, 2'501u);
  }
}

TEST_F(SubscriptionTest, of_ephemeral_channels_lives_from_now_on) {
  set_up();
  publish("typing/1", 1, "1");
  subscribe({"typing/1"}, Latest{});
  EXPECT_FALSE(reset().has_value());
  EXPECT_THAT(listener_.started->live_only, ElementsAre("typing/1"));
  publish("typing/1", 1, "2", 1);
  publish("typing/2", 1, "3", 1);
  publish("typing/1", 1, "4", 0);
  stage_->settle();
  EXPECT_THAT(listener_.data, ElementsAre("2", "4"));
  EXPECT_THAT(listener_.sequences, ElementsAre(0, 0));
  EXPECT_EQ(stage_->lane.durable(), 0u);
}

TEST_F(SubscriptionTest, of_ephemeral_channels_alone_cannot_resume) {
  set_up();
  publish("a/1", 2);
  for (const Start start : {Start(Earliest{}), Start(at(1)), Start(Cursor{1, 1})}) {
    listener_ = {};
    subscribe({"typing/1"}, start);
    EXPECT_EQ(reset(), ResetReason::NotRetained);
    EXPECT_EQ(listener_.started->cursor, at(2));
    EXPECT_THAT(listener_.started->live_only, ElementsAre("typing/1"));
  }
  publish("typing/1", 1, "5");
  stage_->settle();
  EXPECT_THAT(listener_.data, ElementsAre("5"));
}

TEST_F(SubscriptionTest, of_both_kinds_resumes_by_the_durable_ones) {
  set_up();
  publish("a/1", 3);
  publish("typing/1", 1);
  subscribe({"a/1", "typing/1"}, at(1));
  stage_->settle();
  EXPECT_FALSE(reset().has_value());
  EXPECT_THAT(listener_.started->live_only, ElementsAre("typing/1"));
  EXPECT_THAT(listener_.sequences, ElementsAre(2, 3));
  publish("typing/1", 1);
  publish("a/1", 1);
  stage_->settle();
  EXPECT_THAT(listener_.sequences, ElementsAre(2, 3, 0, 4));
}

TEST_F(SubscriptionTest, drops_and_counts_ephemeral_events_that_it_has_no_room_for) {
  set_up();
  subscribe({"a/1", "typing/1"}, Latest{});
  listener_.room = 0;
  publish("typing/1", 1);
  stage_->settle();
  EXPECT_EQ(stage_->engine().counters().ephemeral_dropped, 1u);
  EXPECT_TRUE(subscription_->is_live()) << "what is lost anyway is no reason to fall behind";
  publish("a/1", 1);
  stage_->settle();
  ASSERT_FALSE(subscription_->is_live());
  publish("typing/1", 1);
  stage_->settle();
  EXPECT_EQ(stage_->engine().counters().ephemeral_dropped, 2u);
  listener_.room = Listener::kUnlimited;
  subscription_->resume();
  publish("typing/1", 1);
  stage_->settle();
  EXPECT_THAT(listener_.sequences, ElementsAre(1, 0));
}

TEST_F(SubscriptionTest, is_spared_ephemeral_events_while_too_much_of_them_waits_for_its_loop) {
  set_up();
  subscribe({"typing/1"}, Latest{});
  constexpr std::size_t kEvents = 40;
  const std::string mebibyte = '"' + std::string((1 << 20) - 2, 'x') + '"';
  stalled([&] { publish("typing/1", kEvents, mebibyte, 1); });
  stage_->settle();
  const std::size_t delivered = listener_.data.size();
  EXPECT_EQ(delivered, kEphemeralWaitingBytesMax / mebibyte.size() - 1) << "each takes a little more than its data";
  EXPECT_EQ(stage_->engine(1).counters().ephemeral_dropped, kEvents - delivered) << "the publishing loop counts";
  EXPECT_EQ(stage_->engine(1).counters().published, kEvents);
  // What has run waits no longer.
  listener_.data.clear();
  stalled([&] { publish("typing/1", kEvents, mebibyte, 1); });
  stage_->settle();
  EXPECT_EQ(listener_.data.size(), delivered);
}

TEST_F(SubscriptionTest, counts_what_it_delivered_of_ephemeral_channels_too) {
  set_up();
  subscribe({"a/1", "typing/1"}, Latest{});
  publish("typing/1", 1);
  publish("a/1", 1);
  stage_->settle();
  EXPECT_EQ(stage_->engine().counters().delivered, 2u);
}

TEST_F(SubscriptionTest, gets_each_event_once_even_if_it_names_an_address_twice) {
  set_up();
  subscribe({"a/1", "typing/1", "a/1", "typing/1"}, Latest{});
  EXPECT_EQ(listener_.started->live_only.size(), 1u);
  publish("a/1", 1);
  publish("typing/1", 1);
  stage_->settle();
  EXPECT_THAT(listener_.sequences, ElementsAre(1, 0));
}

}  // namespace
}  // namespace engine
