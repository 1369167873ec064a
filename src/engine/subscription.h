// SPDX-License-Identifier: Apache-2.0
#pragma once
// A cursor in motion: hands the events of a set of addresses to a Subscriber, in order, from a position on.
//
//   Starting --> Reading <--> Full        behind: from the lane, or from the loop's tail
//                   \--> Live <--> Full   live: as part of each commit's fan-out
//
// Thread: the loop of its Engine. Lifetime: owned by a protocol session; destroying it unsubscribes; never within a
// call that it makes to its subscriber (hand it to Loop::delete_later). Invariant: every event at or before position()
// was delivered or did not match, and the first signal said since where that holds.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/address_set.h"
#include "engine/cursor.h"
#include "engine/event.h"
#include "engine/runs.h"
#include "engine/topics.h"
#include "storage/lane.h"

namespace engine {

class Engine;
class AddressIndex;
class AddressSubscribers;

// Why a subscription cannot go on from where the client left (the closed list of the cursor contract, G2).
enum class ResetReason : std::uint8_t { EpochChanged, Trimmed, Ahead, Damaged, Forbidden, NotRetained };
std::string_view name(ResetReason);  // "epoch-changed", ...

// The first signal.
struct Started {
  std::optional<ResetReason> reset;  // none: resumed
  Cursor cursor;                     // from which the stream goes on
  Cursor earliest;                   // of the set; only known with `reset`
  Cursor latest;
  std::vector<std::string> live_only;  // ephemeral members
};

// Why a position cannot be gone on from, and from where a stream does (G2, G5).
struct Reset {
  ResetReason reason;
  Cursor cursor;
  Cursor earliest;
  Cursor latest;
};

class Subscriber {
 public:
  virtual void on_started(const Started&) = 0;
  // Consecutive events of one address, at least one. False: full, and none of them was taken; call
  // Subscription::resume() when there is room. Ephemeral events come alone, and are lost if refused.
  virtual bool deliver(std::span<const Event>) = 0;
  virtual void on_reset(const Reset&) {}
  virtual void on_live() {}            // everything that this loop knows of was delivered
  virtual void on_progress(Cursor) {}  // while behind: this far, and nothing of it matched

 protected:
  ~Subscriber() = default;
};

enum class OnReset : std::uint8_t { Latest, Earliest };

class Subscription final {
 public:
  Subscription(Engine&, std::vector<Member>, Start, OnReset, Subscriber&);
  ~Subscription();
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

  void start();   // once; the first signal comes during the call or later
  void resume();  // the subscriber has room again
  Cursor position() const;
  bool is_live() const { return state_ == State::Live; }

 private:
  friend class Engine;
  friend class AddressIndex;
  enum class State : std::uint8_t { Created, Starting, Reading, Full, Live };
  enum class Taken : std::uint8_t { All, Full, Spent };  // Spent: the budget of the turn

  struct Place {  // in the fan-out lists of the engine
    AddressSubscribers* list;
    std::uint32_t index;
  };

  void ask_lane(std::optional<storage::Sequence> after, std::size_t bytes_max);
  void on_read(const storage::ReadReply&);
  bool begin(const storage::ReadReply&);
  bool goes_on(const storage::ReadReply&);
  void begin_resumed(storage::Sequence at);
  void begin_reset(ResetReason, storage::Sequence at, storage::Sequence earliest);
  storage::Sequence position_after_reset(storage::Sequence earliest) const;
  void catch_up();
  void stop(Taken);
  void catch_up_next_turn();
  void catch_up_deferred();
  void defer(void (Subscription::*)());
  Taken take(const storage::Block&, std::size_t& budget_bytes);
  Taken take(const storage::Entry&, std::size_t& budget_bytes);
  void pass_to(storage::Sequence);

  void on_live_events(std::span<const Event>);  // from the engine's fan-out
  void on_tail_lost();                          // a commit came without its block

  Engine& engine_;
  Subscriber& subscriber_;
  AddressSet addresses_;
  std::vector<Place> places_;
  Start start_;
  storage::Sequence position_ = 0;
  EntryMark mark_;                // where in an entry the reading goes on, if it stopped within one
  std::uint64_t waiting_id_ = 0;  // of the answer or turn that it waits for; 0: none
  std::uint64_t progress_at_ns_ = 0;
  std::uint32_t skipped_events_ = 0;
  OnReset on_reset_;
  State state_ = State::Created;
  std::optional<ResetReason> pending_reset_;
};

}  // namespace engine
