// SPDX-License-Identifier: Apache-2.0
#include "storage/log/lane_state.h"

#include <gtest/gtest.h>

#include "codec/record_batch.h"
#include "storage/log/little_endian.h"

namespace storage {
namespace {

LaneState some_state() {
  LaneState state;
  state.identity.epoch = 0x1122'3344'5566'7788;
  state.identity.deduplication_key = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  state.lock = {77, 88};
  state.next_sequence = 1'005;
  state.lane_time_ns = 42;
  state.runs = {{1, 0}, {1'000, 17}};
  state.topics = {{5, 3, {.age_ns = 1, .bytes = 2}, "likes/*"}, {0, 0, {}, ""}, {9, 1'004, {}, "x"}};
  state.manifest = {{1, 11, 1, 9, 20, 0xabcd, 7}, {4, 12, 10, 17, 30, 0xef, 8}};
  state.damage = {{2, 3}, {12, 12}};
  return state;
}

// A group as the log writes it, and the view of it.
class Group {
 public:
  Group& control(RecordKind kind, base::Bytes body, TopicId topic = 0) {
    append_control_record(bytes_, kind, topic, body);
    return *this;
  }
  Group& events(TopicId topic, std::int64_t offset, Sequence first, std::size_t count) {
    codec::BatchBuilder builder;
    std::string tail;
    codec::append_record_tail(tail, std::nullopt, "v", {});
    builder.start(offset, 0);
    for (std::size_t i = 0; i < count; ++i) builder.add(0, tail);
    const std::vector<std::uint64_t> addresses(count);
    append_batch_record(bytes_, {topic, first, addresses, {}, builder.finish()});
    if (commit_.first_sequence == 0) commit_.first_sequence = first;
    commit_.last_sequence = first + count - 1;
    return *this;
  }
  GroupView view(std::uint64_t lane_time_ns = 0) {
    commit_.lane_time_ns = lane_time_ns;
    append_commit_room(bytes_);
    commit_ = seal_group(bytes_, Seed(1), commit_);
    return {base::Bytes(bytes_).substr(0, bytes_.size() - kCommitBytes), commit_};
  }

 private:
  std::string bytes_;
  CommitRecord commit_;
};

TEST(LaneStateTest, is_what_it_was_after_a_round_trip) {
  const std::string body = encode_lane_state(some_state());
  const auto state = decode_lane_state(body);
  ASSERT_TRUE(state);
  EXPECT_EQ(encode_lane_state(*state), body);
  EXPECT_EQ(state->identity.epoch, some_state().identity.epoch);
  EXPECT_EQ(state->identity.deduplication_key, some_state().identity.deduplication_key);
  EXPECT_EQ(state->lock, some_state().lock);
  EXPECT_EQ(state->next_sequence, 1'005u);
  EXPECT_EQ(state->lane_time_ns, 42u);
  ASSERT_EQ(state->runs.size(), 2u);
  EXPECT_EQ(state->runs[1].previous_end, 17u);
  ASSERT_EQ(state->topics.size(), 3u);
  EXPECT_EQ(state->topics[0].identity, "likes/*");
  EXPECT_EQ(state->topics[0].retention, (Retention{.age_ns = 1, .bytes = 2}));
  EXPECT_EQ(state->topics[2].next_offset, 9);
  EXPECT_EQ(state->topics[2].complete_after, 1'004u);
  ASSERT_EQ(state->manifest.size(), 2u);
  EXPECT_EQ(state->manifest[1].last_commit_crc, 0xefu);
  EXPECT_EQ(state->manifest[1].last_lane_time_ns, 8u);
  EXPECT_EQ(state->damage, some_state().damage);
}

TEST(LaneStateTest, is_refused_if_it_is_cut_at_any_length_or_longer) {
  const std::string body = encode_lane_state(some_state());
  for (std::size_t length = 0; length < body.size(); ++length) {
    const auto state = decode_lane_state(base::Bytes(body).substr(0, length));
    ASSERT_FALSE(state) << length;
    EXPECT_EQ(state.error().code, base::Errc::BadInput);
  }
  EXPECT_FALSE(decode_lane_state(body + '\0'));
}

// Its checksum refuses them; if it did not, nothing worse than another state comes of it.
TEST(LaneStateTest, is_refused_or_is_a_state_whatever_bit_is_wrong) {
  const std::string body = encode_lane_state(some_state());
  for (std::size_t bit = 0; bit < body.size() * 8; ++bit) {
    std::string wrong = body;
    wrong[bit / 8] = static_cast<char>(wrong[bit / 8] ^ 1 << bit % 8);
    const auto state = decode_lane_state(wrong);
    if (!state) continue;
    const auto again = decode_lane_state(encode_lane_state(*state));
    ASSERT_TRUE(again) << bit;
    EXPECT_EQ(encode_lane_state(*again), encode_lane_state(*state)) << bit;
  }
}

TEST(LaneStateTest, allocates_nothing_for_a_count_that_cannot_be) {
  std::string body = encode_lane_state(LaneState{});
  // The counts of runs, topics, segments and damage stand at the end, 8 bytes each.
  for (std::size_t at = body.size() - 32; at < body.size(); at += 8) {
    std::string wrong = body;
    store_le<std::uint32_t>(wrong.data() + at, 0xffff'ffff);
    EXPECT_FALSE(decode_lane_state(wrong));
  }
}

TEST(LaneStateTest, follows_events_of_topics) {
  LaneState state;
  ASSERT_TRUE(state.apply(Group().control(RecordKind::Topic, encode_topic({0, 0, {}, "a"}), 1).view()));
  ASSERT_TRUE(state.apply(Group().events(1, 0, 1, 3).events(1, 3, 4, 2).view(99)));
  EXPECT_EQ(state.topics.at(0).identity, "a");
  EXPECT_EQ(state.topics.at(0).next_offset, 5);
  EXPECT_EQ(state.next_sequence, 6u);
  EXPECT_EQ(state.end(), 5u);
  EXPECT_EQ(state.lane_time_ns, 99u);
}

TEST(LaneStateTest, gives_a_known_topic_another_retention_and_nothing_else) {
  LaneState state = some_state();
  const TopicState declared{0, 0, {.age_ns = 5, .bytes = 6}, "likes/*"};
  ASSERT_TRUE(state.apply(Group().control(RecordKind::Topic, encode_topic(declared), 1).view()));
  EXPECT_EQ(state.topics[0].retention, declared.retention);
  EXPECT_EQ(state.topics[0].next_offset, 5);
  EXPECT_EQ(state.topics[0].complete_after, 3u);
}

TEST(LaneStateTest, trims_forward_only) {
  LaneState state = some_state();
  ASSERT_TRUE(state.apply(Group().control(RecordKind::Trim, encode_trims({{1, 8}, {3, 900}})).view()));
  EXPECT_EQ(state.topics[0].complete_after, 8u);
  EXPECT_EQ(state.topics[2].complete_after, 1'004u);
}

TEST(LaneStateTest, takes_epoch_and_lock_from_a_run) {
  LaneState state = some_state();
  LaneState next = state;
  next.identity.epoch = 5;
  next.lock = {1, 2};
  ASSERT_TRUE(state.apply(Group().control(RecordKind::Run, encode_run(next, {2'000, 1'004})).view()));
  EXPECT_EQ(state.identity.epoch, 5u);
  EXPECT_EQ(state.lock, next.lock);
  EXPECT_EQ(state.next_sequence, 2'000u);
  EXPECT_EQ(state.end(), 1'004u);
  EXPECT_EQ(state.runs.size(), 3u);
}

TEST(LaneStateTest, leaves_out_a_run_without_an_event) {
  LaneState state = some_state();
  ASSERT_TRUE(state.apply(Group().control(RecordKind::Run, encode_run(state, {2'000, 1'004})).view()));
  ASSERT_TRUE(state.apply(Group().control(RecordKind::Run, encode_run(state, {3'000, 1'004})).view()));
  ASSERT_EQ(state.runs.size(), 3u);
  EXPECT_EQ(state.runs.back().first, 3'000u);
  EXPECT_EQ(state.end(), 1'004u);
  EXPECT_TRUE(state.is_between_runs(2'000));
}

TEST(LaneStateTest, knows_positions_that_no_event_has) {
  LaneState state;
  EXPECT_FALSE(state.is_between_runs(0));
  state.runs = {{1, 0}, {100, 20}, {200, 150}};
  state.next_sequence = 205;
  for (const Sequence between : {21u, 98u, 151u, 198u}) EXPECT_TRUE(state.is_between_runs(between)) << between;
  for (const Sequence at : {0u, 1u, 20u, 99u, 100u, 150u, 199u, 200u, 204u, 1'000u}) {
    EXPECT_FALSE(state.is_between_runs(at)) << at;
  }
}

TEST(LaneStateTest, replaces_the_manifest) {
  LaneState state = some_state();
  ASSERT_TRUE(state.apply(Group().control(RecordKind::Segments, encode_manifest({state.manifest[1]})).view()));
  ASSERT_EQ(state.manifest.size(), 1u);
  EXPECT_EQ(state.manifest[0].number, 4u);
}

TEST(LaneStateTest, joins_damage_that_touches) {
  LaneState state = some_state();
  ASSERT_TRUE(state.apply(Group().control(RecordKind::Damage, encode_damage({{4, 6}, {9, 9}})).view()));
  EXPECT_EQ(state.damage, (std::vector<DamagedRange>{{2, 6}, {9, 9}, {12, 12}}));
  add_damage(state.damage, {1, 11});
  EXPECT_EQ(state.damage, (std::vector<DamagedRange>{{1, 12}}));
  add_damage(state.damage, {20, ~Sequence{0}});
  add_damage(state.damage, {15, 15});
  EXPECT_EQ(state.damage, (std::vector<DamagedRange>{{1, 12}, {15, 15}, {20, ~Sequence{0}}}));
}

TEST(LaneStateTest, gives_nobody_the_id_of_a_topic_whose_name_is_lost) {
  LaneState state;
  ASSERT_TRUE(state.apply(Group().events(3, 40, 1, 2).view()));
  ASSERT_EQ(state.topics.size(), 3u);
  EXPECT_EQ(state.topics[2].next_offset, 42);
  EXPECT_NE(state.topics[0].identity, state.topics[1].identity);
}

TEST(LaneStateTest, refuses_records_that_make_no_sense) {
  const auto refuses = [](Group group) {
    LaneState state = some_state();
    const auto applied = state.apply(group.view());
    return !applied && applied.error().code == base::Errc::BadInput;
  };
  EXPECT_TRUE(refuses(Group().control(RecordKind::Topic, "short", 1)));
  EXPECT_TRUE(refuses(Group().control(RecordKind::Topic, encode_topic({}), 0)));
  EXPECT_TRUE(refuses(Group().control(RecordKind::Topic, encode_topic({}), 0xffff'ffff)));
  EXPECT_TRUE(refuses(Group().events(0xffff'ffff, 0, 2'000, 1)));
  EXPECT_TRUE(refuses(Group().control(RecordKind::Trim, encode_trims({{1, 8}}) + "x")));
  EXPECT_TRUE(refuses(Group().control(RecordKind::Trim, encode_trims({{0, 8}}))));
  EXPECT_TRUE(refuses(Group().control(RecordKind::Run, "")));
  EXPECT_TRUE(refuses(Group().control(RecordKind::Run, encode_run({}, {900, 800}))));  // behind what was given out
  EXPECT_TRUE(
      refuses(Group().control(RecordKind::Run, encode_run({}, {2'000, 2'000}))));  // before its predecessor's end
  EXPECT_TRUE(refuses(Group().control(RecordKind::Segments, encode_manifest({}) + "x")));
  EXPECT_TRUE(refuses(Group().control(RecordKind::Damage, encode_damage({{5, 4}}))));
  EXPECT_TRUE(refuses(Group().control(RecordKind::Damage, encode_damage({{0, 4}}))));
  EXPECT_TRUE(refuses(Group().control(RecordKind::LaneState, "x")));
  const std::vector<ManifestEntry> manifest = some_state().manifest;
  EXPECT_TRUE(refuses(Group().control(RecordKind::Segments, encode_manifest({manifest[1], manifest[0]}))));
}

TEST(LaneStateTest, begins_every_segment) {
  SegmentHeader header;
  header.number = 42;
  header.id = 7;
  const SegmentStart start = encode_segment_start(header, some_state(), {.number = 5, .synced_through = 4});
  ASSERT_TRUE(parse_segment_start(start.bytes));
  const auto group = parse_group(base::Bytes(start.bytes).substr(kFirstGroupAt), header.seed());
  ASSERT_TRUE(group);
  EXPECT_EQ(group->commit.number, 5u);
  EXPECT_EQ(group->commit.crc, start.commit.crc);
  EXPECT_EQ(start.bytes.size(), kFirstGroupAt + group->bytes());
  LaneState state;
  ASSERT_TRUE(state.apply(*group));
  EXPECT_EQ(state.identity.epoch, some_state().identity.epoch);
}

TEST(LaneStateTest, names_segments_by_their_number) {
  EXPECT_EQ(segment_name(42), "000000000000002a.segment");
  EXPECT_EQ(segment_name(~SegmentNumber{0}), "ffffffffffffffff.segment");
  EXPECT_EQ(segment_number("000000000000002a.segment"), 42u);
  EXPECT_EQ(segment_number("ffffffffffffffff.segment"), ~SegmentNumber{0});
  for (const char* name : {"", "lock", "2a.segment", "000000000000002A.segment", "000000000000002a.segment.tmp",
                           "000000000000002g.segment", "000000000000002a.Segment", "000000000000002a"}) {
    EXPECT_FALSE(segment_number(name)) << name;
  }
}

}  // namespace
}  // namespace storage
