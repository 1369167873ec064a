// SPDX-License-Identifier: Apache-2.0
#pragma once
// The loops that are told of every commit: one message per loop and commit, with the shared block.
//
// A loop with too much waiting is told without the block, and such messages that follow each other and have not run
// yet are one: a loop that stands still costs a bounded amount of memory, and hears of everything.
//
// Thread: the lane's loop, which must outlive nothing: messages that never run are only destroyed. A follower's
// callback runs on its own loop, while this object lives.
#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "storage/lane.h"

namespace storage {

class Followers final {
 public:
  explicit Followers(std::size_t waiting_bytes_max);
  ~Followers();

  // Everything behind `told` is told; what was committed since then (up to `durable`) as a range.
  void add(io::Loop&, Lane::OnCommit, Sequence told, Sequence durable);
  void tell(const BlockPtr&);

 private:
  class Range;
  struct Follower;
  void tell_range(Follower&, Sequence first, Sequence last);

  const std::size_t waiting_bytes_max_;
  std::vector<std::unique_ptr<Follower>> followers_;
};

}  // namespace storage
