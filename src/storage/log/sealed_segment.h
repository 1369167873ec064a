// SPDX-License-Identifier: Apache-2.0
#pragma once
// An older segment, of which a manifest says where it ends: by its footer if that is whole, else by a scan.
//
// Thread: one, synchronous.
#include <optional>
#include <string>
#include <vector>

#include "storage/log/footer.h"
#include "storage/log/repeat_window.h"
#include "storage/log/survey.h"

namespace storage {

// A segment file, opened. Without a header: neither copy of it is whole, or it is that of another number.
struct SegmentFile {
  SegmentNumber number = 0;
  std::string name;
  OpenFile file;
  std::uint64_t bytes = 0;
  std::optional<SegmentHeader> header;
};

// Errc::Unsupported: made by a newer version. Errc::System: it cannot be opened.
base::Result<SegmentFile> open_segment_file(const Directory&, const std::string& name, io::OpenMode);

// The trailer of its footer; none if that is not whole.
std::optional<FooterTrailer> read_footer_trailer(const OpenFile&, std::uint64_t file_bytes, const SegmentHeader&);

struct SealedReading {
  std::optional<SurveyedSegment> segment;  // none: nothing of it can be read
  std::vector<DamagedRange> damage;
  std::vector<RecoveryFinding> findings;
};

// `end`: as the manifest has it. A rewritten file in the place of that one is taken as it is: retention gives it its
// name before a manifest names it. `runs`: those of the lane, as far as they are known. Takes the file over.
base::Result<SealedReading> read_sealed_segment(SegmentFile&, const ManifestEntry& end,
                                                const std::vector<LaneRun>& runs, RepeatWindow&);

}  // namespace storage
