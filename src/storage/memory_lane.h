// SPDX-License-Identifier: Apache-2.0
#pragma once
// The durable lane without files: the same writer, records, repeats and messages, but the log is the newest 256 MiB
// of memory and every start is a new epoch (docs/adr/0005-memory-lane.md).
//
// Thread: see Lane. Constructed before its loop runs or on it; lives until the last turn of that loop and of every
// loop that follows or calls it. The loops themselves may be destroyed afterwards, with answers that never ran.
#include <string>
#include <vector>

#include "storage/gate.h"
#include "storage/memory_store.h"
#include "storage/writer.h"

namespace storage {

class MemoryLane final : public Lane {
 public:
  explicit MemoryLane(io::Loop& lane_loop, const Limits& = {});
  MemoryLane(const MemoryLane&) = delete;
  MemoryLane& operator=(const MemoryLane&) = delete;

  void append(io::Loop& from, std::vector<NewEvent>, AppendDone) override;
  void read(io::Loop& from, ReadRequest, ReadDone) override;
  void locate(io::Loop& from, LocateRequest, LocateDone) override;
  void newest_per_address(io::Loop& from, NewestRequest, NewestDone) override;
  void declare(io::Loop& from, std::vector<TopicDeclaration>, DeclareDone) override;
  void follow(io::Loop&, OnCommit) override;
  Sequence durable() const override { return writer_.durable(); }
  const Identity& identity() const override { return identity_; }

  LaneCondition condition() const override { return LaneCondition::Writable; }
  void stop(io::Task stopped) override;

  std::uint64_t repeats_forgotten_early() const { return writer_.repeats_forgotten_early(); }

 private:
  void finish_stopping();
  bool enter() { return calls_.enter(1) == Gate::Answer::Entered; }

  io::Loop& loop_;
  const LaneClock clock_;
  const Identity identity_;
  TopicTable topics_;
  MemoryStore store_;
  Writer writer_;
  Gate calls_{Gate::kUnbounded};  // reads, declarations and follows on their way
  io::Task stopped_;
};

}  // namespace storage
