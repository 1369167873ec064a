// SPDX-License-Identifier: Apache-2.0
// The cursor contract (G1, G4) from many seeds: publishers and subscribers on several loops; subscribers are full at
// times, disconnect, and come back on another loop with the last cursor that they were told. What each saw is what the
// lane has behind its first cursor, exactly once and in order. The same check must find bugs that are put in.
#include <algorithm>
#include <map>
#include <random>

#include "tests/support/engine_stage.h"

namespace engine {
namespace {

enum class Resuming : std::uint8_t { After, AtTheCursor };

// One client through all of its connections.
class Client final : public Subscriber {
 public:
  Client(Stage& stage, std::vector<std::string> addresses, Resuming resuming)
      : stage_(stage), addresses_(std::move(addresses)), resuming_(resuming) {}

  void connect(std::size_t loop, Start start) {
    std::vector<Member> members;
    for (const std::string& address : addresses_) members.push_back(stage_.member(address));
    if (last_) start = *last_;
    if (last_ && resuming_ == Resuming::AtTheCursor && last_->sequence > 0)
      start = Cursor{last_->epoch, last_->sequence - 1};
    started_ = false;
    subscription_.emplace(stage_.engine(loop), std::move(members), start, OnReset::Latest, *this);
    subscription_->start();
  }
  // What a heartbeat tells.
  void beat() {
    if (subscription_ && started_) told(subscription_->position());
  }
  void disconnect() { subscription_.reset(); }
  bool is_connected() const { return subscription_.has_value(); }
  bool is_live() const { return subscription_->is_live(); }
  void set_room(std::size_t events) {
    room_ = events;
    if (subscription_ && events > 0) subscription_->resume();
  }

  // Empty, or what is wrong.
  std::string judge(const std::map<storage::Sequence, std::string>& log) const {
    if (!wrong_.empty()) return wrong_;
    if (!first_) return "never told where it starts";
    std::vector<storage::Sequence> expected;
    for (const auto& [sequence, address] : log)
      if (sequence > first_->sequence && wants(address)) expected.push_back(sequence);
    if (seen_ == expected) return {};
    const auto [seen, missing] = std::ranges::mismatch(seen_, expected);
    return "differs from the log at " + (seen == seen_.end() ? "its end" : std::to_string(*seen)) + ", expected " +
           (missing == expected.end() ? "nothing" : std::to_string(*missing));
  }

 private:
  bool wants(const std::string& address) const { return std::ranges::find(addresses_, address) != addresses_.end(); }
  void told(const Cursor& cursor) {
    if (last_ && cursor.sequence < last_->sequence) wrong_ = "a position went back";
    last_ = cursor;
  }

  void on_started(const Started& started) override {
    if (started.reset) wrong_ = "reset: " + std::string(name(*started.reset));
    if (!first_) first_ = started.cursor;
    if (resuming_ == Resuming::After && last_ && started.cursor != *last_) wrong_ = "resumed somewhere else";
    started_ = true;
    last_ = started.cursor;
  }
  bool deliver(std::span<const Event> run) override {
    if (!started_) wrong_ = "an event before the first signal";
    if (room_ == 0) return false;
    --room_;
    for (const Event& event : run) {
      if (!seen_.empty() && event.sequence <= seen_.back())
        wrong_ = "twice or out of order: " + std::to_string(event.sequence);
      seen_.push_back(event.sequence);
      told({stage_.lane.identity().epoch, event.sequence});
    }
    return true;
  }
  void on_reset(const Reset&) override { wrong_ = "reset mid-stream although nothing was trimmed"; }
  void on_progress(Cursor cursor) override { told(cursor); }

  Stage& stage_;
  const std::vector<std::string> addresses_;
  const Resuming resuming_;
  std::optional<Subscription> subscription_;
  std::optional<Cursor> first_;
  std::optional<Cursor> last_;
  std::vector<storage::Sequence> seen_;
  std::string wrong_;
  std::size_t room_ = Listener::kUnlimited;
  bool started_ = false;
};

class Run {
 public:
  static constexpr std::size_t kLoops = 3;
  static constexpr std::size_t kClients = 4;
  static constexpr std::size_t kEvents = 60;

  Run(std::uint64_t seed, Stage::Wrap wrap, Resuming resuming)
      : random_(seed), stage_({.seed = seed, .loops = kLoops, .limits = limits(seed), .wrap = wrap}) {
    const std::vector<std::vector<std::string>> sets = {{"a/0"}, {"a/1", "b/0"}, {"b/0", "a/0", "a/1"}, {"a/1"}};
    for (std::size_t i = 0; i < kClients; ++i) clients_.push_back(std::make_unique<Client>(stage_, sets[i], resuming));
  }

  std::string verdict() {
    for (std::size_t published = 0; published < kEvents;) {
      for (std::size_t burst = pick(4); burst > 0 && published < kEvents; --burst, ++published) publish();
      for (const auto& client : clients_) act(*client);
      for (std::size_t steps = pick(25); steps > 0; --steps) stage_.world.step();
    }
    for (const auto& client : clients_) {
      if (!client->is_connected()) client->connect(pick(kLoops), Earliest{});
      client->set_room(Listener::kUnlimited);
    }
    const bool quiet = stage_.world.run_until([&] { return answered_ == kEvents && all_live(); }, kPatienceNs);
    stage_.settle();
    if (!quiet) return "somebody never went live";
    for (const auto& client : clients_)
      if (std::string wrong = client->judge(log_); !wrong.empty()) return wrong;
    return {};
  }

 private:
  static storage::Limits limits(std::uint64_t seed) {
    storage::Limits limits;
    if (seed % 3 == 0) limits.follower_waiting_bytes_max = 500;
    return limits;
  }
  std::size_t pick(std::size_t below) { return random_() % below; }

  void publish() {
    const char* const addresses[] = {"a/0", "a/1", "a/2", "b/0"};
    const std::string address = addresses[pick(4)];
    const std::size_t from = pick(kLoops);
    stage_.loop(from).post([this, address, from] {
      stage_.begin_publish(
          address, "{}",
          [this, address](const PublishReply& reply) {
            ++answered_;
            log_[reply.cursor.sequence] = address;
          },
          from);
    });
  }
  void act(Client& client) {
    switch (pick(8)) {
      case 0: return client.disconnect();
      case 1: return client.set_room(0);
      case 2: return client.set_room(pick(4));
      case 3: return client.set_room(Listener::kUnlimited);
      case 4: return client.beat();
      default: break;
    }
    if (client.is_connected()) return;
    client.connect(pick(kLoops), pick(2) == 0 ? Start(Earliest{}) : Start(Latest{}));
  }
  bool all_live() const {
    return std::ranges::all_of(clients_, [](const auto& client) { return client->is_live(); });
  }

  std::mt19937_64 random_;
  Stage stage_;
  std::map<storage::Sequence, std::string> log_;
  std::size_t answered_ = 0;
  std::vector<std::unique_ptr<Client>> clients_;
};

// Commits arrive before durable() has moved.
class LateDurable final : public FaultyLane {
 public:
  using FaultyLane::FaultyLane;
  storage::Sequence durable() const override {
    const storage::Sequence real = good_.durable();
    if (real == shown_ || ++asked_ % 4 == 0) shown_ = real;
    return shown_;
  }

 private:
  mutable storage::Sequence shown_ = 0;
  mutable int asked_ = 0;
};

// One commit message of one loop is lost.
class ForgetfulLane final : public FaultyLane {
 public:
  using FaultyLane::FaultyLane;
  void follow(io::Loop& loop, OnCommit on_commit) override {
    good_.follow(loop, [this, on_commit = std::move(on_commit)](const storage::Commit& commit) mutable {
      constexpr int kLost = 10;
      if (++told_ != kLost) on_commit(commit);
    });
  }

 private:
  int told_ = 0;
};

// A read that was cut short claims to cover everything.
class BoastfulLane final : public FaultyLane {
 public:
  using FaultyLane::FaultyLane;
  void read(io::Loop& from, storage::ReadRequest request, ReadDone done) override {
    good_.read(from, std::move(request), [done = std::move(done)](storage::ReadReply reply) mutable {
      if (!reply.blocks.empty()) reply.blocks.pop_back();
      done(std::move(reply));
    });
  }
};

std::string verdict(std::uint64_t seed, Stage::Wrap wrapping = nullptr, Resuming resuming = Resuming::After) {
  return Run(seed, wrapping, resuming).verdict();
}

std::size_t found(Stage::Wrap wrapping, Resuming resuming = Resuming::After) {
  constexpr std::uint64_t kSeeds = 20;
  std::size_t found = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) found += verdict(seed, wrapping, resuming).empty() ? 0 : 1;
  return found;
}

TEST(ExactlyOnce, holds_for_every_client_whatever_the_interleaving) {
  constexpr std::uint64_t kSeeds = 300;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) ASSERT_EQ(verdict(seed), "") << "seed " << seed;
}

TEST(ExactlyOnceCheck, finds_a_client_that_resumes_at_its_cursor_instead_of_after_it) {
  EXPECT_GT(found(nullptr, Resuming::AtTheCursor), 0u);
}
TEST(ExactlyOnceCheck, finds_a_lane_whose_durable_moves_after_the_commit_was_told) {
  EXPECT_GT(found(wrap<LateDurable>), 0u);
}
TEST(ExactlyOnceCheck, finds_a_lost_commit_message) { EXPECT_GT(found(wrap<ForgetfulLane>), 0u); }
TEST(ExactlyOnceCheck, finds_a_read_that_covers_less_than_it_says) { EXPECT_GT(found(wrap<BoastfulLane>), 0u); }

}  // namespace
}  // namespace engine
