// SPDX-License-Identifier: Apache-2.0
#pragma once
// Compares the footer of a sealed segment with what its groups say. A wrong footer loses no event, but lookups by it
// miss some.
//
// Thread: one, synchronous. Must not outlive the segment. Memory: the indexes of one segment, and a section of the
// footer.
#include <optional>
#include <string>

#include "storage/log/footer.h"
#include "storage/log/survey.h"

namespace storage {

// Shown every group of the segment, in order, and asked once in the end.
class FooterCheck final {
 public:
  explicit FooterCheck(const SurveyedSegment&);

  void add(std::uint64_t offset, const GroupView&);  // offsets and sequences ascend
  void note_damage() { is_whole_ = false; }          // groups are missing: then only checksums are compared
  // A sentence that says what is wrong; none if it is right, or the segment has no footer. Errc::System: the file
  // cannot be read.
  base::Result<std::optional<std::string>> finish();

 private:
  using Sentence = std::optional<std::string>;
  base::Result<Sentence> check_sums();
  base::Result<Sentence> compare();
  base::Result<std::string> read(const FooterSection&);
  Sentence wrong(const char* what) const;

  const SurveyedSegment& segment_;
  const std::optional<FooterTrailer> trailer_;
  SegmentIndex index_;
  AddressIndex addresses_;
  SegmentRepeats repeats_;
  bool is_whole_ = true;
  std::uint64_t unreadable_ = 0;
};

}  // namespace storage
