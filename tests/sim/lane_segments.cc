// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/lane_segments.h"

#include <algorithm>
#include <cstring>

#include "base/crc32c.h"

namespace lane_sim {
namespace {

constexpr std::size_t kIdAt = 24;
constexpr std::size_t kFirstGroup = 4096;
constexpr std::size_t kRecordHeader = 16;
constexpr std::size_t kCommit = 80;

template <class T>
T number_at(base::Bytes bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

// The commit's own checksum, so that the rest of a write that came to nothing is not taken for a group.
bool is_whole_commit(base::Bytes record, base::Bytes segment_id) {
  const std::uint32_t crc = base::crc32c(record.substr(4), base::crc32c(segment_id));
  return record.size() == kCommit && crc == number_at<std::uint32_t>(record, 0);
}

// The group that begins here; without records: there is none.
GroupAt group_at(base::Bytes file, std::size_t begin) {
  GroupAt group{.offset = begin};
  for (std::size_t at = begin; at + kRecordHeader <= file.size();) {
    const auto bytes = number_at<std::uint32_t>(file, at + 4);
    const auto kind = static_cast<std::uint8_t>(file[at + 8]);
    if (bytes < kRecordHeader || bytes % 8 != 0 || bytes > file.size() - at || kind == 0 || kind > 9) break;
    group.records.push_back({static_cast<RecordKind>(kind), number_at<std::uint32_t>(file, at + 12), at, bytes});
    at += bytes;
    if (group.records.back().kind != RecordKind::Commit) continue;
    const base::Bytes commit = file.substr(at - bytes, bytes);
    // Not the rest of a write that came to nothing.
    if (!is_whole_commit(commit, file.substr(kIdAt, 8))) break;
    if (number_at<std::uint32_t>(commit, 72) != at - bytes - begin) break;
    group.bytes = at - begin;
    group.commit = number_at<std::uint64_t>(commit, 16);
    group.first = number_at<std::uint64_t>(commit, 24);
    group.last = number_at<std::uint64_t>(commit, 32);
    return group;
  }
  return {};
}

std::vector<GroupAt> groups_of(base::Bytes file) {
  std::vector<GroupAt> groups;
  for (std::size_t at = kFirstGroup; at + kRecordHeader <= file.size();) {
    GroupAt group = group_at(file, at);
    at += group.records.empty() ? 8 : group.bytes;
    if (!group.records.empty()) groups.push_back(std::move(group));
  }
  return groups;
}

}  // namespace

bool GroupAt::holds(RecordKind kind) const {
  return std::ranges::find(records, kind, &RecordAt::kind) != records.end();
}

storage::Sequence SegmentAt::first() const {
  for (const GroupAt& group : groups) {
    if (group.first != 0) return group.first;
  }
  return 0;
}

storage::Sequence SegmentAt::last() const {
  storage::Sequence last = 0;
  for (const GroupAt& group : groups) last = std::max(last, group.last);
  return last;
}

std::vector<SegmentAt> find_segments(const sim::SimFiles& files, const std::string& directory) {
  constexpr std::string_view kSuffix = ".segment";
  std::vector<SegmentAt> segments;
  for (const std::string& path : files.paths()) {
    if (!path.starts_with(directory + '/') || !path.ends_with(kSuffix)) continue;
    const std::string name = path.substr(directory.size() + 1);
    segments.push_back({std::stoull(name, nullptr, 16), path, groups_of(*files.get(path))});
  }
  std::ranges::sort(segments, {}, &SegmentAt::number);
  storage::Sequence later = ~storage::Sequence{0};  // the first event of all segments behind
  for (auto segment = segments.rbegin(); segment != segments.rend(); ++segment) {
    std::erase_if(segment->groups, [&](const GroupAt& group) { return group.first >= later; });
    if (segment->first() != 0) later = segment->first();
  }
  return segments;
}

}  // namespace lane_sim
