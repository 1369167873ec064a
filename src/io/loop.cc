// SPDX-License-Identifier: Apache-2.0
#include "io/loop.h"

#include <utility>

namespace io {

Loop::Loop(World world, std::string name)
    : world_(world),
      name_(std::move(name)),
      now_ns_(world.clock.monotonic_ns()),
      poller_(world.network.make_poller()),
      mailbox_(world.threads.make_mailbox(*this, *poller_)),
      timers_(now_ns_) {}

Loop::~Loop() {
  world_.files.forget(*this);
  // What was posted or deferred may own connections, whose end may defer, post and bury more.
  std::vector<Task> dying;
  do {
    dying.clear();
    std::swap(dying, deferred_);
    mailbox_->take(dying);
    bury();
  } while (!dying.empty() || !deferred_.empty());
}

void Loop::post(Task task) {
  if (in_turn_ == nullptr || in_turn_ == this) return mailbox_->push(std::move(task));
  in_turn_->send_later(*this, std::move(task));
}

void Loop::send_later(Loop& to, Task task) {
  if (outgoing_to_ != &to) send_outgoing();
  outgoing_to_ = &to;
  outgoing_.push_back(std::move(task));
  if (outgoing_.size() >= to.mailbox_->bundle_max()) send_outgoing();
}

void Loop::send_outgoing() {
  if (!outgoing_.empty()) outgoing_to_->mailbox_->push_all(outgoing_);
}

void Loop::stop() {
  post([this] { stopped_ = true; });
  if (in_turn_ != nullptr) in_turn_->send_outgoing();  // whoever stops a loop may wait for its end in the same turn
}

void Loop::run() {
  while (!stopped_) turn(Wait::UntilReady);
}

thread_local Loop* Loop::in_turn_ = nullptr;

void Loop::turn(Wait wait) {
  Loop* const outer = std::exchange(in_turn_, this);
  poller_->wait(wait_ns(wait));
  now_ns_ = world_.clock.monotonic_ns();
  poller_->dispatch();
  run_mail();
  timers_.advance(now_ns_);
  run_deferred();
  send_outgoing();  // so that others work while this one writes
  end_turn();
  send_outgoing();
  in_turn_ = outer;
}

std::uint64_t Loop::wait_ns(Wait wait) const {
  if (wait == Wait::No || !deferred_.empty()) return 0;
  const std::uint64_t next = timers_.next_ns();
  if (next == TimerWheel::kNever) return TimerWheel::kNever;
  const std::uint64_t now = world_.clock.monotonic_ns();
  return next > now ? next - now : 0;
}

void Loop::run_mail() {
  mailbox_->take(mail_);
  for (Task& task : mail_) task();
  mail_.clear();
}

void Loop::run_deferred() {
  // Work that defers more work gets it in the next turn: one turn is bounded by what was there when it began.
  std::swap(deferred_, running_);
  for (Task& task : running_) task();
  running_.clear();
}

void Loop::defer(Task task) {
  check_owner();
  deferred_.push_back(std::move(task));
}

void Loop::at_end_of_turn(void (*hook)(void*), void* context) { hooks_.push_back({hook, context}); }

void Loop::end_turn() {
  for (const Hook& hook : hooks_) hook.call(hook.context);
  bury();
}

void Loop::bury() {
  // An object's end may bury others: those die in the same turn.
  while (!graveyard_.empty()) {
    std::vector<Dead> dying;
    std::swap(dying, graveyard_);
    for (const Dead& dead : dying) dead.destroy(dead.object);
  }
}

}  // namespace io
