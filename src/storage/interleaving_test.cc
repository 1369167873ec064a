// SPDX-License-Identifier: Apache-2.0
// The order *durable, followers, publishers* and the truth of the log, over many interleavings.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "storage/memory_lane.h"
#include "storage/test_stage.h"

namespace storage {
namespace {

constexpr unsigned kSeeds = 300;
constexpr std::size_t kLoops = 3;

// A medium that takes its time. The dishonest one says so before the group is there: what a test must notice.
class SlowMedium final : public Medium {
 public:
  enum class Honesty : std::uint8_t { Honest, SaysDurableTooEarly };
  SlowMedium(Stage& stage, Honesty honesty) : stage_(stage), honesty_(honesty) {}

  void persist(std::shared_ptr<Block> block, Done done) override {
    if (honesty_ == Honesty::SaysDurableTooEarly) {
      stage_.lane_loop().post([done = std::move(done)]() mutable { done(Persisted::Durable); });
      done = [](Persisted) {};
    }
    after_some_turns(1 + stage_.pick(4), std::move(block), std::move(done));
  }
  Sequence persisted() const { return persisted_; }

 private:
  void after_some_turns(std::uint64_t turns, BlockPtr block, Done done) {
    stage_.lane_loop().post([this, turns, block = std::move(block), done = std::move(done)]() mutable {
      if (turns > 1) return after_some_turns(turns - 1, std::move(block), std::move(done));
      persisted_ = block->last();
      done(Persisted::Durable);
    });
  }

  Stage& stage_;
  const Honesty honesty_;
  Sequence persisted_ = 0;
};

// Appends at random from every loop and notes what each loop sees when.
template <class AppendTo>
class Workload {
 public:
  struct Published {
    std::size_t loop;
    std::vector<std::string> values;
    std::vector<bool> has_id;
    std::optional<AppendReply> reply;
  };
  using IsDurable = std::function<bool(Sequence)>;

  Workload(Stage& stage, AppendTo& lane, IsDurable is_durable)
      : stage_(stage), lane_(lane), is_durable_(std::move(is_durable)), told_(kLoops) {}

  Lane::OnCommit follower(std::size_t loop) {
    return [this, loop](const Commit& commit) {
      if (!is_durable_(commit.last)) ++told_before_durable;
      if (commit.first != last_told(loop) + 1) ++holes;
      decode(*commit.block, told_[loop]);
    };
  }
  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      if (stage_.pick(3) == 0) {
        append(stage_.pick(kLoops));
      } else {
        stage_.step();
      }
    }
    stage_.settle();
  }
  const std::vector<SeenEvent>& told(std::size_t loop) const { return told_[loop]; }
  const std::vector<std::unique_ptr<Published>>& published() const { return published_; }

  int told_before_durable = 0;
  int answered_before_told = 0;
  int holes = 0;

 private:
  Sequence last_told(std::size_t loop) const { return told_[loop].empty() ? 0 : told_[loop].back().sequence; }

  void append(std::size_t loop) {
    auto owned = std::make_unique<Published>();
    Published& published = *owned;
    published_.push_back(std::move(owned));
    published.loop = loop;
    std::vector<NewEvent> events;
    for (std::uint64_t count = 1 + stage_.pick(4); count > 0; --count) {
      const TopicId topic = static_cast<TopicId>(1 + stage_.pick(3));
      const std::uint64_t id = stage_.pick(40);
      const bool has_id = id < 20;
      published.has_id.push_back(has_id);
      published.values.push_back(has_id ? "id " + std::to_string(id) : "value " + std::to_string(++values_));
      events.push_back(has_id ? event_of(topic, published.values.back(), id)
                              : event_of(topic, published.values.back()));
    }
    lane_.append(stage_.loop(loop), std::move(events), [this, &published](AppendReply reply) {
      published.reply = std::move(reply);
      check_told(published);
    });
  }
  // Whoever learns of the answer may ask any loop: when that has run its mail, it has been told. A loop in the middle
  // of its mail would answer later.
  void check_told(const Published& published) {
    for (std::size_t loop = 0; loop < kLoops; ++loop) {
      if (loop != published.loop && !stage_.turn(stage_.loop(loop))) continue;
      for (const AppendReply::Item& item : published.reply->items) {
        if (!is_durable_(item.sequence) || item.sequence > last_told(loop)) ++answered_before_told;
      }
    }
  }

  Stage& stage_;
  AppendTo& lane_;
  IsDurable is_durable_;
  std::vector<std::vector<SeenEvent>> told_;
  std::vector<std::unique_ptr<Published>> published_;
  int values_ = 0;
};

struct Findings {
  int told_before_durable = 0;
  int answered_before_told = 0;
};

Findings run_writer(unsigned seed, SlowMedium::Honesty honesty) {
  Stage stage(kLoops, seed, Stage::Overtaking::Yes);
  TopicTable topics;
  for (const char* identity : {"a", "b", "c"}) topics.declare(identity);
  SlowMedium medium(stage, honesty);
  const LaneClock clock(stage.lane_loop());
  Writer writer(stage.lane_loop(), clock, topics, medium, {}, {});
  Workload<Writer> workload(
      stage, writer, [&](Sequence sequence) { return sequence <= writer.durable() && sequence <= medium.persisted(); });
  for (std::size_t i = 0; i < kLoops; ++i) writer.follow(stage.loop(i), workload.follower(i), 0);
  workload.run(200);
  EXPECT_EQ(workload.holes, 0);
  for (const auto& published : workload.published()) EXPECT_TRUE(published->reply.has_value());
  return {workload.told_before_durable, workload.answered_before_told};
}

TEST(Interleaving, durable_moves_before_followers_are_told_and_they_before_publishers) {
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    const Findings findings = run_writer(seed, SlowMedium::Honesty::Honest);
    ASSERT_EQ(findings.told_before_durable, 0);
    ASSERT_EQ(findings.answered_before_told, 0);
  }
}

TEST(Interleaving, canary_a_group_that_is_delivered_before_it_is_durable_is_seen) {
  int seeds_that_saw_it = 0;
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    seeds_that_saw_it += run_writer(seed, SlowMedium::Honesty::SaysDurableTooEarly).told_before_durable > 0;
  }
  EXPECT_GT(seeds_that_saw_it, static_cast<int>(kSeeds) / 2);
}

// The whole lane, read page by page.
class LaneTest {
 public:
  explicit LaneTest(unsigned seed) : stage_(kLoops, seed, Stage::Overtaking::Yes) {
    lane_.declare(stage_.loop(0), {{"a"}, {"b"}, {"c"}},
                  [this](std::vector<TopicId> ids) { topics_ = std::move(ids); });
    for (std::size_t i = 0; i < kLoops; ++i) lane_.follow(stage_.loop(i), workload_.follower(i));
    stage_.settle();
    workload_.run(200);
    read_all();
  }

  void check() {
    ASSERT_EQ(workload_.holes, 0);
    check_log();
    for (std::size_t i = 0; i < kLoops; ++i) check_same_as_log(workload_.told(i));
    std::vector<Sequence> newest(kLoops, 0);
    for (const auto& published : workload_.published()) check_published(*published, newest[published->loop]);
  }

 private:
  void read_all() {
    Sequence after = 0;
    do {
      std::optional<ReadReply> reply;
      lane_.read(stage_.loop(0), {topics_, after, 500}, [&](ReadReply r) { reply = std::move(r); });
      stage_.settle();
      ASSERT_TRUE(reply && reply->status == ReadStatus::Read);
      for (const BlockPtr& block : reply->blocks) {
        decode(*block, log_);
        for (Sequence sequence = block->first(); sequence <= block->last(); ++sequence) group_[sequence] = block.get();
      }
      after = reply->covered;
    } while (after < lane_.durable());
  }
  void check_log() {
    std::map<TopicId, std::int64_t> offsets;
    std::set<std::string> values;
    Sequence sequence = 0;
    for (const SeenEvent& event : log_) {
      ASSERT_EQ(event.sequence, ++sequence);
      ASSERT_EQ(event.offset, offsets[event.topic]++);
      ASSERT_TRUE(values.insert(event.value).second) << event.value << " was stored twice";
    }
    ASSERT_EQ(sequence, lane_.durable());
  }
  void check_same_as_log(const std::vector<SeenEvent>& told) {
    ASSERT_EQ(told.size(), log_.size());
    for (std::size_t i = 0; i < told.size(); ++i) ASSERT_EQ(told[i].value, log_[i].value);
  }
  void check_published(const Workload<MemoryLane>::Published& published, Sequence& newest) {
    ASSERT_TRUE(published.reply && published.reply->status == AppendStatus::Durable);
    ASSERT_EQ(published.reply->items.size(), published.values.size());
    const Block* group = nullptr;
    for (std::size_t i = 0; i < published.values.size(); ++i) {
      const AppendReply::Item& item = published.reply->items[i];
      ASSERT_EQ(log_[item.sequence - 1].value, published.values[i]);
      if (item.duplicate) {
        ASSERT_TRUE(published.has_id[i]);
        continue;
      }
      ASSERT_GT(item.sequence, newest) << "a publisher's events changed their order";
      newest = item.sequence;
      ASSERT_TRUE(group == nullptr || group == group_[item.sequence]) << "a request was divided";
      group = group_[item.sequence];
    }
  }

  Stage stage_;
  MemoryLane lane_{stage_.lane_loop()};
  Workload<MemoryLane> workload_{stage_, lane_, [this](Sequence sequence) { return sequence <= lane_.durable(); }};
  std::vector<TopicId> topics_;
  std::vector<SeenEvent> log_;
  std::map<Sequence, const Block*> group_;
};

TEST(Interleaving, every_loop_sees_the_log_and_every_answer_names_its_event) {
  for (unsigned seed = 0; seed < kSeeds && !testing::Test::HasFatalFailure(); ++seed) {
    SCOPED_TRACE(seed);
    LaneTest(seed).check();
  }
}

}  // namespace
}  // namespace storage
