// SPDX-License-Identifier: Apache-2.0
#pragma once
// The lane that the settings ask for: a directory, or memory alone.
#include <memory>
#include <vector>

#include "io/world.h"
#include "server/settings.h"
#include "storage/lane.h"
#include "storage/log/recovery.h"

namespace server {

struct OpenedLane {
  std::unique_ptr<storage::Lane> lane;
  std::vector<storage::RecoveryFinding> findings;  // of a directory
};

// Synchronous, before the loop runs; recovers what a crash has left. Errors as storage::recover(),
// and Errc::BadInput for a directory that holds something else.
base::Result<OpenedLane> open_lane(io::World, io::Loop& lane_loop, const Settings&);

}  // namespace server
