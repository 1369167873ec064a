// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/lane_damage.h"

#include <algorithm>

namespace lane_sim {
namespace {

class Vandal {
 public:
  Vandal(sim::SimFiles& files, const std::string& directory, LaneModel& model, sim::Choices& choices)
      : files_(files), model_(model), choices_(choices), segments_(find_segments(files, directory)) {}

  void flip_bits() {
    for (std::uint64_t i = 0, count = 1 + choices_.below(3); i < count; ++i) {
      const auto [segment, group] = choose_group();
      if (group == nullptr) return;
      flip_in(*segment, *group);
      hit(*segment, *group);
    }
  }

  void zero_range() {
    const auto [segment, from] = choose_group();
    if (from == nullptr) return;
    const std::uint64_t end = from->offset + 1 + choices_.below(3 * from->bytes);
    std::uint64_t begin = from->offset + choices_.below(from->bytes), to = begin;
    for (const GroupAt& group : segment->groups) {
      if (group.offset + group.bytes <= begin || group.offset >= end || is_last(group)) continue;
      to = std::min(group.offset + group.bytes, std::max(end, begin + 1));
      hit(*segment, group);
    }
    files_.zero_range(segment->path, begin, to - begin);
  }

  void truncate() {
    const SegmentAt* const segment = choose_sealed();
    if (segment == nullptr) return;
    const std::vector<const GroupAt*> groups = groups_with_events(*segment);
    const GroupAt& from = *groups[choices_.below(groups.size())];
    files_.truncate_file(segment->path, from.offset + choices_.below(from.bytes));
    model_.damages(from.first, segment->last());
  }

  void remove() {
    const SegmentAt* const segment = choose_sealed();
    if (segment == nullptr) return;
    files_.remove_file(segment->path);
    model_.damages(segment->first(), segment->last());
  }

  void swap() {
    const SegmentAt* const a = choose_sealed();
    const SegmentAt* const b = choose_sealed();
    if (a == b) return;
    files_.swap_contents(a->path, b->path);
    model_.damages(a->first(), a->last());
    model_.damages(b->first(), b->last());
  }

  void flip_old_lane_state() {
    const SegmentAt* const segment = choose_sealed();
    if (segment != nullptr && segment->groups.front().holds(RecordKind::LaneState))
      flip_in(*segment, segment->groups.front());
  }

  LaneModel::Epoch flip_newest_lane_state() {
    // With nothing older it would be refused.
    if (segments_.size() < 2 || segments_.back().groups.empty()) return LaneModel::Epoch::Same;
    const SegmentAt& newest = segments_.back();
    flip_in(newest, newest.groups.front());
    model_.forgets(newest.first() == 0 ? ~Sequence{0} : newest.first(), ~Sequence{0});
    return LaneModel::Epoch::New;
  }

  // At least one group with events, and all that follows.
  void tear_tail() {
    if (segments_.empty()) return;
    const SegmentAt& newest = segments_.back();
    const std::vector<const GroupAt*> groups = groups_with_events(newest);
    if (groups.empty()) return;
    const GroupAt& from = *groups[groups.size() - 1 - choices_.below(std::min<std::size_t>(groups.size(), 3))];
    const std::uint64_t end = files_.get(newest.path)->size();
    files_.zero_range(newest.path, from.offset, end - from.offset);
    model_.forgets(from.first, ~Sequence{0});
    model_.forgets_trimming();
  }

 private:
  struct Chosen {
    const SegmentAt* segment;
    const GroupAt* group;
  };

  // What the newest segment says of topics and trimming, no later one says again.
  void hit(const SegmentAt& segment, const GroupAt& group) {
    if (group.first != 0) model_.damages(group.first, group.last);
    if (&segment != &segments_.back()) return;
    if (group.holds(RecordKind::Trim)) model_.forgets_trimming();
    for (const RecordAt& record : group.records) {
      if (record.kind == RecordKind::Topic) model_.forgets_topic(record.topic);
    }
  }
  bool is_last(const GroupAt& group) const { return &group == &segments_.back().groups.back(); }

  std::vector<const GroupAt*> groups_with_events(const SegmentAt& segment) const {
    std::vector<const GroupAt*> found;
    for (const GroupAt& group : segment.groups) {
      if (group.first != 0) found.push_back(&group);
    }
    return found;
  }
  // With events, and proven by a commit that follows.
  Chosen choose_group() {
    std::vector<Chosen> all;
    for (const SegmentAt& segment : segments_) {
      for (const GroupAt* group : groups_with_events(segment)) {
        if (!is_last(*group)) all.push_back({&segment, group});
      }
    }
    return all.empty() ? Chosen{nullptr, nullptr} : all[choices_.below(all.size())];
  }
  const SegmentAt* choose_sealed() {
    std::vector<const SegmentAt*> all;
    for (const SegmentAt& segment : segments_) {
      if (&segment != &segments_.back() && segment.first() != 0) all.push_back(&segment);
    }
    return all.empty() ? nullptr : all[choices_.below(all.size())];
  }
  void flip_in(const SegmentAt& segment, const GroupAt& group) {
    files_.flip_bit(segment.path, group.offset + choices_.below(group.bytes), static_cast<unsigned>(choices_.below(8)));
  }

  sim::SimFiles& files_;
  LaneModel& model_;
  sim::Choices& choices_;
  const std::vector<SegmentAt> segments_;
};

}  // namespace

LaneModel::Epoch damage(sim::SimFiles& files, const std::string& directory, Damage kind, LaneModel& model,
                        sim::Choices& choices) {
  Vandal vandal(files, directory, model, choices);
  switch (kind) {
    case Damage::Bits: vandal.flip_bits(); break;
    case Damage::Range: vandal.zero_range(); break;
    case Damage::Truncated: vandal.truncate(); break;
    case Damage::Removed: vandal.remove(); break;
    case Damage::Swapped: vandal.swap(); break;
    case Damage::OldLaneState: vandal.flip_old_lane_state(); break;
    case Damage::NewestLaneState: return vandal.flip_newest_lane_state();
    case Damage::LyingDisk: vandal.tear_tail(); break;
  }
  return LaneModel::Epoch::Same;
}

}  // namespace lane_sim
