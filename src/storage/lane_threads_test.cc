// SPDX-License-Identifier: Apache-2.0
// Both lanes on real threads: what the simulation cannot show is left to the thread sanitizer.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <latch>

#include "storage/log/file_lane.h"
#include "storage/memory_lane.h"
#include "storage/test_stage.h"

namespace storage {
namespace {

class InMemory {
 public:
  InMemory(io::World, io::Loop& loop) : lane_(loop) {}
  Lane& lane() { return lane_; }

 private:
  MemoryLane lane_;
};

// In a directory of its own, with segments small enough to be ended and sealed while everybody appends and reads.
class InFiles {
 public:
  InFiles(io::World world, io::Loop& loop) {
    CHECK(mkdtemp(directory_.data()) != nullptr, "a test needs a directory");
    Limits limits;
    limits.segment_bytes_first = limits.segment_bytes_max = 128 * 1024;
    auto lane = FileLane::open(world, loop, directory_, limits);
    CHECK(lane.has_value(), "a lane opens in an empty directory");
    lane_ = std::move(*lane);
  }
  ~InFiles() {
    lane_ = nullptr;
    std::filesystem::remove_all(directory_);
  }
  Lane& lane() { return *lane_; }

 private:
  std::string directory_ = std::filesystem::temp_directory_path() / "tidewire-lane-XXXXXX";
  std::unique_ptr<FileLane> lane_;
};

constexpr std::size_t kLoops = 4;
constexpr int kAppendsOfLoop = 1'000;
constexpr int kAppends = kAppendsOfLoop * static_cast<int>(kLoops);

// Every loop appends all its events at once, follows the lane, and reads from the beginning to the end meanwhile.
template <typename Storage>
class Threaded {
 public:
  Threaded() : lane_loop_(world_.world(), "lane"), storage_(world_.world(), lane_loop_) {
    for (std::size_t i = 0; i < kLoops; ++i) loops_.push_back(std::make_unique<io::Loop>(world_.world(), "loop"));
    world_.world().threads.start(lane_loop_);
    for (std::size_t i = 0; i < kLoops; ++i) {
      world_.world().threads.start(*loops_[i]);
      loops_[i]->post([this, i] { begin(i); });
    }
  }
  void wait_for_answers() { answered_.wait(); }
  void wait_for_some_answers() {
    for (int seen = durable_; seen < kAppends / 4; seen = durable_) durable_.wait(seen);
  }
  void wait_for_readers() { read_.wait(); }
  void stop_lane() {
    lane_loop_.post([this] { lane().stop([this] { lane_loop_.stop(); }); });
    world_.world().threads.join(lane_loop_);
  }
  void stop_loops() {
    for (const auto& loop : loops_) loop->stop();
    for (const auto& loop : loops_) world_.world().threads.join(*loop);
  }

  Lane& lane() { return storage_.lane(); }
  int durable() const { return durable_; }
  int refused() const { return refused_; }
  Sequence told(std::size_t loop) const { return of_loop_[loop].told; }
  Sequence covered(std::size_t loop) const { return of_loop_[loop].covered; }
  int unseen() const { return unseen_; }

 private:
  struct OfLoop {
    Sequence told = 0;
    Sequence covered = 0;
    std::vector<TopicId> topics = {};
  };

  void begin(std::size_t i) {
    lane().follow(*loops_[i], [this, i](const Commit& commit) {
      if (commit.last > lane().durable() || commit.first != of_loop_[i].told + 1) ++unseen_;
      of_loop_[i].told = commit.last;
    });
    lane().declare(*loops_[i], {{"topic 0"}, {"topic 1"}}, [this, i](const std::vector<TopicId>& topics) {
      of_loop_[i].topics = topics;
      follow_.arrive_and_wait();  // everybody follows before anybody appends
      for (int n = 0; n < kAppendsOfLoop; ++n) append(i, n);
      read(i);
    });
  }
  void append(std::size_t i, int n) {
    const TopicId topic = of_loop_[i].topics[i % 2];
    auto events = request_of(event_of(topic, std::to_string(n) + std::string(200, 'x')));
    lane().append(*loops_[i], std::move(events), [this, i](const AppendReply& reply) {
      if (reply.status == AppendStatus::Durable) {
        if (reply.items[0].sequence > of_loop_[i].told) ++unseen_;
        if (++durable_ % 128 == 0 || durable_ >= kAppends) durable_.notify_all();
      } else {
        EXPECT_EQ(reply.status, AppendStatus::Stopped);
        ++refused_;
      }
      answered_.count_down();
    });
  }
  void read(std::size_t i) {
    OfLoop& mine = of_loop_[i];
    lane().read(*loops_[i], {mine.topics, mine.covered, 64 * 1024}, [this, i](const ReadReply& reply) {
      if (reply.status == ReadStatus::Stopped) return read_.count_down();
      EXPECT_EQ(reply.status, ReadStatus::Read);
      of_loop_[i].covered = reply.covered;
      if (reply.covered == kAppends) return read_.count_down();
      read(i);
    });
  }

  io::RealWorld world_;
  io::Loop lane_loop_;
  std::vector<std::unique_ptr<io::Loop>> loops_;
  Storage storage_;
  std::array<OfLoop, kLoops> of_loop_;
  std::atomic<int> durable_ = 0;
  std::atomic<int> refused_ = 0;
  std::atomic<int> unseen_ = 0;
  std::latch follow_{kLoops};
  std::latch answered_{kAppends};
  std::latch read_{kLoops};
};

template <typename Storage>
class LaneThreads : public testing::Test {};
using Storages = testing::Types<InMemory, InFiles>;
TYPED_TEST_SUITE(LaneThreads, Storages);

TYPED_TEST(LaneThreads, four_loops_append_and_read_at_once_and_everybody_sees_everything) {
  Threaded<TypeParam> threaded;
  threaded.wait_for_answers();
  threaded.wait_for_readers();
  threaded.stop_lane();
  threaded.stop_loops();
  EXPECT_EQ(threaded.durable(), kAppends);
  EXPECT_EQ(threaded.lane().durable(), static_cast<Sequence>(kAppends));
  EXPECT_EQ(threaded.unseen(), 0);
  for (std::size_t i = 0; i < kLoops; ++i) {
    EXPECT_EQ(threaded.told(i), threaded.lane().durable());
    EXPECT_EQ(threaded.covered(i), threaded.lane().durable());
  }
}

TYPED_TEST(LaneThreads, stopping_amid_traffic_leaves_nobody_without_an_answer) {
  Threaded<TypeParam> threaded;
  threaded.wait_for_some_answers();
  threaded.stop_lane();
  threaded.wait_for_answers();
  threaded.wait_for_readers();
  threaded.stop_loops();
  EXPECT_EQ(threaded.lane().durable(), static_cast<Sequence>(threaded.durable()));
  EXPECT_EQ(threaded.durable() + threaded.refused(), kAppends);
}

}  // namespace
}  // namespace storage
