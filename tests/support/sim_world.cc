// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sim_world.h"

#include <algorithm>

namespace sim {
namespace {

constexpr std::uint64_t kNever = ~std::uint64_t{0};
constexpr std::uint64_t kWeightMax = 8;
constexpr std::uint64_t kRandomStream = 0x52616e646f6d;  // so that the program's randomness is not the scheduler's

enum Kind : std::size_t { kTurn, kPost, kDelivery, kFile };

}  // namespace

SimWorld::SimWorld(Options options)
    : options_(options),
      core_{Choices(options.seed), Trace(options.trace_text), kSecondNs, options.wall_ms - 1'000},
      clock_(core_),
      random_(options.seed ^ kRandomStream),
      network_(core_, options.network),
      threads_(core_, [this] { return step(); }),
      files_(core_, threads_, options.files),
      file_system_(files_) {
  for (std::uint64_t& weight : weights_) weight = 1 + core_.choices.below(kWeightMax);
}

io::World SimWorld::world() { return {clock_, files_, file_system_, network_, threads_, random_}; }

bool SimWorld::step() { return step_before(kNever); }

bool SimWorld::run_until(const std::function<bool()>& done, std::uint64_t limit_ns) {
  const std::uint64_t limit = core_.now_ns + limit_ns;
  while (!done()) {
    if (core_.now_ns < limit && step_before(limit)) continue;
    core_.now_ns = std::max(core_.now_ns, limit);
    return false;
  }
  return true;
}

void SimWorld::run_for(std::uint64_t span_ns) {
  run_until([] { return false; }, span_ns);
}

bool SimWorld::step_before(std::uint64_t limit_ns) {
  ++steps_;
  if (core_.choices.one_in(options_.stall_one_in)) core_.now_ns += core_.choices.below(options_.stall_ns_max);
  const std::size_t counts[kKinds] = {threads_.find_runnable(), threads_.find_senders(), network_.find_deliverable(),
                                      files_.find_completable()};
  std::uint64_t total = 0;
  for (std::size_t kind = 0; kind < kKinds; ++kind) total += weights_[kind] * counts[kind];
  if (total == 0) return move_time(limit_ns);
  std::uint64_t choice = core_.choices.below(total);
  for (std::size_t kind = 0; kind < kKinds; ++kind) {
    const std::uint64_t share = weights_[kind] * counts[kind];
    if (choice < share) {
      take(kind, choice / weights_[kind]);
      break;
    }
    choice -= share;
  }
  return true;
}

void SimWorld::take(std::size_t kind, std::size_t index) {
  switch (kind) {
    case kTurn: return threads_.run_turn(index);
    case kPost: return threads_.transfer(index);
    case kDelivery: return network_.deliver(index);
    default: return files_.complete(index);
  }
}

bool SimWorld::move_time(std::uint64_t limit_ns) {
  const std::uint64_t next = std::min({threads_.next_timer_ns(), network_.next_due_ns(), files_.next_due_ns()});
  if (next == kNever || next > limit_ns) return false;
  core_.now_ns = std::max(core_.now_ns, next);
  core_.trace.note(core_.now_ns, "time", {});
  return true;
}

}  // namespace sim
