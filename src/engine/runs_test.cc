// SPDX-License-Identifier: Apache-2.0
#include "engine/runs.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace engine {
namespace {

struct Given {
  std::string address;
  std::string data;
};

class EntryOf {
 public:
  EntryOf(storage::Sequence first, const std::vector<Given>& events) {
    codec::BatchBuilder builder;
    builder.start(0, 1'000);
    for (const Given& given : events) {
      codec::CloudEvent event;
      event.id = "i";
      event.source = "/s";
      event.type = "t";
      event.address = given.address;
      event.message = "m";
      event.data = given.data;
      std::string tail;
      codec::append_event_record(tail, event, {});
      builder.add(1'000, tail);
    }
    bytes_ = builder.finish();
    entry = {1, static_cast<std::uint32_t>(events.size()), first, bytes_};
  }
  storage::Entry entry;

 private:
  std::string bytes_;
};

struct Piece {
  std::string address;
  storage::Sequence first;
  std::size_t size;
  bool operator==(const Piece&) const = default;
};

std::vector<Piece> runs_of(const EntryOf& given) {
  RunReader reader(given.entry);
  std::vector<Event> run;
  std::vector<Piece> all;
  while (reader.next(run)) all.push_back({std::string(run[0].content.address), run[0].sequence, run.size()});
  EXPECT_TRUE(run.empty()) << "the end leaves no run behind";
  return all;
}

TEST(Runs, end_where_the_address_changes) {
  EXPECT_EQ(runs_of(EntryOf(5, {{"x", "1"}, {"x", "2"}, {"y", "3"}, {"x", "4"}})),
            (std::vector<Piece>{{"x", 5, 2}, {"y", 7, 1}, {"x", 8, 1}}));
}

TEST(Runs, number_their_events_without_holes) {
  const EntryOf given(9, {{"x", "1"}, {"x", "2"}, {"x", "3"}});
  RunReader reader(given.entry);
  std::vector<Event> run;
  ASSERT_TRUE(reader.next(run));
  ASSERT_EQ(run.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(run[i].sequence, 9 + i);
    EXPECT_EQ(run[i].content.data, std::to_string(i + 1));
  }
}

TEST(Runs, have_a_limited_number_of_events) {
  const std::vector<Given> events(2 * kRunEventsMax + 1, {"x", "1"});
  EXPECT_EQ(runs_of(EntryOf(1, events)),
            (std::vector<Piece>{
                {"x", 1, kRunEventsMax}, {"x", 1 + kRunEventsMax, kRunEventsMax}, {"x", 1 + 2 * kRunEventsMax, 1}}));
}

TEST(Runs, have_a_limited_number_of_bytes) {
  const std::string third(kRunBytesMax / 3 + 1, 'x');
  EXPECT_EQ(runs_of(EntryOf(1, {{"x", third}, {"x", third}, {"x", third}})),
            (std::vector<Piece>{{"x", 1, 2}, {"x", 3, 1}}));
}

TEST(Runs, take_one_event_of_any_size) {
  const std::string large(3 * kRunBytesMax, 'x');
  EXPECT_EQ(runs_of(EntryOf(1, {{"x", "1"}, {"x", large}, {"x", "2"}})),
            (std::vector<Piece>{{"x", 1, 1}, {"x", 2, 1}, {"x", 3, 1}}));
}

TEST(Runs, go_on_behind_any_sequence_with_any_mark_that_was_taken_on_the_way) {
  const std::vector<Given> events = {{"x", "1"}, {"x", "2"}, {"y", "3"}, {"x", "4"}, {"x", "5"}};
  const EntryOf given(9, events);
  std::vector<EntryMark> marks = {{}};
  RunReader whole(given.entry);
  std::vector<Event> run;
  do marks.push_back(whole.mark());
  while (whole.next(run));
  ASSERT_EQ(marks.size(), 5u);
  for (const EntryMark& mark : marks) {
    for (storage::Sequence after = 0; after < given.entry.last_sequence(); ++after) {
      RunReader reader(given.entry, after, mark);
      for (storage::Sequence next = std::max<storage::Sequence>(after + 1, 9); reader.next(run);) {
        for (const Event& event : run) {
          EXPECT_EQ(event.sequence, next);
          EXPECT_EQ(event.content.data, events[next - 9].data);
          ++next;
        }
      }
      EXPECT_EQ(reader.mark().next_sequence, given.entry.last_sequence() + 1);
      EXPECT_EQ(reader.mark().offset, given.entry.batch.size());
    }
  }
}

TEST(Runs, take_no_mark_of_another_entry) {
  const EntryOf one(9, {{"x", "1"}, {"y", "2"}, {"x", "3"}});
  const EntryOf behind(12, {{"x", "1"}, {"x", "2"}, {"x", "3"}});
  const EntryOf longer(9, {{"x", "the first of another shape"}, {"y", "2"}, {"x", "3"}});
  std::vector<Event> run;
  RunReader reader(one.entry);
  ASSERT_TRUE(reader.next(run));
  for (const EntryOf* other : {&behind, &longer}) {
    RunReader marked(other->entry, other->entry.first_sequence, reader.mark());
    ASSERT_TRUE(marked.next(run));
    EXPECT_EQ(run.front().sequence, other->entry.first_sequence + 1);
    EXPECT_EQ(run.front().content.data, "2");
  }
}

}  // namespace
}  // namespace engine
