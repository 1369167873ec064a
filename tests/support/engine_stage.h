// SPDX-License-Identifier: Apache-2.0
#pragma once
// For tests of this floor and of those above: engines on simulated loops around one memory lane, from a seed, and a
// subscriber that notes what it is told.
//
// Nothing moves between the calls; each call that waits steps the world. One thread.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "contract/load_testing.h"
#include "engine/engine.h"
#include "storage/memory_lane.h"
#include "tests/support/sim_world.h"

namespace engine {

inline constexpr std::uint64_t kPatienceNs = 300 * sim::kSecondNs;

// `a/*` and `b/*` are durable, `typing/*` is ephemeral; the application publishes, the counterpart subscribes, and
// `both` goes either way.
inline constexpr std::string_view kStageContract = R"(
asyncapi: 3.0.0
info: {title: stage, version: 1.0.0}
channels:
  a: {address: 'a/{id}', parameters: {id: {}}, messages: {happened: {contentType: application/json}}}
  b: {address: 'b/{id}', parameters: {id: {}}, messages: {happened: {contentType: application/json}}}
  text: {address: 'text/{id}', parameters: {id: {}}, messages: {said: {contentType: text/plain}}}
  binary: {address: 'binary/{id}', parameters: {id: {}}, messages: {bytes: {contentType: application/octet-stream}}}
  both: {address: both, messages: {happened: {}, said: {contentType: text/plain}}}
  put: {address: put, messages: {happened: {}}}
  typing:
    address: 'typing/{id}'
    parameters: {id: {}}
    messages: {typed: {contentType: application/json}}
    x-tidewire: {durability: ephemeral}
operations:
  sendA: {action: send, channel: {$ref: '#/channels/a'}}
  sendB: {action: send, channel: {$ref: '#/channels/b'}}
  sendText: {action: send, channel: {$ref: '#/channels/text'}}
  sendBinary: {action: send, channel: {$ref: '#/channels/binary'}}
  sendBoth: {action: send, channel: {$ref: '#/channels/both'}}
  receiveBoth: {action: receive, channel: {$ref: '#/channels/both'}}
  put: {action: receive, channel: {$ref: '#/channels/put'}, bindings: {http: {method: PUT}}}
  sendTyping: {action: send, channel: {$ref: '#/channels/typing'}}
)";

inline std::unique_ptr<Topics> build_topics(std::string_view contract) {
  auto built =
      Topics::build({{std::make_shared<const contract::Contract>(contract::loaded(contract)), Role::Application}},
                    ServerSelection::AsTheContractSays);
  CHECK(built.topics != nullptr, "a test's contract can be served");
  return std::move(built.topics);
}

class Stage final {
 public:
  using Wrap = std::unique_ptr<storage::Lane> (*)(storage::Lane&);
  struct Options {
    std::uint64_t seed = 1;
    std::size_t loops = 1;
    storage::Limits limits = {};
    Wrap wrap = nullptr;  // puts a faulty lane in front of the good one
    std::string_view contract = kStageContract;
    sim::SimWorld::Options world = {};
  };
  struct Part {
    Part(io::World world, storage::Lane& lane, const Topics& topics)
        : loop(world, "loop"), engine(loop, lane, topics) {}
    io::Loop loop;
    Engine engine;
  };

  explicit Stage(Options options)
      : world(with_seed(options)),
        lane_loop(world.world(), "lane"),
        memory_lane_(lane_loop, options.limits),
        wrapper_(options.wrap ? options.wrap(memory_lane_) : nullptr),
        lane(wrapper_ ? *wrapper_ : memory_lane_),
        topics(build_topics(options.contract)) {
    world.world().threads.start(lane_loop);
    std::vector<Engine*> engines;
    for (std::size_t i = 0; i < options.loops; ++i) {
      parts.push_back(std::make_unique<Part>(world.world(), lane, *topics));
      engines.push_back(&parts[i]->engine);
    }
    for (const auto& part : parts) {
      part->engine.join(engines);
      world.world().threads.start(part->loop);
    }
    bool declared = false;
    lane.declare(parts[0]->loop, topics->declarations(), [&](const std::vector<storage::TopicId>& ids) {
      topics->set_topics(ids);
      declared = true;
    });
    CHECK(world.run_until([&] { return declared; }, kPatienceNs), "the lane answers");
  }
  Stage() : Stage(Options{}) {}

  Engine& engine(std::size_t i = 0) { return parts[i]->engine; }
  io::Loop& loop(std::size_t i = 0) { return parts[i]->loop; }
  Member member(const std::string& address) const {
    const auto found = topics->find('/' + address);
    CHECK(found.has_value(), "a test uses addresses of its contract");
    return {found->channel, address};
  }

  // Everything that can happen now has happened; timers that are further away have not.
  void settle(std::uint64_t span_ns = 50 * sim::kMsNs) { world.run_for(span_ns); }
  // As a message on the loop, so that it runs within a turn.
  void on_loop(io::Task task, std::size_t i = 0) {
    bool done = false;
    loop(i).post([&done, task = std::move(task)]() mutable {
      task();
      done = true;
    });
    CHECK(world.run_until([&] { return done; }, kPatienceNs), "a loop runs its mail");
  }

  void begin_publish(const std::string& address, const std::string& data, PublishDone done, std::size_t i = 0,
                     std::string_view key = {}) {
    const Member to = member(address);
    Publication publication{*to.channel, to.address, Side::Application, {}, key};
    publication.content.data = data;
    CHECK(engine(i).publish(publication, std::move(done)), "a test publishes what its contract allows");
  }
  PublishReply publish(const std::string& address, const std::string& data = "{}", std::size_t i = 0,
                       std::string_view key = {}) {
    std::optional<PublishReply> reply;
    on_loop([&] { begin_publish(address, data, [&](PublishReply r) { reply = std::move(r); }, i, key); }, i);
    CHECK(world.run_until([&] { return reply.has_value(); }, kPatienceNs), "a publish is answered");
    return *reply;
  }

  sim::SimWorld world;
  io::Loop lane_loop;

 private:
  static sim::SimWorld::Options with_seed(const Options& options) {
    sim::SimWorld::Options world = options.world;
    world.seed = options.seed;
    return world;
  }
  storage::MemoryLane memory_lane_;
  std::unique_ptr<storage::Lane> wrapper_;

 public:
  storage::Lane& lane;
  std::unique_ptr<Topics> topics;
  std::vector<std::unique_ptr<Part>> parts;
};

// Passes everything on; what is overridden is the bug.
class FaultyLane : public storage::Lane {
 public:
  explicit FaultyLane(storage::Lane& good) : good_(good) {}
  void append(io::Loop& from, std::vector<storage::NewEvent> events, AppendDone done) override {
    good_.append(from, std::move(events), std::move(done));
  }
  void read(io::Loop& from, storage::ReadRequest request, ReadDone done) override {
    good_.read(from, std::move(request), std::move(done));
  }
  void locate(io::Loop& from, storage::LocateRequest request, LocateDone done) override {
    good_.locate(from, std::move(request), std::move(done));
  }
  void newest_per_address(io::Loop& from, storage::NewestRequest request, NewestDone done) override {
    good_.newest_per_address(from, std::move(request), std::move(done));
  }
  void declare(io::Loop& from, std::vector<storage::TopicDeclaration> topics, DeclareDone done) override {
    good_.declare(from, std::move(topics), std::move(done));
  }
  void follow(io::Loop& loop, OnCommit on_commit) override { good_.follow(loop, std::move(on_commit)); }
  storage::Sequence durable() const override { return good_.durable(); }
  const storage::Identity& identity() const override { return good_.identity(); }
  storage::LaneCondition condition() const override { return good_.condition(); }
  storage::LogUsage usage() const override { return good_.usage(); }
  void stop(io::Task stopped) override { good_.stop(std::move(stopped)); }

 protected:
  storage::Lane& good_;
};

template <class Faulty>
std::unique_ptr<storage::Lane> wrap(storage::Lane& good) {
  return std::make_unique<Faulty>(good);
}

// Notes everything; takes as many events as it has room for.
class Listener final : public Subscriber {
 public:
  static constexpr std::size_t kUnlimited = ~std::size_t{0};

  void on_started(const Started& signal) override {
    EXPECT_FALSE(started.has_value()) << "the first signal comes once";
    started = signal;
  }
  bool deliver(std::span<const Event> run) override {
    EXPECT_TRUE(started.has_value()) << "no event comes before the first signal";
    EXPECT_FALSE(run.empty());
    if (room < run.size()) {
      ++refused;
      return false;
    }
    if (room != kUnlimited) room -= run.size();
    for (const Event& event : run) {
      EXPECT_EQ(event.content.address, run.front().content.address) << "a run has one address";
      sequences.push_back(event.sequence);
      data.emplace_back(event.content.data.value_or(""));
    }
    return true;
  }
  void on_reset(const Reset& reset) override { resets.push_back(reset); }
  void on_live() override { ++lives; }
  void on_progress(Cursor cursor) override { progress.push_back(cursor); }

  std::size_t room = kUnlimited;
  std::size_t refused = 0;
  std::size_t lives = 0;
  std::optional<Started> started;
  std::vector<storage::Sequence> sequences;
  std::vector<std::string> data;
  std::vector<Reset> resets;
  std::vector<Cursor> progress;
};

}  // namespace engine
