// SPDX-License-Identifier: Apache-2.0
#pragma once
// One loop's view of the events: its tail of the log, who subscribes on it, and the way in for publishers.
//
// Thread: one loop; several engines share a Lane and Topics. Lifetime: outlives every subscription on its loop.
// Invariant: loop_end() is the last sequence whose fan-out on this loop is complete.
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "codec/json.h"
#include "engine/address_index.h"
#include "engine/publication.h"
#include "engine/subscription.h"
#include "engine/tail.h"
#include "io/waiting_bytes.h"
#include "storage/lane.h"

namespace engine {

// Of ephemeral events that were posted to a loop and have not run there: beyond it that loop is sent no more of them.
inline constexpr std::size_t kEphemeralWaitingBytesMax = 32 << 20;

struct EventCounters {
  std::uint64_t published = 0;          // acknowledged as new
  std::uint64_t repeated = 0;           // acknowledged as repeats
  std::uint64_t refused = 0;            // not acknowledged
  std::uint64_t delivered = 0;          // to one subscriber each
  std::uint64_t ephemeral_dropped = 0;  // by a subscriber that was behind or full, or on the way to a loop
  std::uint64_t tail_lost = 0;          // commits that came without their block
  std::uint64_t cold_reads = 0;         // of the lane, by subscriptions and pages
};

class Engine final {
 public:
  // Follows the lane from now on.
  Engine(io::Loop&, storage::Lane&, const Topics&);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // All engines of the program, this one included: ephemeral events go from loop to loop. Before the loop starts.
  void join(std::vector<Engine*> all) { all_ = std::move(all); }

  // Errc::Invalid (not what the contract allows) at once, and `done` is dropped; else `done` is called on this loop,
  // during the call or later.
  base::Result<void> publish(const Publication&, PublishDone);

  io::Loop& loop() { return loop_; }
  storage::Lane& lane() { return lane_; }
  const Topics& topics() const { return topics_; }
  Cursor cursor(storage::Sequence sequence) const { return {lane_.identity().epoch, sequence}; }
  Cursor latest() const { return cursor(lane_.durable()); }
  storage::Sequence loop_end() const { return loop_end_; }
  std::size_t subscriptions() const { return index_.subscriptions(); }
  const EventCounters& counters() const { return counters_; }

 private:
  friend class Subscription;
  friend class PageReader;

  void on_commit(const storage::Commit&);
  void fan_out(const storage::Entry&);
  void post_ephemeral(const storage::BlockPtr&, Engine& to);
  void on_ephemeral(const storage::BlockPtr&);
  void append(const Publication&, const codec::CloudEvent&, PublishDone);
  void broadcast(const Publication&, const codec::CloudEvent&, PublishDone);
  void answer(const storage::AppendReply&, PublishReply, const Channel&, PublishDone);
  void answer_with_first_id(PublishReply, const Channel&, PublishDone);

  // Names something that waits for an answer or a turn, so that an answer can find out whether it is still there.
  std::uint64_t await(Subscription&);
  void forget(std::uint64_t id) { awaited_.erase(id); }
  Subscription* awaited(std::uint64_t id);

  io::Loop& loop_;
  storage::Lane& lane_;
  const Topics& topics_;
  Tail tail_;
  storage::Sequence loop_end_;
  AddressIndex index_;
  std::vector<Event> run_;  // scratch of fan_out
  std::uint64_t last_live_number_ = 0;
  std::unordered_map<std::uint64_t, Subscription*> awaited_;
  std::uint64_t last_awaited_id_ = 0;
  std::vector<Engine*> all_;
  io::WaitingBytes ephemeral_waiting_{kEphemeralWaitingBytesMax};  // on the way here from the others
  codec::json::Parser json_parser_;
  EventCounters counters_;
};

}  // namespace engine
