// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the log hands out: encoded events, in log order, immutable and shared by every loop that looks at them.
//
// An entry is one Kafka RecordBatch v2 of one topic (docs/formats/record_batch.md). Its records have the sequences
// first_sequence, first_sequence + 1, ...; entries of a block ascend and never overlap. The bytes around the batches
// are those of the log's format: what the writer makes is a whole group, what a reader makes is a piece of a segment.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace storage {

using Sequence = std::uint64_t;  // the number of an event in its lane; 0 is before the first
using TopicId = std::uint32_t;   // stable, never reused

struct Entry {
  TopicId topic;
  std::uint32_t records;
  Sequence first_sequence;
  base::Bytes batch;  // points into Block::bytes

  Sequence last_sequence() const { return first_sequence + records - 1; }
};

struct Block {
  std::string bytes;
  std::vector<Entry> entries;  // never empty in a block that anybody was given

  Sequence first() const { return entries.front().first_sequence; }
  Sequence last() const { return entries.back().last_sequence(); }
  // What it takes to keep it: the count of every limit on blocks, so that tiny ones cannot take many times as much.
  std::size_t memory_bytes() const { return sizeof(Block) + bytes.size() + entries.size() * sizeof(Entry); }
};

using BlockPtr = std::shared_ptr<const Block>;

}  // namespace storage
