// SPDX-License-Identifier: Apache-2.0
#pragma once
// For the tests of recovery: a lane in a simulated directory, written group by group and at once, in the bytes and in
// the order in which the running log writes them.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codec/record_batch.h"
#include "storage/log/footer.h"
#include "storage/log/lock_file.h"
#include "storage/log/recovery.h"
#include "storage/log/segment_scan.h"
#include "tests/support/file_stage.h"
#include "tests/support/sim_world.h"
#include "tests/support/stored_groups.h"

namespace storage {

inline constexpr char kTestDirectory[] = "/data/lane";

// A group that was written, and where.
struct WrittenGroup {
  std::string path;
  std::uint64_t offset;
  std::uint64_t bytes;
  CommitRecord commit;
};

class TestLane final {
 public:
  explicit TestLane(sim::SimWorld& world, std::string directory = kTestDirectory)
      : world_(world), file_system_(world.world().file_system), stage_(file_system_), path_(std::move(directory)) {
    limits.run_gap = 1'000'000;
    world.files().put("/data/other", "");
  }
  TestLane(const TestLane&) = delete;
  TestLane& operator=(const TestLane&) = delete;
  ~TestLane() { close(); }

  Limits limits;

  // --- lives

  // Recovers what is there. Everything that was published and is still there is in events() afterwards.
  base::Result<void> start() {
    close();
    auto found = recover(world_.world(), path_, limits);
    if (!found) return std::unexpected(found.error());
    recovered_ = std::move(*found);
    commit_ = recovered_->last_commit;
    synced_through = commit_.number;
    return {};
  }
  void must_start() {
    const auto started = start();
    ASSERT_TRUE(started) << started.error().text << ", errno " << started.error().sys_errno;
  }
  void stop() {  // cleanly
    commit({});
    close();
  }
  void close() {  // as the end of the process does
    if (!recovered_) return;
    last_epoch_ = state().identity.epoch;
    for (const OpenSegment& segment : recovered_->segments) close_handle(segment.handle);
    close_handle(recovered_->lock);
    recovered_.reset();
  }
  void forget() { recovered_.reset(); }  // after the world has closed all handles

  std::uint64_t epoch() const { return recovered_ ? state().identity.epoch : last_epoch_; }
  // Of the whole simulated machine, which gives them out from 1,000 on.
  std::size_t open_handles() {
    std::size_t open = 0;
    for (io::FileHandle handle = 1'000; handle < 1'100; ++handle) {
      open += stage_.run({.kind = io::FileRequest::Kind::ReadAt, .handle = handle}).has_value() ? 1u : 0u;
    }
    return open;
  }
  const Recovered& recovered() const { return *recovered_; }
  const LaneState& state() const { return recovered_->state; }
  const std::vector<RecoveryFinding>& findings() const { return recovered_->findings; }
  std::size_t findings(RecoveryFinding::Kind kind) const {
    return static_cast<std::size_t>(std::ranges::count(recovered_->findings, kind, &RecoveryFinding::kind));
  }
  std::string all_findings() const {
    std::string all;
    for (const RecoveryFinding& finding : recovered_->findings) all += finding.sentence + "\n";
    return all;
  }

  // --- writing: each call is a group, written and synced

  const WrittenGroup& declare(const std::string& identity) {
    return control(RecordKind::Topic, encode_topic({.identity = identity}),
                   static_cast<TopicId>(state().topics.size() + 1));
  }
  const WrittenGroup& trim(TopicId topic, Sequence complete_after) {
    return control(RecordKind::Trim, encode_trims({{topic, complete_after}}));
  }
  const WrittenGroup& control(RecordKind kind, base::Bytes body, TopicId topic = 0) {
    std::string records;
    append_control_record(records, kind, topic, body);
    return commit(std::move(records));
  }
  // Events "1", "2", ... with `ids` of the first ones; one batch.
  const WrittenGroup& publish(TopicId topic, std::size_t events = 1, const std::vector<std::uint64_t>& ids = {},
                              std::size_t value_bytes = 0) {
    std::vector<std::uint64_t> addresses(events, 7);
    std::vector<EventRepeat> repeats;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      published_ids.push_back(ids[i]);
      repeats.push_back({static_cast<std::uint32_t>(i), {ids[i], ids[i]}, ids[i]});
    }
    const Sequence first = state().next_sequence;
    builder_.start(state().topics.at(topic - 1).next_offset, wall_ms());
    for (std::size_t i = 0; i < events; ++i) {
      std::string value = std::to_string(++published_);
      value.resize(std::max(value.size(), value_bytes), '.');
      std::string tail;
      codec::append_record_tail(tail, std::nullopt, value, {});
      builder_.add(wall_ms(), tail);
      written[first + i] = std::move(value);
    }
    std::string records;
    append_batch_record(records, {topic, first, addresses, repeats, builder_.finish()});
    return commit(std::move(records), first, first + events - 1);
  }
  const WrittenGroup& commit(std::string records, Sequence first = 0, Sequence last = 0) {
    OpenSegment& segment = recovered_->segments.back();
    append_commit_room(records);
    commit_ = seal_group(records, segment.header.seed(), next_commit(first, last));
    groups.push_back({segment.path, segment.end_offset, records.size(), commit_});
    stage_.write(segment.handle, segment.end_offset, records);
    stage_.must({.kind = io::FileRequest::Kind::Sync, .handle = segment.handle});
    take(segment, records);
    synced_through = commit_.number;
    return groups.back();
  }
  // Seals the newest segment and begins another one.
  enum class Footer : std::uint8_t { No, Yes };
  void rotate(Footer footer = Footer::No) {
    OpenSegment& before = recovered_->segments.back();
    before.end = {before.header.number, before.header.id, before.index.first_sequence(),   before.index.last_sequence(),
                  commit_.number,       commit_.crc,      before.index.last_lane_time_ns()};
    OpenSegment segment;
    segment.header.number = segment.header.first_replaced = before.header.number + 1;
    segment.header.id = world_.world().random.u64();
    segment.header.continues = commit_.number;
    segment.header.continues_crc = commit_.crc;
    segment.path = path_ + '/' + segment_name(segment.header.number);
    if (!before.index.empty()) recovered_->state.manifest.push_back(before.end);
    if (footer == Footer::Yes) write_footer(before);
    SegmentStart start = encode_segment_start(segment.header, state(), next_commit(0, 0));
    commit_ = start.commit;
    segment.handle = stage_.open(segment.path + ".tmp");
    stage_.write(segment.handle, 0, start.bytes);
    stage_.must({.kind = io::FileRequest::Kind::Sync, .handle = segment.handle});
    stage_.rename(segment.path + ".tmp", segment.path);
    stage_.sync_directory(path_);
    segment.end_offset = start.bytes.size();
    recovered_->segments.push_back(std::move(segment));
  }

  // All events of the segments as recovery handed them over.
  Events events() const {
    Events found;
    for (const OpenSegment& segment : recovered_->segments) read_events(file_system_, segment, found);
    return found;
  }
  std::vector<std::uint64_t> ids() const {  // that recovery restored
    std::vector<std::uint64_t> found;
    for (const RestoredRepeat& each : recovered_->repeats) found.push_back(each.content);
    return found;
  }
  static Events without(Events events, Sequence first, Sequence last) {
    events.erase(events.lower_bound(first), events.upper_bound(last));
    return events;
  }

  std::vector<std::string> names() {
    auto names = stage_.list(path_);
    std::erase(names, "lock");
    return names;
  }
  std::string newest_path() const { return recovered_->segments.back().path; }
  sim::FileStage& stage() { return stage_; }
  const std::string& path() const { return path_; }
  Events written;                    // everything that was published, whatever became of it
  std::vector<WrittenGroup> groups;  // likewise
  std::vector<std::uint64_t> published_ids;
  CommitNumber synced_through = 0;
  std::uint64_t lane_time_ns = 1'000;

 private:
  std::int64_t wall_ms() { return world_.world().clock.wall_ms(); }

  CommitRecord next_commit(Sequence first, Sequence last) {
    return {.number = commit_.number + 1,
            .first_sequence = first,
            .last_sequence = last,
            .synced_through = synced_through,
            .lane_time_ns = lane_time_ns,
            .wall_ms = wall_ms(),
            .previous_crc = commit_.crc};
  }

  void take(OpenSegment& segment, const std::string& group) {
    const GroupView view{base::Bytes(group).substr(0, group.size() - kCommitBytes), commit_};
    ASSERT_TRUE(recovered_->state.apply(view));
    segment.index.add(segment.end_offset, view);
    segment.end_offset += group.size();
  }

  void write_footer(const OpenSegment& segment) {
    SegmentIndex index;
    SegmentRepeats repeats;
    AddressIndex addresses;
    each_group(file_system_, segment, [&](const ScannedGroup& scanned) {
      index.add(scanned.offset, scanned.group, addresses);
      repeats.add(scanned.group);
    });
    FooterWriter footer({segment.header, commit_, index, repeats, addresses});
    const std::string bytes = footer.next(1u << 30);
    stage_.write(segment.handle, segment.end_offset, bytes);
    stage_.truncate(segment.handle, segment.end_offset + bytes.size());
  }

  void close_handle(io::FileHandle handle) {
    static_cast<void>(stage_.run({.kind = io::FileRequest::Kind::Close, .handle = handle}));
  }

  sim::SimWorld& world_;
  io::FileSystem& file_system_;
  sim::FileStage stage_;
  std::string path_;
  std::optional<Recovered> recovered_;
  CommitRecord commit_;
  codec::BatchBuilder builder_;
  std::uint64_t published_ = 0;
  std::uint64_t last_epoch_ = 0;  // of the life that was closed last; 0: there was none
};

}  // namespace storage
