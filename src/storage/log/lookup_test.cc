// SPDX-License-Identifier: Apache-2.0
// Positions, newest events and reads by address on the durable lane, against a plain list of what was published.
#include "storage/log/lookup.h"

#include <errno.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/lane_clock.h"
#include "storage/log/file_lane.h"
#include "storage/test_stage.h"
#include "tests/support/sim_world.h"

namespace storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Topics = std::vector<TopicId>;
using Hashes = std::vector<std::uint64_t>;
using Sequences = std::vector<Sequence>;

constexpr std::uint64_t kPatienceNs = 600 * sim::kSecondNs;

// An address belongs to one topic.
struct Published {
  Sequence sequence;
  TopicId topic;
  std::uint64_t address;
  std::int64_t wall_ms;
};

std::uint64_t hash_of(std::uint64_t number) { return (number + 1) * 0x9e37'79b9'7f4a'7c15; }

class LookupTest : public testing::Test {
 protected:
  struct Run {
    Run(sim::SimWorld& world, const Limits& limits) : lane_loop(world.world(), "lane"), loop(world.world(), "loop") {
      auto opened = FileLane::open(world.world(), lane_loop, "/lane", limits);
      CHECK(opened.has_value(), "the lane opens");
      lane = std::move(*opened);
      world.world().threads.start(lane_loop);
      world.world().threads.start(loop);
    }
    io::Loop lane_loop;
    io::Loop loop;
    std::unique_ptr<FileLane> lane;
  };

  LookupTest() {
    limits_.segment_bytes_first = 262'144;
    limits_.segment_bytes_max = 524'288;
    limits_.fill_ahead_bytes = 16'384;
    limits_.fill_step_bytes = 4'096;
    start();
  }
  ~LookupTest() override { stop(); }

  void start() { run_ = std::make_unique<Run>(world_, limits_); }
  void stop() {
    run_->lane_loop.post([this] {
      run_->lane->stop([this] {
        run_->lane_loop.stop();
        run_->loop.stop();
      });
    });
    end();
  }
  void end() {
    world_.world().threads.join(run_->lane_loop);
    world_.world().threads.join(run_->loop);
    run_.reset();
  }
  void restart() {
    stop();
    start();
  }
  void kill() {
    run_->lane_loop.stop();
    run_->loop.stop();
    end();
    world_.files().kill();
    start();
  }
  void seal() { world_.run_for(20 * sim::kSecondNs); }

  template <class Reply, class Ask>
  Reply ask(const Ask& begin) {
    std::optional<Reply> reply;
    begin([&reply](Reply answer) { reply = std::move(answer); });
    CHECK(world_.run_until([&] { return reply.has_value(); }, kPatienceNs), "the lane answers");
    return std::move(*reply);
  }
  Topics declare(std::vector<TopicDeclaration> topics) {
    return ask<Topics>([&](auto done) { lane().declare(run_->loop, topics, done); });
  }
  // One request, and what it is to the list.
  void publish(const std::vector<std::pair<TopicId, std::uint64_t>>& events, std::size_t value_bytes = 300) {
    std::vector<NewEvent> request;
    for (const auto& [topic, address] : events) {
      NewEvent event = event_of(topic, std::string(value_bytes, 'v'));
      event.address_hash = address;
      request.push_back(std::move(event));
    }
    const auto reply =
        ask<AppendReply>([&](auto done) { lane().append(run_->loop, std::move(request), std::move(done)); });
    ASSERT_EQ(reply.status, AppendStatus::Durable);
    for (std::size_t i = 0; i < events.size(); ++i) {
      published_.push_back({reply.items[i].sequence, events[i].first, events[i].second, 0});
    }
  }
  ReadReply read(Topics topics, std::optional<Sequence> after, Hashes addresses = {}) {
    return ask<ReadReply>(
        [&](auto done) { lane().read(run_->loop, {topics, after, 100'000, addresses}, std::move(done)); });
  }
  LocateReply locate(LocateRequest request) {
    return ask<LocateReply>([&](auto done) { lane().locate(run_->loop, request, std::move(done)); });
  }
  NewestReply newest(NewestRequest request) {
    return ask<NewestReply>([&](auto done) { lane().newest_per_address(run_->loop, request, std::move(done)); });
  }
  FileLane& lane() { return *run_->lane; }
  std::uint64_t pick(std::uint64_t below) { return random_() % below; }

  // What an AddressReader of this lane takes once every segment was asked for. The lane must be stopped.
  std::size_t memory_of_searches() {
    io::Loop loop(world_.world(), "lane");
    Recovered recovered = recover(world_.world(), "/lane", limits_).value();
    const LaneClock clock(loop, {recovered.last_commit.lane_time_ns, recovered.previous_wall_ms});
    Log log(loop, clock, recovered, limits_);
    AddressReader reader(loop, log);
    world_.world().threads.start(loop);
    std::size_t answers = 0, sealed = 0;
    loop.post([&] {
      for (const auto& segment : log.segments()) {
        if (segment->index.empty()) continue;
        EXPECT_EQ(segment->footer, OpenSegment::Footer::Whole);
        ++sealed;
        const auto count_hits = [&](const AddressAnswer& answer) {
          EXPECT_THAT(answer.unsure, IsEmpty());
          ++answers;
        };
        reader.find(*segment, {hash_of(5)}, AddressReader::Want::All, count_hits);
        reader.mark_newest(*segment, [&](const AddressReader::Marks& marks, std::uint64_t) {
          EXPECT_NE(marks, nullptr);
          ++answers;
        });
      }
    });
    EXPECT_TRUE(world_.run_until([&] { return sealed > 0 && answers == 2 * sealed; }, kPatienceNs));
    const std::size_t bytes = reader.memory_bytes();
    bool closed = false;
    loop.post([&] { log.close([&](const auto&) { closed = true; }); });
    EXPECT_TRUE(world_.run_until([&] { return closed; }, kPatienceNs));
    loop.stop();
    world_.world().threads.join(loop);
    return bytes;
  }

  // --- the list

  // What is behind the position and was not trimmed.
  std::vector<Published> of(const Topics& topics, const Hashes& addresses, Sequence after) const {
    std::vector<Published> found;
    for (const Published& each : published_) {
      if (each.sequence <= after || !std::ranges::binary_search(topics, each.topic)) continue;
      if (!addresses.empty() && !std::ranges::binary_search(addresses, each.address)) continue;
      found.push_back(each);
    }
    return found;
  }
  static Sequences newest_of(const std::vector<Published>& events) {
    std::unordered_map<std::uint64_t, Sequence> newest;
    for (const Published& each : events) newest[each.address] = each.sequence;
    Sequences sequences;
    for (const auto& [address, sequence] : newest) sequences.push_back(sequence);
    std::ranges::sort(sequences);
    return sequences;
  }
  // As somebody reads who goes on where each answer ended: sequences of the addresses that are wanted.
  Sequences read_all(const Topics& topics, Sequence after, const Hashes& addresses, std::size_t* bytes = nullptr) {
    std::set<Sequence> wanted;
    for (const Published& each : of(topics, addresses, after)) wanted.insert(each.sequence);
    Sequences found;
    while (after < lane().durable()) {
      const ReadReply reply = read(topics, after, addresses);
      EXPECT_EQ(reply.status, ReadStatus::Read);
      if (reply.status != ReadStatus::Read || reply.covered <= after) break;
      for (const BlockPtr& block : reply.blocks) {
        if (bytes != nullptr) *bytes += block->bytes.size();
        std::vector<SeenEvent> events;
        decode(*block, events);
        for (const SeenEvent& event : events) {
          if (event.sequence > after && event.sequence <= reply.covered && wanted.contains(event.sequence)) {
            found.push_back(event.sequence);
          }
        }
      }
      after = reply.covered;
    }
    return found;
  }
  void learn_times(const Topics& topics) {
    std::unordered_map<Sequence, std::int64_t> times;
    for (std::optional<Sequence> after; after != lane().durable();) {
      const ReadReply reply = read(topics, after);
      ASSERT_EQ(reply.status, ReadStatus::Read);
      for (const BlockPtr& block : reply.blocks) {
        std::vector<SeenEvent> events;
        decode(*block, events);
        for (const SeenEvent& event : events) times[event.sequence] = event.timestamp_ms;
      }
      after = reply.covered;
    }
    for (Published& each : published_) each.wall_ms = times[each.sequence];
  }
  std::size_t segments() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(world_.files().paths(), [](const auto& path) { return path.ends_with(".segment"); }));
  }

  std::size_t segment_bytes() const {
    std::size_t bytes = 0;
    for (const std::string& path : world_.files().paths()) {
      if (path.ends_with(".segment")) bytes += world_.files().get(path).value().size();
    }
    return bytes;
  }

  // --- what has to hold

  void check_last(const Topics& topics, const Hashes& addresses, std::size_t events) {
    LocateReply reply = locate({topics, addresses, LastEvents{events}});
    std::size_t left = events, found = reply.events;
    while (reply.status == LookupStatus::Partial) {
      left -= reply.events;
      reply = locate({topics, addresses, LastEvents{left, reply.position}});
      found += reply.events;
    }
    ASSERT_EQ(reply.status, LookupStatus::Complete);
    const std::vector<Published> all = of(topics, addresses, reply.complete_after);
    ASSERT_EQ(found, std::min(events, all.size()));
    const std::size_t behind = of(topics, addresses, reply.position).size();
    if (left < events && reply.events == 0) return;  // the part before had all of them
    ASSERT_EQ(behind, std::min(events, all.size())) << "of " << all.size();
  }
  void check_newest(const Topics& topics, Sequence after, std::size_t events_max) {
    Sequences found;
    NewestReply reply;
    for (Sequence from = after;; from = reply.covered) {
      reply = newest({topics, from, events_max});
      ASSERT_LE(reply.sequences.size(), events_max);
      found.insert(found.end(), reply.sequences.begin(), reply.sequences.end());
      if (reply.status != LookupStatus::Partial) break;
      ASSERT_GE(reply.covered, from);
      if (reply.covered == from) ++standing_;
      ASSERT_LT(standing_, 200);
    }
    ASSERT_EQ(reply.status, LookupStatus::Complete);
    ASSERT_EQ(reply.covered, lane().durable());
    ASSERT_TRUE(found == newest_of(of(topics, {}, after)));
  }
  void check_time(const Topics& topics, std::int64_t wall_ms) {
    const LocateReply reply = locate({.topics = topics, .what = AtTime{wall_ms}});
    ASSERT_EQ(reply.status, LookupStatus::Complete);
    const auto first = std::ranges::find_if(published_, [&](const Published& each) { return each.wall_ms >= wall_ms; });
    if (first == published_.end()) {
      ASSERT_EQ(reply.position, reply.end);
    } else {
      ASSERT_EQ(reply.position, first == published_.begin() ? 0 : (first - 1)->sequence);
    }
  }

  Limits limits_;
  mutable sim::SimWorld world_{{.seed = 11}};
  std::mt19937_64 random_{11};
  std::unique_ptr<Run> run_;
  std::vector<Published> published_;
  int standing_ = 0;
};

// Three topics, of which the last has a fifth of the events; half of them on ten busy addresses, the others on
// thousands.
class LookupModelTest : public LookupTest, public testing::WithParamInterface<unsigned> {
 protected:
  LookupModelTest() {
    random_.seed(GetParam());
    limits_.lookup_bytes_max = 300'000;
    restart();
    topics_ = declare({{"a"}, {"b"}, {"c"}});
  }
  void publish_some(std::size_t requests) {
    for (; requests > 0; --requests) {
      std::vector<std::pair<TopicId, std::uint64_t>> events;
      for (std::size_t i = 1 + pick(30); i > 0; --i) {
        const std::uint64_t number = pick(2) == 0 ? pick(10) : pick(4'000);
        events.emplace_back(topics_[number % 5 == 0 ? 2 : number % 2], hash_of(number));
      }
      publish(events, 100 + pick(500));
      if (pick(20) == 0) world_.step_wall_clock(static_cast<std::int64_t>(pick(20'000)) - 9'000);
    }
  }
  Topics some_topics() {
    Topics some;
    for (const TopicId topic : topics_)
      if (pick(3) != 0) some.push_back(topic);
    return some.empty() ? topics_ : some;
  }
  Hashes some_addresses() {
    std::set<std::uint64_t> some;
    for (std::size_t i = 1 + pick(8); i > 0; --i) some.insert(hash_of(pick(3) == 0 ? pick(10) : pick(4'000)));
    return {some.begin(), some.end()};
  }
  void check() {
    for (int i = 0; i < 4; ++i) {
      const Topics topics = some_topics();
      const Sequence earliest = read(topics, std::nullopt).complete_after;
      const Sequence after = pick(3) == 0 ? earliest : std::max(earliest, published_[pick(published_.size())].sequence);
      ASSERT_NO_FATAL_FAILURE(check_last(topics, {}, 1 + pick(pick(2) == 0 ? 20 : 5'000)));
      ASSERT_NO_FATAL_FAILURE(check_last(topics, some_addresses(), 1 + pick(pick(2) == 0 ? 3 : 500)));
      ASSERT_NO_FATAL_FAILURE(check_newest(topics, after, 1 + pick(pick(2) == 0 ? 50 : 5'000)));
      const Hashes addresses = some_addresses();
      Sequences expected;
      for (const Published& each : of(topics, addresses, after)) expected.push_back(each.sequence);
      ASSERT_TRUE(read_all(topics, after, addresses) == expected);
    }
  }
  void begin_again() {
    switch (pick(4)) {
      case 0: return restart();
      case 1: return kill();
      case 2: return seal();
      default: return;
    }
  }

  Topics topics_;
};

INSTANTIATE_TEST_SUITE_P(Seeds, LookupModelTest, testing::Range(1u, 7u));

TEST_P(LookupModelTest, finds_what_a_plain_list_says_over_sealed_and_unsealed_segments_and_starts) {
  for (int round = 0; round < 15; ++round) {
    publish_some(40);
    begin_again();
    ASSERT_NO_FATAL_FAILURE(check()) << "round " << round;
  }
  EXPECT_GT(segments(), 6u);
}

TEST_P(LookupModelTest, a_time_is_the_first_event_at_which_the_running_maximum_reaches_it) {
  for (int round = 0; round < 4; ++round) {
    publish_some(60);
    begin_again();
  }
  learn_times(topics_);
  for (int i = 0; i < 200; ++i) {
    const std::int64_t at = published_[pick(published_.size())].wall_ms;
    ASSERT_NO_FATAL_FAILURE(check_time(some_topics(), at + static_cast<std::int64_t>(pick(3)) - 1));
  }
  check_time(topics_, published_.front().wall_ms - 1);
  check_time(topics_, world_.world().clock.wall_ms() + 1'000'000);
}

TEST_P(LookupModelTest, trimmed_events_do_not_count) {
  publish_some(150);
  declare({{"a", {.bytes = 100'000}}});
  seal();
  const Sequence trimmed = read({topics_[0]}, std::nullopt).complete_after;
  ASSERT_GT(trimmed, published_[published_.size() / 2].sequence);
  std::erase_if(published_,
                [&](const Published& each) { return each.topic == topics_[0] && each.sequence <= trimmed; });
  ASSERT_NO_FATAL_FAILURE(check());
  const Topics a{topics_[0]};
  EXPECT_EQ(newest({a, trimmed - 1, 10}).status, LookupStatus::Trimmed);
  EXPECT_GE(locate({a, {}, LastEvents{100'000}}).position, trimmed);
  restart();
  ASSERT_NO_FATAL_FAILURE(check());
}

TEST_P(LookupModelTest, the_newest_events_are_those_of_the_end_while_events_come_and_go_and_segments_are_rewritten) {
  publish_some(400);
  declare({{"a", {.bytes = 30'000}}, {"b", {.bytes = 30'000}}});
  world_.run_for(595 * sim::kSecondNs);  // soon ids are forgotten, and sparse segments can be rewritten
  const std::size_t before = segments();
  for (int round = 0; round < 40; ++round) {
    const Topics topics = some_topics();
    std::optional<NewestReply> reply;
    lane().newest_per_address(run_->loop, {topics, std::nullopt, 100'000},
                              [&](NewestReply r) { reply = std::move(r); });
    world_.run_for(pick(5) * sim::kMsNs);
    publish_some(1 + pick(3));
    ASSERT_TRUE(world_.run_until([&] { return reply.has_value(); }, kPatienceNs));
    std::vector<Published> known = of(topics, {}, std::max(reply->after, reply->complete_after));
    std::erase_if(known, [&](const Published& each) { return each.sequence > reply->end; });
    Sequences newest = newest_of(known);
    std::erase_if(newest, [&](Sequence each) { return each > reply->covered; });
    ASSERT_TRUE(reply->sequences == newest);
    world_.run_for(pick(3) * sim::kSecondNs);
  }
  EXPECT_LT(segments(), before) << "some became one";
}

// Addresses that come again before the end and behind it, in extents of their own and in the one that has the end.
class EndTest : public LookupTest {
 protected:
  EndTest() { topics_ = declare({{"a"}}); }
  // Of each round's addresses a third comes again in extents before the last one, a third in that.
  void publish_extents() {
    for (std::uint64_t i = 0; i < 30; ++i) {
      publish({{topics_[0], hash_of(3)}, {topics_[0], hash_of(100 + i)}, {topics_[0], hash_of(200 + i)}}, 10'000);
    }
    for (std::uint64_t i = 0; i < 30; i += 2) publish({{topics_[0], hash_of(100 + i)}});
    for (std::uint64_t i = 0; i < 10; ++i) publish({{topics_[0], hash_of(3)}}, 10'000);
    for (std::uint64_t i = 1; i < 30; i += 2) publish({{topics_[0], hash_of(100 + i)}});
  }
  void check_while_they_come_again() {
    const Sequence last = published_.back().sequence;
    std::optional<NewestReply> reply;
    lane().newest_per_address(run_->loop, {topics_, std::nullopt, 100}, [&](NewestReply r) { reply = std::move(r); });
    for (std::uint64_t i = 0; !reply; ++i) {
      std::vector<std::pair<TopicId, std::uint64_t>> again;
      for (std::uint64_t j = 0; j < 30; ++j) {
        again.emplace_back(topics_[0], hash_of(100 + j));
        again.emplace_back(topics_[0], hash_of(200 + j));
      }
      publish(again, i % 2 * 1'500);
    }
    ASSERT_GT(published_.back().sequence, last);
    EXPECT_EQ(reply->end, last);
    std::vector<Published> known = published_;
    std::erase_if(known, [&](const Published& each) { return each.sequence > reply->end; });
    EXPECT_TRUE(reply->sequences == newest_of(known));
  }

  Topics topics_;
};

TEST_F(EndTest, an_event_is_the_newest_although_its_address_comes_again_while_it_is_looked_for) {
  for (int i = 0; i < 8; ++i) {
    publish_extents();
    check_while_they_come_again();
  }
}

TEST_F(EndTest, an_event_is_the_newest_also_in_a_segment_that_is_scanned_while_its_address_comes_again) {
  for (int i = 0; i < 8; ++i) {
    publish_extents();
    kill();
    check_while_they_come_again();
  }
}

TEST_F(LookupTest, no_event_is_named_that_was_trimmed_while_it_was_looked_for) {
  const Topics topics = declare({{"a", {.bytes = 20'000}}});
  std::size_t overtaken = 0;
  for (std::uint64_t i = 0; overtaken < 5; ++i) {
    ASSERT_LT(i, 20'000u);
    publish({{topics[0], hash_of(i)}}, 1'000);
    const NewestReply reply = newest({topics, std::nullopt, 1'000});
    overtaken += reply.complete_after > reply.after ? 1 : 0;
    const Sequence from = std::max(reply.after, reply.complete_after);
    ASSERT_TRUE(reply.sequences == newest_of(of(topics, {}, from)));
    const LocateReply last = locate({topics, {}, LastEvents{1'000}});
    ASSERT_GE(last.position, last.complete_after);
    ASSERT_GE(last.events, of(topics, {}, last.position).size());
  }
}

// Damage in the footers of all sealed segments, found by a lane that runs and by the next start.
class FooterDamageTest : public LookupModelTest {
 protected:
  enum class Part : std::uint8_t { Trailer, Index, Addresses, Directory, Whole };

  void damage_footers(Part part) {
    std::size_t damaged = 0;
    for (const std::string& path : world_.files().paths()) {
      if (!path.ends_with(".segment")) continue;
      const std::string bytes = world_.files().get(path).value();
      const SegmentHeader header = parse_segment_start(base::Bytes(bytes).substr(0, kFirstGroupAt)).value();
      const auto trailer = parse_footer_trailer(
          base::Bytes(bytes).substr(bytes.size() - kFooterTrailerBytes, kFooterTrailerBytes), header, bytes.size());
      if (!trailer) continue;
      damage(path, *trailer, part, bytes.size());
      ++damaged;
    }
    EXPECT_GT(damaged, 2u);
  }
  void check_with_damaged(Part part) {
    publish_some(150);
    restart();
    publish_some(10);
    seal();
    damage_footers(part);
    ASSERT_NO_FATAL_FAILURE(check_newest(topics_, 0, 100'000)) << "before anything is known of them";
    ASSERT_NO_FATAL_FAILURE(check()) << "while the lane runs";
    stop();
    start();
    ASSERT_NO_FATAL_FAILURE(check()) << "after a start";
    publish_some(10);
    seal();
    ASSERT_NO_FATAL_FAILURE(check()) << "sealed again";
  }

 private:
  void damage(const std::string& path, const FooterTrailer& trailer, Part part, std::uint64_t file_bytes) {
    const auto flip_in = [&](const FooterSection& section) {
      for (std::uint64_t at = 0; at < section.bytes; at += 1 + pick(100)) {
        world_.files().flip_bit(path, section.offset + at, static_cast<unsigned>(pick(8)));
      }
    };
    switch (part) {
      case Part::Trailer: return world_.files().flip_bit(path, file_bytes - 1 - pick(kFooterTrailerBytes), 2);
      case Part::Index: return flip_in(trailer.index);
      case Part::Addresses: return flip_in(trailer.addresses);
      case Part::Directory: return flip_in(trailer.directory);
      case Part::Whole: return world_.files().truncate_file(path, trailer.groups_end);
    }
  }
};

INSTANTIATE_TEST_SUITE_P(Seeds, FooterDamageTest, testing::Range(1u, 4u));

TEST_P(FooterDamageTest, lookups_are_right_with_damaged_trailers) { check_with_damaged(Part::Trailer); }
TEST_P(FooterDamageTest, lookups_are_right_with_damaged_extents_and_topics) { check_with_damaged(Part::Index); }
TEST_P(FooterDamageTest, lookups_are_right_with_damaged_buckets_of_addresses) { check_with_damaged(Part::Addresses); }
TEST_P(FooterDamageTest, lookups_are_right_with_damaged_directories_of_buckets) { check_with_damaged(Part::Directory); }
TEST_P(FooterDamageTest, lookups_are_right_without_footers) { check_with_damaged(Part::Whole); }

TEST_P(FooterDamageTest, a_lookup_is_right_although_the_disk_refuses_a_read_twice) {
  publish_some(100);
  for (std::uint64_t call = 1; call <= 12; ++call) {
    restart();
    seal();
    for (const std::uint64_t each : {call, call + 1}) {
      world_.files().fail_kind(sim::SimFiles::Kind::ReadAt, each, {base::Errc::System, "refused by the test", EIO});
    }
    switch (pick(3)) {
      case 0: ASSERT_NO_FATAL_FAILURE(check_newest(topics_, 0, 100'000)) << call; break;
      case 1: ASSERT_NO_FATAL_FAILURE(check_last(topics_, some_addresses(), 100)) << call; break;
      default: ASSERT_NO_FATAL_FAILURE(check_last(some_topics(), {}, 1 + pick(2'000))) << call; break;
    }
    for (int i = 0; i < 40; ++i) read(topics_, std::nullopt);  // nothing is refused any more
  }
}

TEST_F(LookupTest, sealed_segments_cost_no_memory_for_their_addresses) {
  const TopicId topic = declare({{"a"}}).at(0);
  std::size_t addresses = 0;
  const auto memory_after = [&](std::size_t requests) {
    for (; requests > 0; --requests) {
      std::vector<std::pair<TopicId, std::uint64_t>> events;
      for (int i = 0; i < 200; ++i) events.emplace_back(topic, hash_of(++addresses));
      publish(events, 20);
    }
    restart();  // all that has events is sealed by now
    seal();
    stop();
    const std::size_t bytes = memory_of_searches();
    start();
    return bytes;
  };
  const std::size_t few = memory_after(40), many = memory_after(200);
  // The directory of each segment, and a bit for each extent: nothing that grows with the addresses in it.
  EXPECT_LE(few, segments() * (17u << 10) + 1'024);
  EXPECT_LE(many, segments() * (17u << 10) + 1'024);
  EXPECT_LT(many, 4 * addresses);
}

TEST_F(LookupTest, reads_of_one_address_among_thousands_touch_only_the_extents_that_hold_it) {
  const TopicId topic = declare({{"a"}}).at(0);
  const std::uint64_t rare = hash_of(1'000'000);
  for (int i = 0; i < 300; ++i) {
    std::vector<std::pair<TopicId, std::uint64_t>> events;
    for (int j = 0; j < 20; ++j) events.emplace_back(topic, hash_of(static_cast<std::uint64_t>(i * 20 + j)));
    if (i % 100 == 50) events[3].second = rare;
    publish(events);
  }
  seal();
  restart();
  std::size_t all = 0, of_one = 0;
  EXPECT_THAT(read_all({topic}, 0, {}, &all), SizeIs(6'000));
  EXPECT_THAT(read_all({topic}, 0, {rare}, &of_one), SizeIs(3));
  EXPECT_LT(of_one * 20, all);
  EXPECT_EQ(read({topic}, 0, {hash_of(2'000'000)}).covered, lane().durable());
}

TEST_F(LookupTest, the_newest_of_few_addresses_are_found_without_reading_what_comes_before_them) {
  limits_.lookup_bytes_max = 1'100'000;  // the last extents of each segment, and footers
  restart();
  const Topics topics = declare({{"a"}});
  for (std::uint64_t i = 0; i < 400; ++i) {
    std::vector<std::pair<TopicId, std::uint64_t>> events;
    for (std::uint64_t j = 0; j < 20; ++j) events.emplace_back(topics[0], hash_of((i * 20 + j) % 50));
    publish(events);
  }
  seal();
  restart();
  seal();
  const NewestReply reply = newest({topics, std::nullopt, 1'000});
  EXPECT_EQ(reply.status, LookupStatus::Complete);
  EXPECT_TRUE(reply.sequences == newest_of(published_));
  std::size_t bytes = 0;
  read_all(topics, 0, {}, &bytes);
  EXPECT_GT(bytes, 2 * limits_.lookup_bytes_max);
}

TEST_F(LookupTest, a_time_is_never_behind_an_event_that_was_trimmed_since) {
  const Topics topics = declare({{"a"}, {"b"}});
  for (std::uint64_t i = 0; i < 2'000; ++i) {
    publish({{topics[i % 4 == 0 ? 1 : 0], hash_of(i)}}, 1'000);
    world_.run_for(2 * sim::kMsNs);
  }
  learn_times(topics);
  declare({{"a", {.bytes = 20'000}}});
  const std::size_t before = segment_bytes();
  world_.run_for(700 * sim::kSecondNs);
  ASSERT_LT(segment_bytes() * 2, before) << "segments were rewritten";
  const Sequence trimmed = read({topics[0]}, std::nullopt).complete_after;
  for (const Published& each : published_) {
    const LocateReply reply = locate({.topics = {topics[0]}, .what = AtTime{each.wall_ms}});
    ASSERT_LT(reply.position, each.sequence);
    EXPECT_EQ(reply.complete_after, trimmed);
  }
}

// The clock is ahead, and most so for one event among segments of a topic that goes later; then it is set right.
class GoneTimeTest : public LookupTest {
 protected:
  static constexpr std::int64_t kHourMs = 3'600'000;

  GoneTimeTest() {
    topics_ = declare({{"a"}, {"b"}});
    publish({{topics_[1], hash_of(0)}});
    fill(topics_[1]);
    world_.step_wall_clock(kHourMs);
    fill(topics_[0]);
    world_.step_wall_clock(kHourMs);
    publish({{topics_[0], hash_of(0)}});
    gone_ = published_.back();
    world_.step_wall_clock(-kHourMs);
    fill(topics_[0]);
    world_.step_wall_clock(-kHourMs);
    fill(topics_[1]);
    learn_times(topics_);
    gone_ = *std::ranges::find(published_, gone_.sequence, &Published::sequence);
    declare({{"a", {.bytes = 0}}});
    const std::size_t before = segments();
    world_.run_for(700 * sim::kSecondNs);  // until no id is remembered
    EXPECT_LT(segments(), before);
  }
  void fill(TopicId topic) {
    for (std::uint64_t i = 0; i < 150; ++i) publish({{topic, hash_of(i)}}, 10'000);
  }
  void check() {
    const LocateReply of_gone = locate({.topics = {topics_[0]}, .what = AtTime{gone_.wall_ms}});
    EXPECT_LT(of_gone.position, of_gone.complete_after) << "so that a reader is told";
    const std::vector<Published> left = of({topics_[1]}, {}, gone_.sequence);
    const LocateReply of_left = locate({.topics = {topics_[1]}, .what = AtTime{gone_.wall_ms}});
    EXPECT_LT(of_left.position, left.front().sequence) << "a clock that stepped back gives more, never less";
    EXPECT_GT(of_left.position, published_.front().sequence);
  }

  Topics topics_;
  Published gone_ = {};
};

TEST_F(GoneTimeTest, a_time_that_was_reached_only_by_what_is_gone_is_still_known) { check(); }

TEST_F(GoneTimeTest, a_time_that_was_reached_only_by_what_is_gone_is_known_to_later_starts) {
  restart();
  check();
  kill();
  check();
  seal();
  restart();
  check();
}

TEST_F(LookupTest, a_time_that_only_the_last_event_reached_is_known_when_all_are_gone) {
  const Topics topics = declare({{"a"}});
  publish({{topics[0], hash_of(1)}});
  learn_times(topics);
  restart();
  declare({{"a", {.bytes = 0}}});
  world_.run_for(700 * sim::kSecondNs);
  ASSERT_EQ(segments(), 1u);
  const LocateReply reply = locate({.topics = topics, .what = AtTime{published_[0].wall_ms}});
  EXPECT_EQ(reply.complete_after, published_[0].sequence);
  EXPECT_LT(reply.position, reply.complete_after);
}

TEST_F(LookupTest, an_empty_lane_has_its_end_everywhere) {
  const Topics topics = declare({{"a"}});
  EXPECT_EQ(locate({topics, {}, LastEvents{5}}).position, lane().durable());
  EXPECT_EQ(locate({.topics = topics, .what = AtTime{0}}).position, lane().durable());
  const NewestReply reply = newest({topics, std::nullopt, 5});
  EXPECT_EQ(reply.status, LookupStatus::Complete);
  EXPECT_THAT(reply.sequences, IsEmpty());
}

TEST_F(LookupTest, the_newest_events_come_in_pages) {
  const Topics topics = declare({{"a"}});
  for (std::uint64_t i = 0; i < 4; ++i) publish({{topics[0], hash_of(i)}});
  publish({{topics[0], hash_of(1)}});
  const Sequence first = published_[0].sequence;
  const NewestReply one = newest({topics, std::nullopt, 2});
  EXPECT_EQ(one.status, LookupStatus::Partial);
  EXPECT_THAT(one.sequences, ElementsAre(first, first + 2));
  EXPECT_EQ(one.covered, first + 2);
  const NewestReply two = newest({topics, one.covered, 2});
  EXPECT_THAT(two.sequences, ElementsAre(first + 3, first + 4));
  EXPECT_EQ(newest({topics, lane().durable() + 1, 2}).status, LookupStatus::Ahead);
}

TEST_F(LookupTest, an_event_that_no_reader_is_shown_for_damage_beside_it_is_not_among_the_newest) {
  const Topics topics = declare({{"a"}, {"b"}});
  publish({{topics[0], hash_of(1)}, {topics[0], hash_of(2)}});
  publish({{topics[0], hash_of(2)}, {topics[1], hash_of(3)}}, 400);  // one group, two batches
  publish({{topics[0], hash_of(4)}});
  stop();
  const std::string path = world_.files().paths().front();
  const std::size_t at = world_.files().get(path).value().rfind(std::string(400, 'v'));
  ASSERT_NE(at, std::string::npos);
  world_.files().flip_bit(path, at + 100, 3);
  start();
  ASSERT_EQ(read({topics[0]}, published_[1].sequence).status, ReadStatus::Damaged);
  const NewestReply reply = newest({topics, std::nullopt, 100});
  EXPECT_THAT(reply.sequences, testing::Not(testing::Contains(published_[2].sequence)));
  EXPECT_THAT(reply.sequences, testing::IsSupersetOf({published_[0].sequence, published_[4].sequence}));
}

TEST_F(LookupTest, damage_is_told_to_a_reader_of_an_address_that_may_lie_in_it) {
  const TopicId topic = declare({{"a"}}).at(0);
  for (std::uint64_t i = 0; i < 10; ++i) publish({{topic, hash_of(i)}}, 300 + i);
  kill();  // now the segment has no index of addresses
  const std::string path = world_.files().paths().front();
  const std::size_t at = world_.files().get(path).value().find(std::string(304, 'v'));
  ASSERT_NE(at, std::string::npos);
  world_.files().flip_bit(path, at + 150, 3);
  const ReadReply reply = read({topic}, 0, {hash_of(4)});
  ASSERT_EQ(reply.status, ReadStatus::Damaged);
  EXPECT_EQ(reply.damaged_last, published_[4].sequence);
  EXPECT_EQ(newest({{topic}, 0, 100}).sequences.size(), 9u) << "what cannot be read is left out";
}

}  // namespace
}  // namespace storage
