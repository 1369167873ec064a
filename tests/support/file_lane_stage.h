// SPDX-License-Identifier: Apache-2.0
#pragma once
// A durable lane in the simulated world, and one loop that calls it, over several starts. For tests that say what its
// callers notice.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/log/file_lane.h"
#include "storage/test_stage.h"
#include "tests/support/sim_world.h"

namespace storage {

inline constexpr std::uint64_t kPatienceNs = 60 * sim::kSecondNs;

inline Limits small_limits() {
  Limits limits;
  limits.segment_bytes_first = 32'768;
  limits.segment_bytes_max = 131'072;
  limits.fill_ahead_bytes = 16'384;
  limits.fill_step_bytes = 4'096;
  return limits;
}

class FileLaneStage : public testing::Test {
 protected:
  // One start of the lane.
  struct Run {
    Run(sim::SimWorld& world, const std::string& directory, const Limits& limits)
        : lane_loop(world.world(), "lane"), loop(world.world(), "loop") {
      auto opened = FileLane::open(world.world(), lane_loop, directory, limits);
      CHECK(opened.has_value(), "the lane opens");
      lane = std::move(*opened);
      world.world().threads.start(lane_loop);
      world.world().threads.start(loop);
    }
    io::Loop lane_loop;
    io::Loop loop;
    std::unique_ptr<FileLane> lane;
  };

  FileLaneStage() { start(); }
  ~FileLaneStage() override {
    if (run_) stop();
  }

  void start(const std::string& directory = "/lane") { run_ = std::make_unique<Run>(world_, directory, limits_); }
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
  // The process dies between two operations of the disk.
  void kill() {
    run_->lane_loop.stop();
    run_->loop.stop();
    end();
    world_.files().kill();
  }

  std::vector<TopicId> declare(std::vector<TopicDeclaration> topics) {
    std::optional<std::vector<TopicId>> ids;
    run_->lane->declare(run_->loop, std::move(topics), [&](std::vector<TopicId> answer) { ids = std::move(answer); });
    EXPECT_TRUE(world_.run_until([&] { return ids.has_value(); }, kPatienceNs));
    return ids.value_or(std::vector<TopicId>());
  }
  AppendReply append(std::vector<NewEvent> events) {
    std::optional<AppendReply> reply;
    run_->lane->append(run_->loop, std::move(events), [&](AppendReply answer) { reply = std::move(answer); });
    EXPECT_TRUE(world_.run_until([&] { return reply.has_value(); }, kPatienceNs));
    return reply.value_or(AppendReply{AppendStatus::Stopped, {}, {}});
  }
  Sequence publish(TopicId topic, const std::string& value) {
    const AppendReply reply = append(request_of(event_of(topic, value)));
    EXPECT_EQ(reply.status, AppendStatus::Durable);
    return reply.items.empty() ? 0 : reply.items[0].sequence;
  }
  ReadReply read(std::vector<TopicId> topics, std::optional<Sequence> after, std::size_t bytes_max = 1 << 20) {
    std::optional<ReadReply> reply;
    run_->lane->read(run_->loop, {std::move(topics), after, bytes_max}, [&](ReadReply r) { reply = std::move(r); });
    EXPECT_TRUE(world_.run_until([&] { return reply.has_value(); }, kPatienceNs));
    return std::move(*reply);
  }
  // All there is, as a reader that goes on where the last answer ended sees it.
  std::vector<std::string> values(const std::vector<TopicId>& topics, std::size_t bytes_max = 1 << 20) {
    std::vector<std::string> found;
    for (std::optional<Sequence> after; after != run_->lane->durable();) {
      const ReadReply reply = read(topics, after, bytes_max);
      EXPECT_EQ(reply.status, ReadStatus::Read);
      if (reply.status != ReadStatus::Read || (after && reply.covered <= *after)) break;
      std::vector<SeenEvent> events;
      for (const BlockPtr& block : reply.blocks) decode(*block, events);
      for (const SeenEvent& event : events)
        if (event.sequence > reply.after && event.sequence <= reply.covered) found.push_back(event.value);
      after = reply.covered;
    }
    return found;
  }
  std::size_t segments() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(world_.files().paths(), [](const auto& path) { return path.ends_with(".segment"); }));
  }
  FileLane& lane() { return *run_->lane; }

  Limits limits_ = small_limits();
  mutable sim::SimWorld world_{{.seed = 5}};
  std::unique_ptr<Run> run_;
};

}  // namespace storage
