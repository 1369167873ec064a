// SPDX-License-Identifier: Apache-2.0
#pragma once
// The seam below the writer: where a commit group is made durable.
//
// Thread: the lane's loop. One group at a time: the writer waits for `done` before it submits the next one.
#include <cstdint>
#include <functional>

#include "storage/block.h"

namespace storage {

enum class Persisted : std::uint8_t {
  Durable,
  NoSpace,  // nothing was stored, and the next group may be tried
  Unknown,  // it may or may not be there after a restart; the medium takes nothing more
};

class Medium {
 public:
  using Done = std::move_only_function<void(Persisted)>;

  virtual ~Medium() = default;
  // A group as GroupEncoder made it. The medium completes its checksums and its commit, and changes nothing any more
  // once it has called `done`, which runs as a message on the lane's loop, never within the call.
  virtual void persist(std::shared_ptr<Block>, Done) = 0;
};

}  // namespace storage
