// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where the groups of a lane stand in its files, for tests that damage some on purpose. Written from
// docs/formats/log.md, not from the code that writes them. Knows where things are, and trusts what it finds.
//
// Values; one thread.
#include <cstdint>
#include <string>
#include <vector>

#include "storage/block.h"
#include "tests/support/sim_files.h"

namespace lane_sim {

enum class RecordKind : std::uint8_t { Batch = 1, Topic, Trim, LaneState, Run, Segments, Damage, Commit = 9 };

struct RecordAt {
  RecordKind kind;
  storage::TopicId topic;  // 0: none
  std::uint64_t offset;
  std::uint64_t bytes;
};

struct GroupAt {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::uint64_t commit = 0;
  storage::Sequence first = 0;  // 0: no event
  storage::Sequence last = 0;
  std::vector<RecordAt> records = {};  // the commit is the last one

  bool holds(RecordKind) const;
};

struct SegmentAt {
  std::uint64_t number = 0;
  std::string path;
  std::vector<GroupAt> groups = {};

  storage::Sequence first() const;  // 0: no event
  storage::Sequence last() const;
};

// Every segment of the directory, oldest first, with its groups, those behind damaged ones too. Groups whose events
// stand in a later segment too are left out: they are superseded.
std::vector<SegmentAt> find_segments(const sim::SimFiles&, const std::string& directory);

}  // namespace lane_sim
