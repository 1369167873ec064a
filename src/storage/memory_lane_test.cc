// SPDX-License-Identifier: Apache-2.0
#include "storage/memory_lane.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>

#include "storage/test_stage.h"

namespace storage {
namespace {

class MemoryLaneTest : public testing::Test {
 protected:
  static Limits limits() {
    Limits limits;
    limits.memory_bytes_max = 2'000;
    return limits;
  }
  std::vector<TopicId> declare(std::vector<TopicDeclaration> identities) {
    std::optional<std::vector<TopicId>> ids;
    lane_.declare(stage_.loop(0), std::move(identities), [&](std::vector<TopicId> answer) { ids = std::move(answer); });
    EXPECT_FALSE(ids) << "answered within the call";
    stage_.settle();
    return ids.value();
  }
  std::optional<AppendReply> append(std::vector<NewEvent> events) {
    std::optional<AppendReply> reply;
    lane_.append(stage_.loop(0), std::move(events), [&](AppendReply answer) { reply = std::move(answer); });
    EXPECT_FALSE(reply) << "answered within the call";
    stage_.settle();
    return reply;
  }
  std::optional<ReadReply> read(std::vector<TopicId> topics, std::optional<Sequence> after) {
    std::optional<ReadReply> reply;
    lane_.read(stage_.loop(0), {std::move(topics), after, 1 << 20},
               [&](ReadReply answer) { reply = std::move(answer); });
    EXPECT_FALSE(reply) << "answered within the call";
    stage_.settle();
    return reply;
  }

  Stage stage_{1};
  MemoryLane lane_{stage_.lane_loop(), limits()};
};

TEST_F(MemoryLaneTest, an_empty_lane_is_at_zero_and_its_first_event_is_one) {
  EXPECT_EQ(lane_.durable(), 0u);
  const TopicId topic = declare({{"a"}}).at(0);
  EXPECT_EQ(append(request_of(event_of(topic, "x")))->items.at(0).sequence, 1u);
  EXPECT_EQ(lane_.durable(), 1u);
}

TEST_F(MemoryLaneTest, a_declared_topic_keeps_its_id) {
  const std::vector<TopicId> ids = declare({{"a/*"}, {"b"}, {"a/*"}});
  EXPECT_EQ(ids[0], ids[2]);
  EXPECT_NE(ids[0], ids[1]);
  EXPECT_EQ(declare({{"c"}, {"b"}}).at(1), ids[1]);
}

TEST_F(MemoryLaneTest, each_start_is_another_history) {
  Stage stage(0);
  const MemoryLane other(stage.lane_loop());
  EXPECT_NE(other.identity().epoch, lane_.identity().epoch);
  EXPECT_NE(other.identity().deduplication_key, lane_.identity().deduplication_key);
}

TEST_F(MemoryLaneTest, what_was_trimmed_is_said_and_repeats_of_it_are_still_known) {
  const TopicId topic = declare({{"a"}}).at(0);
  append(request_of(event_of(topic, "first", 7)));
  for (int i = 0; i < 20; ++i) append(request_of(event_of(topic, std::string(100, 'x'))));
  const ReadReply gone = read({topic}, 0).value();
  EXPECT_EQ(gone.status, ReadStatus::Trimmed);
  EXPECT_GT(gone.complete_after, 1u);
  EXPECT_TRUE(gone.blocks.empty());
  const ReadReply earliest = read({topic}, std::nullopt).value();
  EXPECT_EQ(earliest.after, gone.complete_after);
  EXPECT_EQ(earliest.blocks.at(0)->first(), gone.complete_after + 1);
  EXPECT_EQ(earliest.covered, lane_.durable());
  EXPECT_EQ(read({topic}, lane_.durable() + 1)->status, ReadStatus::Ahead);
  const AppendReply repeat = append(request_of(event_of(topic, "first", 7))).value();
  EXPECT_EQ(repeat.items.at(0).sequence, 1u);
  EXPECT_TRUE(repeat.items.at(0).duplicate);
}

TEST_F(MemoryLaneTest, stopping_answers_everything_and_then_says_so) {
  const TopicId topic = declare({{"a"}}).at(0);
  std::vector<std::string> order;
  lane_.append(stage_.loop(0), request_of(event_of(topic, "x")), [&](const AppendReply& reply) {
    EXPECT_EQ(reply.status, AppendStatus::Durable);
    order.push_back("appended");
  });
  lane_.read(stage_.loop(0), {{topic}, 0, 1}, [&](const ReadReply& reply) {
    EXPECT_EQ(reply.status, ReadStatus::Read);
    order.push_back("read");
  });
  bool is_stopped = false;
  lane_.stop([&] {
    is_stopped = true;
    EXPECT_EQ(stage_.waiting(stage_.loop(0)), 2u) << "stopped before the answers were posted";
  });
  EXPECT_FALSE(is_stopped);
  stage_.settle({&stage_.loop(0)});
  EXPECT_TRUE(is_stopped);
  stage_.settle();
  EXPECT_THAT(order, testing::ElementsAre("read", "appended"));
}

TEST_F(MemoryLaneTest, a_stopped_lane_answers_without_its_loop) {
  const TopicId topic = declare({{"a"}}).at(0);
  append(request_of(event_of(topic, "x")));
  lane_.stop([] {});
  stage_.settle();
  int answers = 0;
  lane_.append(stage_.loop(0), request_of(event_of(topic, "y")), [&](const AppendReply& reply) {
    EXPECT_EQ(reply.status, AppendStatus::Stopped);
    ++answers;
  });
  lane_.read(stage_.loop(0), {{topic}, 0, 1}, [&](const ReadReply& reply) {
    EXPECT_EQ(reply.status, ReadStatus::Stopped);
    ++answers;
  });
  lane_.declare(stage_.loop(0), {{"b"}}, [&](const std::vector<TopicId>& ids) {
    EXPECT_TRUE(ids.empty());
    ++answers;
  });
  EXPECT_EQ(answers, 0);
  stage_.settle({&stage_.lane_loop()});
  EXPECT_EQ(answers, 3);
  EXPECT_EQ(lane_.durable(), 1u);
}

TEST(MemoryLane, may_die_with_answers_that_never_ran) {
  Stage stage(1);
  auto lane = std::make_unique<MemoryLane>(stage.lane_loop());
  lane->follow(stage.loop(0), [](const Commit&) { FAIL() << "the loop has ended"; });
  lane->declare(stage.loop(0), {{"a"}}, [](const std::vector<TopicId>&) { FAIL() << "the loop has ended"; });
  stage.settle({&stage.loop(0)});
  lane->append(stage.loop(0), request_of(event_of(1, "x")), [](const AppendReply&) { FAIL() << "the loop has ended"; });
  stage.settle({&stage.loop(0)});
  EXPECT_EQ(lane->durable(), 1u);
  EXPECT_EQ(stage.waiting(stage.loop(0)), 3u);
  lane = nullptr;
}

// Real threads: what the simulation cannot show is left to the thread sanitizer.
class Threaded {
 public:
  static constexpr std::size_t kLoops = 4;
  static constexpr int kAppends = 3'000;

  Threaded() : lane_loop_(world_.world(), "lane") {
    for (std::size_t i = 0; i < kLoops; ++i) loops_.push_back(std::make_unique<io::Loop>(world_.world(), "loop"));
    world_.world().threads.start(lane_loop_);
    for (std::size_t i = 0; i < kLoops; ++i) {
      world_.world().threads.start(*loops_[i]);
      loops_[i]->post([this, i] { begin(i); });
    }
  }
  void wait_for_answers() { answered_.wait(); }
  void wait_for_some_answers() {
    for (int seen = durable_; seen < kAppends; seen = durable_) durable_.wait(seen);
  }
  void stop_lane() {
    lane_loop_.post([this] { lane_.stop([this] { lane_loop_.stop(); }); });
    world_.world().threads.join(lane_loop_);
  }
  void stop_loops() {
    for (const auto& loop : loops_) loop->stop();
    for (const auto& loop : loops_) world_.world().threads.join(*loop);
  }

  MemoryLane& lane() { return lane_; }
  int durable() const { return durable_; }
  int refused() const { return refused_; }
  Sequence told(std::size_t loop) const { return of_loop_[loop].told; }
  int unseen() const { return unseen_; }

 private:
  struct OfLoop {
    Sequence told = 0;
    TopicId topic = 0;
  };

  void begin(std::size_t i) {
    lane_.follow(*loops_[i], [this, i](const Commit& commit) {
      if (commit.last > lane_.durable() || commit.first != of_loop_[i].told + 1) ++unseen_;
      of_loop_[i].told = commit.last;
    });
    lane_.declare(*loops_[i], {{"topic " + std::to_string(i % 2)}}, [this, i](const std::vector<TopicId>& ids) {
      of_loop_[i].topic = ids.at(0);
      follow_.arrive_and_wait();  // everybody follows before anybody appends
      for (int n = 0; n < kAppends; ++n) append(i, n);
    });
  }
  void append(std::size_t i, int n) {
    auto events = request_of(event_of(of_loop_[i].topic, std::to_string(n)));
    lane_.append(*loops_[i], std::move(events), [this, i](const AppendReply& reply) {
      if (reply.status == AppendStatus::Durable) {
        if (reply.items[0].sequence > of_loop_[i].told) ++unseen_;
        if (++durable_ % 512 == 0 || durable_ >= kAppends) durable_.notify_all();
      } else {
        EXPECT_EQ(reply.status, AppendStatus::Stopped);
        ++refused_;
      }
      answered_.count_down();
    });
  }

  io::RealWorld world_;
  io::Loop lane_loop_;
  std::vector<std::unique_ptr<io::Loop>> loops_;
  MemoryLane lane_{lane_loop_};
  std::array<OfLoop, kLoops> of_loop_;
  std::atomic<int> durable_ = 0;
  std::atomic<int> refused_ = 0;
  std::atomic<int> unseen_ = 0;
  std::latch follow_{kLoops};
  std::latch answered_{kLoops * kAppends};
};

TEST(MemoryLaneThreads, four_loops_append_at_once_and_everybody_sees_everything) {
  Threaded threaded;
  threaded.wait_for_answers();
  threaded.stop_lane();
  threaded.stop_loops();
  EXPECT_EQ(threaded.durable(), Threaded::kAppends * static_cast<int>(Threaded::kLoops));
  EXPECT_EQ(threaded.lane().durable(), static_cast<Sequence>(threaded.durable()));
  EXPECT_EQ(threaded.unseen(), 0);
  for (std::size_t i = 0; i < Threaded::kLoops; ++i) EXPECT_EQ(threaded.told(i), threaded.lane().durable());
}

TEST(MemoryLaneThreads, stopping_amid_traffic_leaves_nobody_without_an_answer) {
  Threaded threaded;
  threaded.wait_for_some_answers();
  threaded.stop_lane();
  threaded.wait_for_answers();
  threaded.stop_loops();
  EXPECT_EQ(threaded.lane().durable(), static_cast<Sequence>(threaded.durable()));
  EXPECT_EQ(threaded.durable() + threaded.refused(), Threaded::kAppends * static_cast<int>(Threaded::kLoops));
}

}  // namespace
}  // namespace storage
