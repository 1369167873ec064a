// SPDX-License-Identifier: Apache-2.0
#pragma once
// One event loop: sockets, timers, messages and work of its own, turn by turn. It is a state machine: run() steps
// it on a thread of its own, and a simulation steps turn() itself.
//
// A turn: readiness of sockets; mail that other loops posted; timers; deferred work; messages to other loops leave;
// then the end-of-turn hooks (the one write per socket, the lane's commit) in the order of their registration; then
// what was given to delete_later dies, and the last messages leave.
//
// Thread: everything but post() and stop() is for the loop's own thread: check_owner() asserts it.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "io/timers.h"
#include "io/world.h"

namespace io {

class Loop final {
 public:
  enum class Wait : std::uint8_t { No, UntilReady };

  Loop(World, std::string name);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // The only door between threads. What a turn posts arrives in the order of the posts, whichever loops they go to.
  // What goes to one loop in a row is a bundle, which leaves when it is full (Mailbox::bundle_max()), when another loop
  // is posted to, before the end-of-turn hooks, and after them: the receiver is woken once for many.
  void post(Task);
  void stop();  // any thread: run() returns at the end of the turn in which this arrives

  void turn(Wait);
  void run();
  bool stopped() const { return stopped_; }

  // Work for later in this turn, or for the next one when called from an end-of-turn hook.
  void defer(Task);
  // The hook is called at the end of every turn until the loop ends; it must outlive the loop's last turn.
  void at_end_of_turn(void (*hook)(void* context), void* context);
  // Keeps `object` until the end of the turn, so that what still points to it within the turn stays valid.
  template <class T>
  void delete_later(std::unique_ptr<T> object) {
    check_owner();
    graveyard_.push_back({object.release(), [](void* p) { delete static_cast<T*>(p); }});
  }

  std::uint64_t now_ns() const { return now_ns_; }  // monotonic, as of the beginning of the turn or of the timers
  std::int64_t wall_ms() { return world_.clock.wall_ms(); }
  void set_timer(Timer& timer, std::uint64_t delay_ns) {
    check_owner();
    timers_.set(timer, now_ns_ + delay_ns);
  }
  std::uint64_t next_timer_ns() const { return timers_.next_ns(); }
  bool has_deferred() const { return !deferred_.empty(); }

  Poller& poller() { return *poller_; }
  Network& network() { return world_.network; }
  Files& files() { return world_.files; }
  Random& random() { return world_.random; }
  const std::string& name() const { return name_; }

  // Stops the process when another loop's turn is under way here: only post() and stop() cross between loops.
  // Outside of every turn, before start and after the end, one thread builds and clears up.
  void check_owner() const {
    CHECK(in_turn_ == nullptr || in_turn_ == this, "a loop was used from another loop's turn");
  }

 private:
  struct Hook {
    void (*call)(void*);
    void* context;
  };
  struct Dead {
    void* object;
    void (*destroy)(void*);
  };
  void send_later(Loop& to, Task);
  void send_outgoing();
  void run_mail();
  void run_deferred();
  void end_turn();
  void bury();
  std::uint64_t wait_ns(Wait) const;

  World world_;
  std::string name_;
  std::uint64_t now_ns_;
  std::unique_ptr<Poller> poller_;
  std::unique_ptr<Mailbox> mailbox_;
  TimerWheel timers_;
  std::vector<Task> mail_;
  std::vector<Task> outgoing_;  // the bundle, of outgoing_to_
  Loop* outgoing_to_ = nullptr;
  std::vector<Task> deferred_;
  std::vector<Task> running_;
  std::vector<Hook> hooks_;
  std::vector<Dead> graveyard_;
  bool stopped_ = false;

  static thread_local Loop* in_turn_;  // whose turn this thread is in
};

}  // namespace io
