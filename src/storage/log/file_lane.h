// SPDX-License-Identifier: Apache-2.0
#pragma once
// The durable lane: the writer above a log in a directory. docs/formats/log.md says what is on the disk.
//
// Thread: see Lane. Opened before its loop runs; lives until the last turn of that loop and of every loop that follows
// or calls it.
#include <memory>
#include <string>
#include <vector>

#include "io/world.h"
#include "storage/lane.h"
#include "storage/limits.h"
#include "storage/log/recovery.h"

namespace storage {

class FileLane final : public Lane {
 public:
  // Runs recovery, at once. Errors as recover().
  static base::Result<std::unique_ptr<FileLane>> open(io::World, io::Loop& lane_loop, const std::string& directory,
                                                      const Limits&);
  ~FileLane() override;

  void append(io::Loop& from, std::vector<NewEvent>, AppendDone) override;
  void read(io::Loop& from, ReadRequest, ReadDone) override;
  void locate(io::Loop& from, LocateRequest, LocateDone) override;
  void newest_per_address(io::Loop& from, NewestRequest, NewestDone) override;
  void declare(io::Loop& from, std::vector<TopicDeclaration>, DeclareDone) override;
  void follow(io::Loop&, OnCommit) override;
  Sequence durable() const override;
  const Identity& identity() const override;
  LaneCondition condition() const override;
  LogUsage usage() const override;
  void stop(io::Task stopped) override;  // an empty commit proves what is there, and files are closed

  const std::vector<RecoveryFinding>& findings() const;  // of recovery

 private:
  class Parts;
  explicit FileLane(std::unique_ptr<Parts>);
  std::unique_ptr<Parts> parts_;
};

}  // namespace storage
