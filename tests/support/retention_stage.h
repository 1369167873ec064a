// SPDX-License-Identifier: Apache-2.0
#pragma once
// For the tests of retention: a durable lane in the simulated world, over several starts, as those see it who publish
// to it and read from it.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/log/file_lane.h"
#include "storage/test_stage.h"
#include "tests/support/sim_world.h"

namespace storage {

inline constexpr std::uint64_t kPatienceNs = 60 * sim::kSecondNs;
inline constexpr std::uint64_t kMinuteNs = 60 * sim::kSecondNs;
inline constexpr std::int64_t kYearMs = 365ll * 86'400'000;

inline Limits small_limits() {
  Limits limits;
  limits.segment_bytes_first = 32'768;
  limits.segment_bytes_max = 65'536;
  limits.fill_ahead_bytes = 16'384;
  limits.fill_step_bytes = 4'096;
  limits.repeat_window_ns = 20 * sim::kSecondNs;
  limits.repeat_guaranteed_ns = 10 * sim::kSecondNs;
  limits.protect_age_ns = 60 * sim::kSecondNs;
  return limits;
}

class RetentionTest : public testing::Test {
 protected:
  // One start of the lane.
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

  explicit RetentionTest(const Limits& limits = small_limits(), const sim::SimFiles::Options& disk = {})
      : limits_(limits), world_({.seed = 11, .files = disk}) {
    start();
  }
  ~RetentionTest() override {
    if (run_) stop();
  }

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
  void kill() {
    run_->lane_loop.stop();
    run_->loop.stop();
    end();
    world_.files().kill();
  }
  void end() {
    world_.world().threads.join(run_->lane_loop);
    world_.world().threads.join(run_->loop);
    run_.reset();
  }
  void pass(std::uint64_t ns) { world_.run_for(ns); }

  std::vector<TopicId> declare(std::vector<TopicDeclaration> topics) {
    std::optional<std::vector<TopicId>> ids;
    run_->lane->declare(run_->loop, std::move(topics), [&](std::vector<TopicId> answer) { ids = std::move(answer); });
    EXPECT_TRUE(world_.run_until([&] { return ids.has_value(); }, kPatienceNs));
    return ids.value_or(std::vector<TopicId>());
  }
  TopicId declare(const std::string& identity, Retention retention) { return declare({{identity, retention}}).at(0); }
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
  // Events with a value of this size, until so many bytes are published or publishing is refused; how many were.
  int publish_bytes(TopicId topic, std::size_t bytes, std::size_t value_bytes = 2'000) {
    int count = 0;
    for (; bytes >= value_bytes; bytes -= value_bytes, ++count) {
      const AppendReply reply = append(request_of(event_of(topic, std::string(value_bytes, 'v'))));
      if (reply.status == AppendStatus::NoSpace) break;
      EXPECT_EQ(reply.status, AppendStatus::Durable);
    }
    return count;
  }
  ReadReply read(std::vector<TopicId> topics, std::optional<Sequence> after) {
    std::optional<ReadReply> reply;
    run_->lane->read(run_->loop, {std::move(topics), after, 1 << 20}, [&](ReadReply r) { reply = std::move(r); });
    EXPECT_TRUE(world_.run_until([&] { return reply.has_value(); }, kPatienceNs));
    return std::move(*reply);
  }
  Sequence complete_after(TopicId topic) { return read({topic}, std::nullopt).complete_after; }
  // All there is of a topic, from its earliest event on.
  std::vector<std::string> values(TopicId topic) {
    std::vector<std::string> found;
    for (std::optional<Sequence> after; after != run_->lane->durable();) {
      const ReadReply reply = read({topic}, after);
      EXPECT_EQ(reply.status, ReadStatus::Read);
      if (reply.status != ReadStatus::Read || (after && reply.covered <= *after)) break;
      std::vector<SeenEvent> events;
      for (const BlockPtr& block : reply.blocks) decode(*block, events);
      for (const SeenEvent& event : events) {
        if (event.topic == topic && event.sequence > reply.after && event.sequence <= reply.covered)
          found.push_back(event.value);
      }
      after = reply.covered;
    }
    return found;
  }
  std::vector<std::string> segment_paths() const {
    std::vector<std::string> paths;
    for (const std::string& path : world_.files().paths()) {
      if (path.ends_with(".segment")) paths.push_back(path);
    }
    return paths;
  }
  std::size_t segments() const { return segment_paths().size(); }
  std::uint64_t stored_bytes() const {
    std::uint64_t bytes = 0;
    for (const std::string& path : world_.files().paths()) {
      if (path.ends_with(".segment")) bytes += world_.files().get(path)->size();
    }
    return bytes;
  }
  FileLane& lane() { return *run_->lane; }

  Limits limits_;
  mutable sim::SimWorld world_;
  std::unique_ptr<Run> run_;
};

inline Retention seconds(std::uint64_t count) { return {.age_ns = count * sim::kSecondNs}; }
inline Retention bytes(std::uint64_t count) { return {.age_ns = Retention::kUnbounded, .bytes = count}; }
inline Retention for_ever() { return bytes(Retention::kUnbounded); }

}  // namespace storage
