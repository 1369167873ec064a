// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sim_threads.h"

#include <algorithm>
#include <utility>

#include "base/result.h"
#include "io/loop.h"
#include "tests/support/sim_network.h"

namespace sim {
namespace {

constexpr std::uint64_t kTurnNsMax = 20'000;

}  // namespace

struct SimThreads::Member {
  io::Loop* loop = nullptr;  // null: the disk, or a loop that has ended but whose posts are still on their way
  SimPoller* poller = nullptr;
  std::string name;
  bool started = false;
  bool in_turn = false;
  std::vector<io::Task> inbox;
  std::deque<Post> outbox;
};

class SimThreads::SimMailbox final : public io::Mailbox {
 public:
  SimMailbox(SimThreads& threads, Member& member) : threads_(threads), member_(member) {}
  ~SimMailbox() override { threads_.retire(member_); }
  void push(io::Task task) override { threads_.push(member_, std::move(task)); }
  void take(std::vector<io::Task>& into) override {
    if (into.empty()) return std::swap(into, member_.inbox);
    for (io::Task& task : member_.inbox) into.push_back(std::move(task));
    member_.inbox.clear();
  }

 private:
  SimThreads& threads_;
  Member& member_;
};

SimThreads::SimThreads(Core& core, std::function<bool()> step) : core_(core), step_(std::move(step)) {
  members_.push_back(std::make_unique<Member>());
  members_.front()->name = "disk";
}

SimThreads::~SimThreads() = default;

std::unique_ptr<io::Mailbox> SimThreads::make_mailbox(io::Loop& loop, io::Poller& poller) {
  std::erase_if(members_, [this](const auto& member) {
    return member != members_.front() && member->loop == nullptr && member->outbox.empty();
  });
  auto member = std::make_unique<Member>();
  member->loop = &loop;
  member->poller = static_cast<SimPoller*>(&poller);
  // The loop's name is not unique, and two loops that look the same would make a trace useless.
  member->name = loop.name() + '#' + std::to_string(++created_);
  members_.push_back(std::move(member));
  return std::make_unique<SimMailbox>(*this, *members_.back());
}

SimThreads::Member& SimThreads::member_of(io::Loop& loop) {
  const auto at = std::ranges::find_if(members_, [&](const auto& member) { return member->loop == &loop; });
  CHECK(at != members_.end(), "a loop of this world");
  return **at;
}

void SimThreads::start(io::Loop& loop) { member_of(loop).started = true; }

void SimThreads::join(io::Loop& loop) {
  CHECK(member_of(loop).started, "only a started loop can be joined");
  // Whoever waits here does nothing else: its loop, if it is one, is in the middle of a turn and not chosen.
  while (!loop.stopped()) CHECK(step_(), "the loop that is joined never stops");
  member_of(loop).started = false;
}

void SimThreads::push(Member& to, io::Task task) {
  if (current_ == nullptr || current_ == &to) return arrive(to, std::move(task));
  current_->outbox.push_back({&to, std::move(task)});
}

void SimThreads::post_from_disk(io::Loop& to, io::Task task) {
  members_.front()->outbox.push_back({&member_of(to), std::move(task)});
}

void SimThreads::arrive(Member& to, io::Task task) {
  // As the real mailbox: whoever finds mail waiting relies on the wake-up of the one before.
  const bool was_empty = to.inbox.empty();
  to.inbox.push_back(std::move(task));
  if (was_empty) to.poller->wake();
}

void SimThreads::retire(Member& member) {
  member.loop = nullptr;
  member.poller = nullptr;
  std::vector<io::Task> dying = std::move(member.inbox);
  for (const auto& sender : members_) {
    for (Post& post : sender->outbox) {
      if (post.to != &member) continue;
      post.to = nullptr;
      dying.push_back(std::move(post.task));
    }
    std::erase_if(sender->outbox, [](const Post& post) { return post.to == nullptr; });
  }
}

bool SimThreads::can_run(const Member& member, std::uint64_t now_ns) {
  if (!member.started || member.in_turn || member.loop == nullptr || member.loop->stopped()) return false;
  return member.poller->has_work() || member.loop->has_deferred() || member.loop->next_timer_ns() <= now_ns;
}

std::size_t SimThreads::find_runnable() {
  runnable_.clear();
  for (const auto& member : members_) {
    if (can_run(*member, core_.now_ns)) runnable_.push_back(member.get());
  }
  return runnable_.size();
}

void SimThreads::run_turn(std::size_t runnable_index) {
  Member& member = *runnable_[runnable_index];
  core_.now_ns += 1 + core_.choices.below(kTurnNsMax);
  core_.trace.note(core_.now_ns, "turn", member.name);
  Member* const before = std::exchange(current_, &member);
  member.in_turn = true;
  member.loop->turn(io::Loop::Wait::No);
  member.in_turn = false;
  current_ = before;
}

std::size_t SimThreads::find_senders() {
  senders_.clear();
  for (const auto& member : members_) {
    if (!member->outbox.empty()) senders_.push_back(member.get());
  }
  return senders_.size();
}

void SimThreads::transfer(std::size_t sender_index) {
  Member& sender = *senders_[sender_index];
  const bool swapped = sender.outbox.size() > 1 && core_.choices.one_in(reorder_one_in_);
  if (swapped) std::swap(sender.outbox[0], sender.outbox[1]);
  Post post = std::move(sender.outbox.front());
  sender.outbox.pop_front();
  ++transfers_;
  core_.trace.note(core_.now_ns, swapped ? "post-out-of-order" : "post", sender.name, transfers_,
                   post.to->inbox.size());
  if (transfers_ == lose_wakeup_at_) {
    post.to->inbox.push_back(std::move(post.task));
    return;
  }
  arrive(*post.to, std::move(post.task));
}

std::uint64_t SimThreads::next_timer_ns() const {
  std::uint64_t next = io::TimerWheel::kNever;
  for (const auto& member : members_) {
    if (member->started && !member->in_turn && member->loop != nullptr && !member->loop->stopped()) {
      next = std::min(next, member->loop->next_timer_ns());
    }
  }
  return next;
}

}  // namespace sim
