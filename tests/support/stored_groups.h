// SPDX-License-Identifier: Apache-2.0
#pragma once
// For tests: what stands in a segment file, group by group and event by event, read without its index.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <variant>

#include "codec/record_batch.h"
#include "storage/log/recovery.h"
#include "storage/log/segment_scan.h"

namespace storage {

using Events = std::map<Sequence, std::string>;  // by sequence, their values

// Every whole group up to the segment's end.
template <class Each>
void each_group(io::FileSystem& files, const OpenSegment& segment, Each each) {
  auto file = OpenFile::open(files, segment.path, io::OpenMode::ExistingRead);
  ASSERT_TRUE(file) << segment.path;
  const auto status = files.carry_out({.kind = io::FileRequest::Kind::Status, .path = segment.path});
  ASSERT_TRUE(status) << segment.path;
  SegmentScan scan(*file, status->status.size, segment.header.seed());
  while (true) {
    const auto step = scan.next();
    ASSERT_TRUE(step);
    const auto* scanned = std::get_if<ScannedGroup>(&*step);
    if (std::holds_alternative<ScanEnd>(*step) || (scanned && scanned->offset >= segment.end_offset)) return;
    if (scanned) each(*scanned);
  }
}

inline void read_events(const BatchRecord& batch, Events& found) {
  Sequence sequence = batch.first_sequence();
  const auto view = codec::BatchView::parse(batch.batch(), codec::BatchCrc::Check);
  ASSERT_TRUE(view);
  for (codec::RecordReader records = view->records(); records.left() > 0; ++sequence) {
    const auto record = records.next();
    ASSERT_TRUE(record);
    EXPECT_TRUE(found.emplace(sequence, *record->value).second) << "twice: " << sequence;
  }
}

inline void read_events(io::FileSystem& files, const OpenSegment& segment, Events& found) {
  each_group(files, segment, [&](const ScannedGroup& scanned) {
    RecordWalk walk(scanned.group.records);
    while (const auto record = walk.next()) {
      if (record->kind == RecordKind::Batch) read_events(BatchRecord(*record), found);
    }
  });
}

}  // namespace storage
