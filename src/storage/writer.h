// SPDX-License-Identifier: Apache-2.0
#pragma once
// The one writer of a lane: a state machine that turns requests into commit groups.
//
//   Collecting --end of a turn with requests--> Persisting --done--> Collecting
//                                                   \----outcome unknown----> Failed (until a restart)
//
// While a group persists, requests wait; at the end of the turn in which it is done, all that waits departs as the
// next group. That is the batching: no timer, a group per round trip to the medium. When a group is durable, in this
// order: durable() moves, every follower's loop is sent the block, the publishers' loops are sent the answers.
//
// Sequences, offsets and repeats are settled when a group departs, so whatever came before has been decided by then.
// A repeat of an event in a group that fails shares its fate.
//
// Thread: append() and durable() any, everything else the lane's loop. Must live until the loop's last turn.
#include <atomic>
#include <cstdint>
#include <deque>
#include <vector>

#include "storage/answers.h"
#include "storage/followers.h"
#include "storage/gate.h"
#include "storage/group_encoder.h"
#include "storage/lane_clock.h"
#include "storage/limits.h"
#include "storage/medium.h"
#include "storage/repeats.h"

namespace storage {

class Writer final {
 public:
  // Where a lane goes on: the first event gets `next`, and everything at or before `durable` was there before.
  struct Start {
    Sequence durable = 0;
    Sequence next = 1;
  };
  Writer(io::Loop&, const LaneClock&, TopicTable&, Medium&, const Limits&, Start);
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // See Lane.
  void append(io::Loop& from, std::vector<NewEvent>, Lane::AppendDone);
  Sequence durable() const { return durable_.load(std::memory_order_acquire); }

  // Everything behind `told` is told.
  void follow(io::Loop&, Lane::OnCommit, Sequence told);

  // Before the first append: what is remembered from before the start.
  Repeats& repeats() { return repeats_; }

  void close() { gate_.close(); }  // what entered is still committed; what comes is told Stopped
  bool drained() const { return gate_.drained() && state_ != State::Persisting; }
  bool has_failed() const { return state_ == State::Failed; }

  std::uint64_t repeats_forgotten_early() const { return repeats_.forgotten_early(); }

 private:
  enum class State : std::uint8_t { Collecting, Persisting, Failed };

  void receive(RequestPtr);
  void form_group();
  bool fits(const Request& next) const { return group_bytes_ == 0 || group_bytes_ + next.bytes <= group_bytes_max_; }
  RequestPtr take_waiting();
  void admit(RequestPtr, std::int64_t append_time_ms);
  AppendStatus judge(Request&);
  void on_persisted(Persisted);
  void commit(const BlockPtr&);
  void undo(const Block&);
  void fail();
  void refuse_waiting();
  void refuse_waiting_repeats(AppendStatus);
  bool repeats_undecided(const Request&) const;

  io::Loop& loop_;
  const LaneClock& clock_;
  Medium& medium_;
  const std::size_t group_bytes_max_;
  const std::size_t request_bytes_max_;
  Gate gate_;  // by bytes: from append() until a group takes the request
  std::atomic<Sequence> durable_;

  State state_ = State::Collecting;
  Sequence next_sequence_;
  Repeats repeats_;
  Followers followers_;
  GroupEncoder encoder_;
  std::deque<RequestPtr> waiting_;
  Answers answers_;  // known already; posted at the end of the turn

  // The group that is being formed or persisted.
  Answers group_answers_;
  std::shared_ptr<Block> group_;
  std::size_t group_bytes_ = 0;
  std::size_t group_ids_ = 0;  // how many it added to repeats_
};

}  // namespace storage
