// SPDX-License-Identifier: Apache-2.0
#include "storage/log/segment_scan.h"

#include <algorithm>
#include <utility>

#include "storage/log/little_endian.h"

namespace storage {

using base::Bytes;
using base::Result;

namespace {

// What stands at byte 4 of every commit record: its size, its kind, and zeros.
constexpr std::size_t kMarkAt = 4;
constexpr std::uint64_t kCommitMark = kCommitBytes | std::uint64_t{static_cast<std::uint8_t>(RecordKind::Commit)} << 32;

std::uint64_t mark_of(Bytes bytes, std::size_t at) { return load_le<std::uint64_t>(bytes.data() + at + kMarkAt); }

// How many bytes there are up to the last one that is not zero.
std::size_t used_bytes(Bytes bytes) {
  const std::size_t last = bytes.find_last_not_of('\0');
  return last == Bytes::npos ? 0 : last + 1;
}

}  // namespace

SegmentScan::SegmentScan(const OpenFile& file, std::uint64_t file_bytes, Seed seed)
    : file_(file),
      file_bytes_(file_bytes),
      seed_(seed),
      offset_(kFirstGroupAt),
      window_(std::make_shared<const std::string>()) {}

Result<ScanStep> SegmentScan::next() {
  const std::uint64_t end = TRY(find_group_end());
  if (end == 0) return resynchronise();
  const auto group = parse_group(TRY(bytes_at(offset_, end - offset_)), seed_);
  if (!group) return resynchronise();
  return ScannedGroup{std::exchange(offset_, end), *group, window_};
}

// Walks the headers of the records up to a commit, without their checksums: so a group is in memory as a whole before
// it is verified, and a damaged length leads nowhere but to the end of the file. 0: there is no group.
Result<std::uint64_t> SegmentScan::find_group_end() {
  TRY(bytes_at(offset_, kRecordHeaderBytes));
  for (std::uint64_t at = offset_; at + kRecordHeaderBytes <= file_bytes_;) {
    std::string read_alone;
    if (!in_window(at, kRecordHeaderBytes)) read_alone = TRY(read(at, kRecordHeaderBytes));
    const Bytes header = read_alone.empty() ? window_at(at, kRecordHeaderBytes) : Bytes(read_alone);
    if (header.size() < kRecordHeaderBytes) return 0;
    const auto bytes = load_le<std::uint32_t>(header.data() + kMarkAt);
    if (bytes < kRecordHeaderBytes || bytes % kRecordAlignment != 0 || bytes > file_bytes_ - at) return 0;
    at += bytes;
    if (mark_of(header, 0) == kCommitMark) return at;
  }
  return 0;
}

// What stands at offset_ is no group. A commit whose checksum fits says where its group begins; the first one whose
// whole group fits is where the walk goes on.
Result<ScanStep> SegmentScan::resynchronise() {
  const std::uint64_t begin = offset_;
  std::vector<CommitRecord> commits;
  std::uint64_t used_end = begin;
  for (std::uint64_t at = begin; at < file_bytes_;) {
    TRY(bytes_at(at, std::min<std::uint64_t>(kScanWindowBytes, file_bytes_ - at)));
    const std::shared_ptr<const std::string> window = window_;  // verifying a group may replace it
    const Bytes bytes = window_at(at, window_->size());
    if (const std::size_t used = used_bytes(bytes); used > 0) used_end = std::max(used_end, at + used);
    if (bytes.size() < kCommitBytes) break;
    std::size_t i = 0;
    for (; i + kCommitBytes <= bytes.size(); i += kRecordAlignment) {
      if (mark_of(bytes, i) != kCommitMark) continue;
      const auto record = parse_record(bytes.substr(i, kCommitBytes), seed_);
      if (!record) continue;
      const CommitRecord commit = parse_commit(*record);
      if (commit.bytes > at + i - begin || commit.bytes % kRecordAlignment != 0) continue;
      const std::uint64_t group_at = at + i - commit.bytes;
      if (group_at > begin && TRY(is_group(group_at, commit.bytes + kCommitBytes))) {
        offset_ = group_at;
        return ScannedDamage{begin, group_at - begin, std::move(commits)};
      }
      commits.push_back(commit);
    }
    at += i;
  }
  return ScanEnd{begin, used_end - begin, std::move(commits)};
}

Result<bool> SegmentScan::is_group(std::uint64_t offset, std::uint64_t size) {
  const auto group = parse_group(TRY(bytes_at(offset, size)), seed_);
  return group.has_value() && group->bytes() == size;
}

bool SegmentScan::in_window(std::uint64_t offset, std::uint64_t size) const {
  return offset >= window_offset_ && offset + size <= window_offset_ + window_->size();
}

Bytes SegmentScan::window_at(std::uint64_t offset, std::uint64_t size) const {
  return Bytes(*window_).substr(std::min<std::uint64_t>(offset - window_offset_, window_->size()), size);
}

// Fewer bytes if the file ends.
Result<Bytes> SegmentScan::bytes_at(std::uint64_t offset, std::uint64_t size) {
  if (!in_window(offset, size)) {
    const std::uint64_t wanted = std::max<std::uint64_t>(size, kScanWindowBytes);
    window_ = std::make_shared<const std::string>(
        TRY(read(offset, std::min(wanted, file_bytes_ - std::min(offset, file_bytes_)))));
    window_offset_ = offset;
  }
  return window_at(offset, size);
}

Result<std::string> SegmentScan::read(std::uint64_t offset, std::uint64_t size) {
  return file_.read_around_rot(offset, size, unreadable_bytes_);
}

}  // namespace storage
