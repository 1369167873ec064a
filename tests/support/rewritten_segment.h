// SPDX-License-Identifier: Apache-2.0
#pragma once
// For tests: what retention makes of a sealed segment, only what lives, under the same name and at once.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/lane_directory.h"

namespace storage {

class RewrittenSegment final {
 public:
  RewrittenSegment(const SegmentHeader& from, const LaneState& state) : state_(state) {
    header_ = {.number = from.number,
               .id = from.id + 1,
               .kind = SegmentKind::Rewritten,
               .first_replaced = from.first_replaced};
    bytes_ = encode_segment_start(header_, state, {}).bytes;
  }

  void add(const GroupView& group) {
    std::string kept;
    CommitRecord commit;
    for (RecordWalk walk(group.records); const auto record = walk.next();) {
      if (record->kind != RecordKind::Batch) continue;
      const BatchRecord batch(*record);
      if (batch.last_sequence() <= state_.topics[batch.topic() - 1].complete_after) continue;
      if (kept.empty()) commit.first_sequence = batch.first_sequence();
      commit.last_sequence = batch.last_sequence();
      kept += record->bytes;
    }
    if (kept.empty()) return;
    commit.number = commit.synced_through = group.commit.number;
    append_commit_room(kept);
    last_ = seal_group(kept, header_.seed(), commit);
    const GroupView copied{base::Bytes(kept).substr(0, kept.size() - kCommitBytes), last_};
    index_.add(bytes_.size(), copied, addresses_);
    repeats_.add(copied);
    bytes_ += kept;
  }
  std::string finish() {
    FooterWriter footer({header_, last_, index_, repeats_, addresses_});
    return bytes_ + footer.next(1u << 30);
  }
  ManifestEntry entry() const {
    return {header_.number, header_.id, index_.first_sequence(), index_.last_sequence(), last_.number, last_.crc, 0};
  }

 private:
  const LaneState& state_;
  SegmentHeader header_;
  std::string bytes_;
  CommitRecord last_;
  SegmentIndex index_;
  SegmentRepeats repeats_;
  AddressIndex addresses_;
};

// The file gets its name first, then a manifest says so, as the running lane does it.
inline void rewrite_segment(sim::SimWorld& world, TestLane& lane, SegmentNumber number) {
  const std::string path = lane.path() + "/" + segment_name(number);
  const auto size = world.files().get(path)->size();
  const auto file = OpenFile::open(world.world().file_system, path, io::OpenMode::ExistingRead);
  ASSERT_TRUE(file);
  const SegmentHeader header = parse_segment_start(*file->read(0, kFirstGroupAt)).value();
  RewrittenSegment rewritten(header, lane.state());
  SegmentScan scan(*file, size, header.seed());
  for (auto step = scan.next(); const auto* scanned = std::get_if<ScannedGroup>(&*step); step = scan.next()) {
    rewritten.add(scanned->group);
  }
  world.files().put(path + ".tmp", rewritten.finish());
  lane.stage().rename(path + ".tmp", path);
  lane.stage().sync_directory(lane.path());
  std::vector<ManifestEntry> manifest = lane.state().manifest;
  *std::ranges::find(manifest, number, &ManifestEntry::number) = rewritten.entry();
  lane.control(RecordKind::Segments, encode_manifest(manifest));
}

}  // namespace storage
