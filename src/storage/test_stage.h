// SPDX-License-Identifier: Apache-2.0
#pragma once
// For the tests of this floor: a lane's loop and others, stepped by hand from a seed.
//
// Every post is a place where anything may happen: mail arrives late and in portions, and with Overtaking::Yes the
// receiver may run its turn before the poster goes on, as if it ran on a thread of its own.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "codec/record_batch.h"
#include "io/loop.h"
#include "io/real_world.h"
#include "storage/lane.h"

namespace storage {

class StageClock final : public io::Clock {
 public:
  std::uint64_t monotonic_ns() override { return now_ns; }
  std::int64_t wall_ms() override { return kEpochMs + static_cast<std::int64_t>(now_ns / 1'000'000); }

  static constexpr std::int64_t kEpochMs = 1'700'000'000'000;
  std::uint64_t now_ns = 0;
};

class Stage final : private io::Threads {
 public:
  enum class Overtaking : std::uint8_t { No, Yes };

  explicit Stage(std::size_t loops, unsigned seed = 1, Overtaking overtaking = Overtaking::No)
      : random_(seed), overtaking_(overtaking) {
    lane_loop_ = std::make_unique<io::Loop>(world(), "lane");
    for (std::size_t i = 0; i < loops; ++i) loops_.push_back(std::make_unique<io::Loop>(world(), "loop"));
  }

  io::Loop& lane_loop() { return *lane_loop_; }
  io::Loop& loop(std::size_t i) { return *loops_[i]; }
  std::size_t loops() const { return loops_.size(); }
  StageClock& clock() { return clock_; }
  std::uint64_t pick(std::uint64_t below) { return random_() % below; }

  // One turn with all its mail; false, and nothing, if it is within a turn (somebody overtook it).
  bool turn(io::Loop& loop) {
    Box& box = box_of(loop);
    if (box.in_turn) return false;
    box.in_turn = true;
    loop.turn(io::Loop::Wait::No);
    box.in_turn = false;
    return true;
  }
  // One turn with no more than `mails` of its mail.
  void take_portion(io::Loop& loop, std::size_t mails) {
    Box& box = box_of(loop);
    box.portion = mails;
    turn(loop);
    box.portion = kAll;
  }
  // One turn of any loop with some of its mail.
  void step() {
    Box& box = *boxes_[pick(boxes_.size())];
    take_portion(*box.loop, pick(box.waiting.size() + 1));
  }
  // Until nobody has mail. Loops in `still` do not move.
  void settle(const std::vector<const io::Loop*>& still = {}) {
    for (bool moved = true; moved;) {
      moved = false;
      for (Box* box : boxes_) {
        if (box->waiting.empty() || std::ranges::find(still, box->loop) != still.end()) continue;
        turn(*box->loop);
        moved = true;
      }
    }
  }
  std::size_t waiting(const io::Loop& loop) { return box_of(loop).waiting.size(); }

 private:
  static constexpr std::size_t kAll = ~std::size_t{0};

  struct Box final : io::Mailbox {
    Box(Stage& of, io::Loop& to) : stage(of), loop(&to), bundle(1 + of.pick(4)) { stage.boxes_.push_back(this); }
    ~Box() override { std::erase(stage.boxes_, this); }
    void push(io::Task task) override {
      waiting.push_back(std::move(task));
      if (stage.overtaking_ == Overtaking::Yes && stage.pick(3) == 0) stage.turn(*loop);
    }
    std::size_t bundle_max() const override { return bundle; }
    void take(std::vector<io::Task>& into) override {
      const std::size_t count = std::min(portion, waiting.size());
      for (std::size_t i = 0; i < count; ++i) into.push_back(std::move(waiting[i]));
      waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(count));
    }

    Stage& stage;
    io::Loop* loop;
    const std::size_t bundle;
    std::vector<io::Task> waiting = {};
    std::size_t portion = kAll;
    bool in_turn = false;
  };

  io::World world() {
    io::World real = real_.world();
    return {clock_, real.files, real.file_system, real.network, *this, real.random};
  }
  std::unique_ptr<io::Mailbox> make_mailbox(io::Loop& loop, io::Poller&) override {
    return std::make_unique<Box>(*this, loop);
  }
  void start(io::Loop&) override {}
  void join(io::Loop&) override {}
  Box& box_of(const io::Loop& loop) {
    for (Box* box : boxes_) {
      if (box->loop == &loop) return *box;
    }
    std::abort();
  }

  std::mt19937_64 random_;
  const Overtaking overtaking_;
  io::RealWorld real_;
  StageClock clock_;
  std::vector<Box*> boxes_;
  std::unique_ptr<io::Loop> lane_loop_;
  std::vector<std::unique_ptr<io::Loop>> loops_;
};

inline NewEvent event_of(TopicId topic, const std::string& value) {
  NewEvent event{topic, std::hash<std::string>()(value), {}, {}};
  codec::append_record_tail(event.record_tail, std::nullopt, value, {});
  return event;
}
inline NewEvent event_of(TopicId topic, const std::string& value, std::uint64_t id) {
  NewEvent event = event_of(topic, value);
  event.repeat = Repeat{{id, 1}, {std::hash<std::string>()(value), 0}};
  return event;
}

template <class... Events>
std::vector<NewEvent> request_of(Events... events) {
  std::vector<NewEvent> request;
  (request.push_back(std::move(events)), ...);
  return request;
}

struct SeenEvent {
  Sequence sequence;
  TopicId topic;
  std::int64_t offset;
  std::int64_t timestamp_ms;
  std::string value;
};

inline void decode(const Block& block, std::vector<SeenEvent>& into) {
  for (const Entry& entry : block.entries) {
    const auto batch = codec::BatchView::parse(entry.batch, codec::BatchCrc::Check).value();
    codec::RecordReader records = batch.records();
    for (Sequence sequence = entry.first_sequence; sequence <= entry.last_sequence(); ++sequence) {
      const codec::RecordView record = records.next().value();
      into.push_back({sequence, entry.topic, record.offset, record.timestamp_ms, std::string(record.value.value())});
    }
    if (records.left() != 0) std::abort();
  }
}

}  // namespace storage
