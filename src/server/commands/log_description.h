// SPDX-License-Identifier: Apache-2.0
#pragma once
// What `tidewire log info` tells, before it becomes text or JSON. Made from a stopped lane; values, pure.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/log/tools/inventory.h"
#include "storage/log/tools/stopped_lane.h"

namespace server {

struct LogDescription {
  struct Topic {
    storage::TopicId id;
    storage::TopicState state;
    storage::TopicContent content;
  };
  struct Segment {
    std::string name;
    storage::SegmentKind kind;
    std::uint64_t bytes;
    storage::Sequence first = 0;  // 0: no event
    storage::Sequence last = 0;
    std::int64_t created_ms;
    std::optional<std::int64_t> last_event_ms = {};  // the latest clock of any event in it
    enum class State : std::uint8_t { Newest, WithFooter, WithoutFooter } state;
  };

  std::string epoch;            // as its cursors show it; empty: there is no history yet
  storage::Sequence first = 0;  // of the events that are served; 0: none
  storage::Sequence last = 0;
  storage::Sequence next_run = 0;  // the first sequence of the next start
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;  // of all segment files
  storage::CommitRecord last_commit;
  std::uint64_t unproven_events = 0;
  std::uint64_t torn_bytes = 0;
  std::vector<Topic> topics;
  std::vector<Segment> segments;
  std::vector<storage::LaneRun> runs;
  std::vector<storage::DamagedRange> damage;

  enum class NextStart : std::uint8_t { First, SameEpoch, NewEpoch, Refused } next_start;
  std::vector<std::string> next_start_does;  // a sentence each
};

// Errc::System: a file cannot be read.
base::Result<LogDescription> describe_log(const storage::StoppedLane&);

// As cursors of the epoch show it, behind the digit of their version.
std::string epoch_text(std::uint64_t epoch);

std::string to_text(const LogDescription&, const std::string& directory);
std::string to_json(const LogDescription&, const std::string& directory);

}  // namespace server
