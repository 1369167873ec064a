// SPDX-License-Identifier: Apache-2.0
// The lane in the simulated world that whole servers run in: loops, mail and stalls by a seed, and the same run again.
#include <gtest/gtest.h>

#include <array>

#include "storage/memory_lane.h"
#include "storage/test_stage.h"
#include "tests/support/sim_world.h"

namespace storage {
namespace {

constexpr unsigned kSeeds = 40;
constexpr std::size_t kLoops = 3;
constexpr int kRequestsPerLoop = 60;

class SimulatedLane {
 public:
  explicit SimulatedLane(unsigned seed) : world_({.seed = seed}), lane_loop_(world_.world(), "lane") {
    for (std::size_t i = 0; i < kLoops; ++i) {
      loops_.push_back(std::make_unique<io::Loop>(world_.world(), "loop " + std::to_string(i)));
      lane_.follow(*loops_[i], [this, i](const Commit& commit) { on_commit(i, commit); });
    }
    lane_.declare(*loops_[0], {{"a"}}, [this](const std::vector<TopicId>&) {
      for (std::size_t i = 0; i < kLoops; ++i) loops_[i]->post([this, i] { publish(i, 0); });
    });
    world_.world().threads.start(lane_loop_);
    for (const auto& loop : loops_) world_.world().threads.start(*loop);
  }
  // Every answer, then an orderly stop.
  void run() {
    ASSERT_TRUE(world_.run_until([this] { return answers_ == kLoops * kRequestsPerLoop; }, 60 * sim::kSecondNs));
    lane_loop_.post([this] { lane_.stop([this] { lane_loop_.stop(); }); });
    world_.world().threads.join(lane_loop_);
    for (const auto& loop : loops_) loop->stop();
    for (const auto& loop : loops_) world_.world().threads.join(*loop);
  }
  std::uint64_t trace() const { return world_.trace().hash(); }
  Sequence durable() const { return lane_.durable(); }
  Sequence told(std::size_t loop) const { return told_[loop]; }
  int violations() const { return violations_; }

 private:
  // Two requests at a time; every third event is a repeat of the one before it.
  void publish(std::size_t loop, int n) {
    if (n >= kRequestsPerLoop) return;
    for (const int id : {n, n % 3 == 2 ? n : n + 1}) {
      const std::uint64_t key = loop * 1'000 + static_cast<std::uint64_t>(id);
      lane_.append(*loops_[loop], request_of(event_of(1, std::to_string(key), key)),
                   [this, loop](const AppendReply& reply) { on_answer(loop, reply); });
    }
    loops_[loop]->post([this, loop, n] { publish(loop, n + 2); });
  }
  void on_answer(std::size_t loop, const AppendReply& reply) {
    ++answers_;
    if (reply.status != AppendStatus::Durable || reply.items[0].sequence > told_[loop]) ++violations_;
  }
  void on_commit(std::size_t loop, const Commit& commit) {
    if (commit.first != told_[loop] + 1 || commit.last > lane_.durable()) ++violations_;
    told_[loop] = commit.last;
  }

  sim::SimWorld world_;
  io::Loop lane_loop_;
  std::vector<std::unique_ptr<io::Loop>> loops_;
  MemoryLane lane_{lane_loop_};
  std::array<Sequence, kLoops> told_ = {};
  std::size_t answers_ = 0;
  int violations_ = 0;
};

TEST(SimulatedLane, keeps_its_order_and_answers_everybody_in_every_world) {
  for (unsigned seed = 0; seed < kSeeds && !testing::Test::HasFatalFailure(); ++seed) {
    SCOPED_TRACE(seed);
    SimulatedLane lane(seed);
    lane.run();
    EXPECT_EQ(lane.violations(), 0);
    EXPECT_EQ(lane.durable(), 150u);  // of 180 requests: every sixth is a repeat
    for (std::size_t i = 0; i < kLoops; ++i) EXPECT_EQ(lane.told(i), lane.durable());
  }
}

TEST(SimulatedLane, the_same_seed_is_the_same_run) {
  std::array<std::uint64_t, 2> traces;
  for (std::uint64_t& trace : traces) {
    SimulatedLane lane(11);
    lane.run();
    trace = lane.trace();
  }
  EXPECT_EQ(traces[0], traces[1]);
  SimulatedLane other(12);
  other.run();
  EXPECT_NE(traces[0], other.trace());
}

}  // namespace
}  // namespace storage
