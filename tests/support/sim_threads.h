// SPDX-License-Identifier: Apache-2.0
#pragma once
// Loops that share one thread, and the way of a message between them.
//
// A post leaves its sender at once and waits in the sender's outbox; its move into the receiver's inbox, which wakes
// the receiver, is a step of its own, so that other loops can run between two posts of one turn. Posts of one sender
// keep their order. A post of a loop to itself, and one from outside any loop, arrives at once.
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/threads.h"
#include "tests/support/sim_core.h"

namespace sim {

class SimPoller;

class SimThreads final : public io::Threads {
 public:
  // `step` makes one step of the whole world; join() needs it.
  SimThreads(Core&, std::function<bool()> step);
  ~SimThreads() override;

  std::unique_ptr<io::Mailbox> make_mailbox(io::Loop&, io::Poller&) override;
  void start(io::Loop&) override;  // from now on the scheduler runs its turns
  void join(io::Loop&) override;   // steps the world until the loop has stopped; fails if it never will

  // Canaries: a bug of the kind that the simulation must find. Transfers count from 1.
  void lose_wakeup_at(std::uint64_t transfer) { lose_wakeup_at_ = transfer; }
  void reorder_posts(std::uint64_t one_in) { reorder_one_in_ = one_in; }
  std::uint64_t transfers() const { return transfers_; }

  // For the scheduler and the simulated files.
  std::size_t find_runnable();  // how many loops can make a turn now
  void run_turn(std::size_t runnable_index);
  std::size_t find_senders();  // how many outboxes have something in them
  void transfer(std::size_t sender_index);
  std::uint64_t next_timer_ns() const;
  void post_from_disk(io::Loop& to, io::Task);

 private:
  struct Member;
  struct Post {
    Member* to;  // null: it has ended
    io::Task task;
  };
  class SimMailbox;

  Member& member_of(io::Loop&);
  void push(Member& to, io::Task);
  void arrive(Member& to, io::Task);
  void retire(Member&);
  static bool can_run(const Member&, std::uint64_t now_ns);

  Core& core_;
  std::function<bool()> step_;
  std::vector<std::unique_ptr<Member>> members_;  // in order of creation; the first is the disk
  std::vector<Member*> runnable_;
  std::vector<Member*> senders_;
  Member* current_ = nullptr;
  std::uint64_t transfers_ = 0;
  std::uint64_t lose_wakeup_at_ = 0;
  std::uint64_t reorder_one_in_ = 0;
  std::uint64_t created_ = 0;
};

}  // namespace sim
