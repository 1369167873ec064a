// SPDX-License-Identifier: Apache-2.0
#pragma once
// Retention of a running lane: moves the complete_after of topics by age, bytes and space, and removes segments in
// which nothing lives any more.
//
//   run: plan by the indexes -> read a few boundary extents -> one control group -> remove segments
//
// A topic's complete_after is what reads are judged by. It moves when its control group is durable, never before and
// never back. A segment goes when no topic has an event in it behind its complete_after, and its last event is older
// than the window in which repeats are recognised: what recognises them after a restart stands in it.
//
// The lane's loop does a bounded amount of work in each run; what is left over comes next time, topics in turn. Thread:
// the lane's loop. Lives until its last turn.
#include <cstdint>
#include <optional>
#include <vector>

#include "storage/lane_clock.h"
#include "storage/limits.h"
#include "storage/log/boundary_extent.h"
#include "storage/log/log.h"
#include "storage/log/segment_usage.h"
#include "storage/log/space.h"
#include "storage/topic_table.h"

namespace storage {

// Of one run.
inline constexpr std::size_t kTrimStepsMax = 65'536;          // of planning, some 4 ms
inline constexpr std::size_t kTrimTopicsMax = 2'048;          // in its control group
inline constexpr std::size_t kBoundaryReadsMax = 16;          // extents of about 64 KiB
inline constexpr std::size_t kSegmentRemovalsMax = 16;        // with one manifest
inline constexpr std::uint64_t kSpaceAskNs = 60'000'000'000;  // between two looks at the size of the file system

class Trimmer final {
 public:
  struct Counters {
    TrimTotals trimmed;  // events that were trimmed in part of a batch before the start may count twice
    std::uint64_t segments_removed = 0;
    std::uint64_t boundary_reads = 0;
  };

  Trimmer(io::Loop&, Log&, TopicTable&, const LaneClock&, const Limits&);
  Trimmer(const Trimmer&) = delete;
  Trimmer& operator=(const Trimmer&) = delete;

  void run();                        // once per limits.retention_period_ns; nothing if the run before is under way
  void stop() { stopping_ = true; }  // what is under way ends with its next step
  bool is_idle() const { return !running_ && asking_ == 0; }

  const Counters& counters() const { return counters_; }
  const SegmentUsage& usage() const { return usage_; }    // its dead_bytes(): trimmed, and still held
  std::uint64_t bytes_max() const { return bytes_max_; }  // of all segments; 0: not known yet
  Log::Budget budget() const { return budget_; }          // Exceeded: publishing is refused for want of space

 private:
  // A complete_after that is going to move.
  struct Move {
    TopicId topic;
    Retention retention;  // that asks for it: nothing moves if it has changed meanwhile
    TrimLimits limits;
    TrimPlan plan;
    bool unreadable = false;  // the extent behind it
  };
  struct Reading {
    Segment* segment;
    std::size_t number;  // of the extent
    Extent extent;       // as it was planned with: the newest one grows
    std::uint64_t youngest_ns;
    std::vector<Move> moves = {};  // that end in it
  };
  enum class Planned : std::uint8_t { All, Part };

  void look_at_segments();
  void ask_for_space();
  void judge_space();
  SegmentSpace space_of(const Segment&) const;

  void plan_topics();
  Planned plan(TopicId, TrimPlanner&);
  Planned read_later(const Move&);
  TrimLimits limits_of(const Retention&) const;

  void read_next();
  void on_extent(Reading, std::string bytes);
  void decide(const Move&);

  void persist();
  std::string make_records(const LaneState&);
  void apply(const Move&);
  void remove_dead();
  void end();

  io::Loop& loop_;
  Log& log_;
  TopicTable& topics_;
  const LaneClock& clock_;
  const Limits limits_;
  SegmentUsage usage_;
  std::vector<TopicPlace> places_;        // of id, less one
  std::vector<std::uint64_t> rewritten_;  // ids of the rewritten segments that the places were made with, sorted
  std::size_t next_topic_ = 0;            // where the next run begins

  bool running_ = false;
  bool stopping_ = false;
  unsigned asking_ = 0;            // besides the run
  std::vector<Reading> readings_;  // the last one is next
  std::vector<Move> moves_;
  std::size_t planned_ = 0;  // moves, those that wait for a reading too

  std::uint64_t bytes_max_;
  std::optional<std::uint64_t> asked_ns_;
  Log::Budget budget_ = Log::Budget::Within;
  Sequence space_through_ = 0;  // everything up to it goes for want of space
  Counters counters_;
};

}  // namespace storage
