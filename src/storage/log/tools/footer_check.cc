// SPDX-License-Identifier: Apache-2.0
#include "storage/log/tools/footer_check.h"

#include <algorithm>
#include <array>
#include <utility>

#include "storage/log/sealed_segment.h"

namespace storage {

using base::Bytes;
using base::Result;

namespace {

std::string encode_addresses(const AddressIndex& addresses, Seed seed, std::string& directory) {
  std::string buckets;
  std::array<std::uint32_t, kAddressBuckets> ends = {};
  for (std::size_t bucket = 0; bucket < kAddressBuckets; ++bucket) {
    addresses.encode_bucket(bucket, seed, buckets);
    ends[bucket] = static_cast<std::uint32_t>(buckets.size());
  }
  directory = encode_address_directory(ends);
  return buckets;
}

// Those that were older than the window when the segment was sealed may be missing at the front.
bool ends_with(const SegmentRepeats& repeats, Bytes section) {
  const std::size_t all = repeats.size() * kStoredRepeatBytes;
  if (section.size() > all || section.size() % kStoredRepeatBytes != 0) return false;
  std::size_t skip = all - section.size();
  for (const std::string& chunk : repeats.chunks()) {
    const std::size_t skipped = std::min(skip, chunk.size());
    skip -= skipped;
    const Bytes rest = Bytes(chunk).substr(skipped);
    if (section.substr(0, rest.size()) != rest) return false;
    section.remove_prefix(rest.size());
  }
  return true;
}

}  // namespace

FooterCheck::FooterCheck(const SurveyedSegment& segment)
    : segment_(segment), trailer_(read_footer_trailer(segment.file, segment.file_bytes, segment.header)) {}

void FooterCheck::add(std::uint64_t offset, const GroupView& group) {
  if (!trailer_) return;
  index_.add(offset, group, addresses_);
  repeats_.add(group);
}

Result<std::optional<std::string>> FooterCheck::finish() {
  if (!trailer_) return Sentence();
  if (Sentence damaged = TRY(check_sums())) return damaged;
  if (trailer_->last_commit != segment_.end.last_commit || trailer_->last_commit_crc != segment_.end.last_commit_crc ||
      trailer_->groups_end != segment_.end_offset) {
    return wrong("the footer ends with another commit than the groups");
  }
  return is_whole_ ? compare() : Sentence();
}

std::optional<std::string> FooterCheck::wrong(const char* what) const {
  return segment_.name + ": " + what + ": no event is lost";
}

Result<std::string> FooterCheck::read(const FooterSection& section) {
  return segment_.file.read_around_rot(section.offset, section.bytes, unreadable_);
}

Result<std::optional<std::string>> FooterCheck::check_sums() {
  constexpr std::pair<FooterSection FooterTrailer::*, const char*> kSections[] = {
      {&FooterTrailer::index, "the index of the footer is damaged"},
      {&FooterTrailer::repeats, "the ids in the footer are damaged"},
      {&FooterTrailer::addresses, "the index of addresses in the footer is damaged"},
      {&FooterTrailer::directory, "the directory of addresses in the footer is damaged"}};
  for (const auto& [member, sentence] : kSections) {
    const FooterSection& section = *trailer_.*member;
    if (!check_footer_section(TRY(read(section)), section, segment_.header.seed())) return wrong(sentence);
  }
  return Sentence();
}

Result<std::optional<std::string>> FooterCheck::compare() {
  if (TRY(read(trailer_->index)) != index_.encode()) return wrong("the index of the footer is not what the groups say");
  if (!ends_with(repeats_, TRY(read(trailer_->repeats)))) {
    return wrong("the ids in the footer are not those of the groups");
  }
  std::string directory;
  const std::string addresses = encode_addresses(addresses_, segment_.header.seed(), directory);
  if (TRY(read(trailer_->addresses)) != addresses || TRY(read(trailer_->directory)) != directory) {
    return wrong("the addresses in the footer are not those of the groups");
  }
  return Sentence();
}

}  // namespace storage
