// SPDX-License-Identifier: Apache-2.0
#include "server/open_lane.h"

#include <algorithm>
#include <utility>

#include "storage/log/file_lane.h"
#include "storage/memory_lane.h"

namespace server {

namespace {

// The largest events must fit the first segment as well as any other.
storage::Limits limits_of(const Settings& settings) {
  storage::Limits limits = settings.storage;
  const std::size_t roomy = std::max(limits.segment_bytes_first, kEventsPerSegmentMin * settings.event_bytes_max);
  limits.segment_bytes_first = std::min(roomy, limits.segment_bytes_max);
  return limits;
}

// A directory of somebody else, named by mistake, is left alone. A disk of its own has a `lost+found`.
bool is_taken_by_others(io::FileSystem& files, const std::string& directory) {
  const auto listed = files.carry_out({.kind = io::FileRequest::Kind::List, .path = directory});
  if (!listed || std::ranges::find(listed->names, "lock") != listed->names.end()) return false;
  return std::ranges::any_of(listed->names, [](const std::string& name) { return name != "lost+found"; });
}

}  // namespace

base::Result<OpenedLane> open_lane(io::World world, io::Loop& lane_loop, const Settings& settings) {
  const storage::Limits limits = limits_of(settings);
  if (!settings.data) return OpenedLane{std::make_unique<storage::MemoryLane>(lane_loop, limits), {}};
  if (is_taken_by_others(world.file_system, *settings.data)) {
    return base::fail(base::Errc::BadInput, "it has other files, and no log");
  }
  auto lane = TRY(storage::FileLane::open(world, lane_loop, *settings.data, limits));
  auto findings = lane->findings();
  return OpenedLane{std::move(lane), std::move(findings)};
}

}  // namespace server
