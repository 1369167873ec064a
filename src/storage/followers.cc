// SPDX-License-Identifier: Apache-2.0
#include "storage/followers.h"

#include <utility>

namespace storage {

// A message without a block that may still grow until it runs.
class Followers::Range {
 public:
  Range(Sequence first, Sequence last) : first_(first), last_(last) {}

  // The lane's loop. False if the message has run.
  bool extend(Sequence last) {
    Sequence known = last_.load(std::memory_order_relaxed);
    return known != kTaken && last_.compare_exchange_strong(known, last, std::memory_order_acq_rel);
  }
  // The follower's loop, once.
  Commit take() { return {first_, last_.exchange(kTaken, std::memory_order_acq_rel), nullptr}; }

 private:
  static constexpr Sequence kTaken = 0;  // no event has it

  const Sequence first_;
  std::atomic<Sequence> last_;
};

struct Followers::Follower {
  io::Loop& loop;
  Lane::OnCommit on_commit;
  std::shared_ptr<Range> newest_range = nullptr;  // if the newest message is one
  std::atomic<std::size_t> waiting_bytes = 0;     // of blocks in messages that have not run
};

Followers::Followers(std::size_t waiting_bytes_max) : waiting_bytes_max_(waiting_bytes_max) {}
Followers::~Followers() = default;

void Followers::add(io::Loop& loop, Lane::OnCommit on_commit, Sequence told, Sequence durable) {
  followers_.push_back(std::make_unique<Follower>(loop, std::move(on_commit)));
  if (told < durable) tell_range(*followers_.back(), told + 1, durable);
}

void Followers::tell(const BlockPtr& block) {
  const std::size_t bytes = block->memory_bytes();
  for (const std::unique_ptr<Follower>& owned : followers_) {
    Follower& follower = *owned;
    if (follower.waiting_bytes.load(std::memory_order_relaxed) + bytes > waiting_bytes_max_) {
      tell_range(follower, block->first(), block->last());
      continue;
    }
    follower.waiting_bytes.fetch_add(bytes, std::memory_order_relaxed);
    follower.newest_range = nullptr;
    follower.loop.post([&follower, block] {
      follower.waiting_bytes.fetch_sub(block->memory_bytes(), std::memory_order_relaxed);
      follower.on_commit({block->first(), block->last(), block});
    });
  }
}

void Followers::tell_range(Follower& follower, Sequence first, Sequence last) {
  if (follower.newest_range != nullptr && follower.newest_range->extend(last)) return;
  follower.newest_range = std::make_shared<Range>(first, last);
  follower.loop.post([&follower, range = follower.newest_range] { follower.on_commit(range->take()); });
}

}  // namespace storage
