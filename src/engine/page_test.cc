// SPDX-License-Identifier: Apache-2.0
#include "engine/page.h"

#include <gmock/gmock.h>

#include "tests/support/engine_stage.h"

namespace engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Sheet final : PageSink {
  void on_event(const Event& event) override {
    EXPECT_FALSE(cursor || refusal);
    sequences.push_back(event.sequence);
    meanwhile();
  }
  void on_page(Cursor end) override {
    EXPECT_FALSE(cursor || refusal) << "a page ends once";
    cursor = end;
  }
  void on_refusal(const Reset& why) override {
    EXPECT_FALSE(cursor || refusal);
    refusal = why;
  }
  std::function<void()> meanwhile = [] {};
  std::vector<storage::Sequence> sequences;
  std::optional<Cursor> cursor;
  std::optional<Reset> refusal;
};

class PageTest : public testing::Test {
 protected:
  void set_up(storage::Limits limits = {}) {
    stage_ = std::make_unique<Stage>(Stage::Options{.loops = 2, .limits = limits});
  }
  void publish(const std::string& address, std::size_t count, const std::string& data = "{}") {
    for (std::size_t i = 0; i < count; ++i) stage_->publish(address, data);
  }
  Sheet read(Start start, std::size_t limit = 100, OnReset on_reset = OnReset::Latest) {
    Sheet sheet;
    PageReader reader(stage_->engine(), {AddressSet({stage_->member("a/1")}), start, limit, on_reset}, sheet);
    stage_->on_loop([&] { reader.start(); });
    EXPECT_TRUE(stage_->world.run_until([&] { return sheet.cursor || sheet.refusal; }, kPatienceNs));
    return sheet;
  }
  Cursor at(storage::Sequence sequence) { return stage_->engine().cursor(sequence); }

  std::unique_ptr<Stage> stage_;
};

TEST_F(PageTest, of_an_empty_log_is_empty) {
  set_up();
  const Sheet sheet = read(Earliest{});
  EXPECT_THAT(sheet.sequences, IsEmpty());
  EXPECT_EQ(sheet.cursor, at(0));
}

TEST_F(PageTest, begins_behind_its_start) {
  set_up();
  publish("a/1", 3);
  EXPECT_THAT(read(Earliest{}).sequences, ElementsAre(1, 2, 3));
  EXPECT_THAT(read(at(0)).sequences, ElementsAre(1, 2, 3));
  EXPECT_THAT(read(at(2)).sequences, ElementsAre(3));
  EXPECT_THAT(read(at(3)).sequences, IsEmpty());
  EXPECT_THAT(read(Latest{}).sequences, IsEmpty());
  EXPECT_EQ(read(Latest{}).cursor, at(3));
}

TEST_F(PageTest, has_its_own_address_only_and_a_cursor_past_the_rest) {
  set_up();
  publish("a/2", 2);
  publish("a/1", 1);
  publish("b/1", 2);
  const Sheet sheet = read(Earliest{});
  EXPECT_THAT(sheet.sequences, ElementsAre(3));
  EXPECT_EQ(sheet.cursor, at(5));
}

TEST_F(PageTest, ends_at_its_limit_with_the_cursor_of_its_last_event) {
  set_up();
  publish("a/1", 5);
  const Sheet sheet = read(Earliest{}, 2);
  EXPECT_THAT(sheet.sequences, ElementsAre(1, 2));
  EXPECT_EQ(sheet.cursor, at(2));
  EXPECT_THAT(read(*sheet.cursor, 2).sequences, ElementsAre(3, 4));
}

TEST_F(PageTest, pages_joined_are_the_log) {
  set_up();
  publish("a/1", 7);
  for (std::size_t limit = 1; limit <= 8; ++limit) {
    std::vector<storage::Sequence> all;
    Start from = Earliest{};
    for (Sheet sheet = read(from, limit); !sheet.sequences.empty(); sheet = read(from, limit)) {
      all.insert(all.end(), sheet.sequences.begin(), sheet.sequences.end());
      from = *sheet.cursor;
    }
    EXPECT_THAT(all, ElementsAre(1, 2, 3, 4, 5, 6, 7)) << limit;
  }
}

TEST_F(PageTest, ends_before_its_data_is_too_much_but_has_one_event_of_any_size) {
  set_up();
  publish("a/1", 3, '"' + std::string(kPageDataBytesMax / 2, 'x') + '"');
  EXPECT_THAT(read(Earliest{}).sequences, ElementsAre(1));
  EXPECT_EQ(read(Earliest{}).cursor, at(1));
  publish("a/1", 1, '"' + std::string(kPageDataBytesMax + 1, 'x') + '"');
  EXPECT_THAT(read(at(3)).sequences, ElementsAre(4));
}

TEST_F(PageTest, looks_at_a_limited_part_of_the_log) {
  set_up();
  constexpr std::size_t kOther = 3 << 20;
  publish("a/2", kPageScanBytesMax / kOther + 3, '"' + std::string(kOther, 'x') + '"');
  publish("a/1", 1);
  const Sheet sheet = read(Earliest{});
  EXPECT_THAT(sheet.sequences, IsEmpty());
  EXPECT_GT(sheet.cursor->sequence, 0u);
  EXPECT_LT(sheet.cursor->sequence, stage_->lane.durable());
  EXPECT_THAT(read(*sheet.cursor).sequences, ElementsAre(stage_->lane.durable())) << "asking again goes on";
}

TEST_F(PageTest, is_refused_where_a_stream_would_be_reset) {
  set_up({.memory_bytes_max = 3'000});
  publish("a/1", 40);
  const Sheet trimmed = read(at(0));
  ASSERT_TRUE(trimmed.refusal);
  EXPECT_EQ(trimmed.refusal->reason, ResetReason::Trimmed);
  EXPECT_EQ(trimmed.refusal->cursor, at(40));
  EXPECT_EQ(trimmed.refusal->latest, at(40));
  const Cursor earliest = trimmed.refusal->earliest;
  EXPECT_EQ(read(at(0), 100, OnReset::Earliest).refusal->cursor, earliest);
  EXPECT_EQ(read(earliest).sequences.front(), earliest.sequence + 1);
  EXPECT_EQ(read(Earliest{}).sequences.front(), earliest.sequence + 1);
  EXPECT_EQ(read(at(41)).refusal->reason, ResetReason::Ahead);
  EXPECT_EQ(read(Cursor{at(0).epoch ^ 1, 40}).refusal->reason, ResetReason::EpochChanged);
  EXPECT_EQ(read(Cursor{at(0).epoch ^ 1, 40}).refusal->earliest, earliest);
}

// It began where everything was complete, so what it has is a page; the next one is told.
TEST_F(PageTest, that_retention_overtook_while_it_was_read_keeps_what_it_has) {
  set_up({.memory_bytes_max = 6 << 20});
  const std::string megabyte = '"' + std::string((1 << 20) - 200, 'x') + '"';
  publish("a/1", 1);
  publish("a/2", 4, megabyte);
  Sheet sheet;
  sheet.meanwhile = [&] {
    for (int i = 0; i < 20; ++i) stage_->publish("a/2", megabyte, 1);
  };
  PageReader reader(stage_->engine(), {AddressSet({stage_->member("a/1")}), Earliest{}, 100}, sheet);
  stage_->on_loop([&] { reader.start(); });
  EXPECT_TRUE(stage_->world.run_until([&] { return sheet.cursor || sheet.refusal; }, kPatienceNs));
  EXPECT_FALSE(sheet.refusal);
  EXPECT_THAT(sheet.sequences, ElementsAre(1));
  EXPECT_TRUE(read(*sheet.cursor).refusal);
}

TEST_F(PageTest, may_end_before_its_answer) {
  set_up();
  publish("a/1", 1);
  Sheet sheet;
  {
    PageReader reader(stage_->engine(), {AddressSet({stage_->member("a/1")}), Earliest{}, 100}, sheet);
    reader.start();
  }
  stage_->settle();
  EXPECT_FALSE(sheet.cursor || sheet.refusal);
}

}  // namespace
}  // namespace engine
