// SPDX-License-Identifier: Apache-2.0
#pragma once
// The log of a running lane: makes commit groups durable in segments, one at a time (docs/formats/log.md).
//
//   Idle --group--> Writing: claim, write, sync --> Idle          durable
//     \--does not fit--> Rotating: a new segment --> Writing
//   no space: the segment is cut, control groups get the reserve, and events are refused until there is room for the
//   reserve and for more (the file system is asked first; nobody is told of room that was not had)
//   a failed sync: Failed, until a restart
//
// Event groups come from the writer, one at a time; control groups (declarations, trims, manifests) queue here and go
// first. Zeros are filled in ahead of the writer, never over what it has claimed. What became durable is applied to
// state(), which is what the next segment will begin with.
//
// Thread: the lane's loop. Must live until the loop's last turn.
#include <atomic>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "storage/lane_clock.h"
#include "storage/limits.h"
#include "storage/log/file_steps.h"
#include "storage/log/reserve.h"
#include "storage/log/segment.h"
#include "storage/medium.h"

namespace storage {

class Log final : public Medium {
 public:
  Log(io::Loop&, const LaneClock&, Recovered&, const Limits&);  // takes the segments and the state
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void persist(std::shared_ptr<Block>, Done) override;
  // Makes control records for the state as it is when they are written; none: an empty commit.
  using MakeRecords = std::move_only_function<std::string(const LaneState&)>;
  // `done` never runs within the call.
  void persist_control(MakeRecords, Done done);
  // The segments go, once a manifest without them is durable. Not the newest one.
  void remove_segments(std::vector<SegmentNumber>, Done done);
  // Whether the lane is larger than it may be: then events are refused as if the disk were full.
  enum class Budget : std::uint8_t { Within, Exceeded };
  void set_budget(Budget);
  // A segment that is on the disk, under the name of the newest one that it stands for, takes the place of that and of
  // all before it from `first` on. `done` runs when a manifest says so.
  void replace_segments(SegmentNumber first, std::unique_ptr<Segment>, Done done);
  // The next group opens a new segment, if this one has an event.
  void seal() { wants_rotation_ = wants_rotation_ || !newest().index.empty(); }
  // Now and then: refills the reserve, tries again after the disk was full, seals what is old.
  void maintain();
  // All is done: closes every file, when the last fill has ended. No group or read may be under way. `closed` gets the
  // first error of a file, if any; it is closed nevertheless, and whatever counts was synced before.
  using Closed = std::move_only_function<void(std::optional<base::Error>)>;
  void close(Closed);

  const LaneState& state() const { return state_; }
  const Segments& segments() const { return segments_; }
  bool is_idle() const { return phase_ == Phase::Idle && !job_ && !event_job_ && control_jobs_.empty(); }
  LaneCondition condition() const { return condition_.load(std::memory_order_relaxed); }  // any thread
  std::uint64_t file_bytes() const;                                                       // of all segments
  bool has_failed() const { return phase_ == Phase::Failed; }
  CommitNumber synced_through() const { return last_commit_.number; }

  // For readers: keeps the handle open from begin to end.
  void begin_read(Segment& segment) { ++segment.reads; }
  void end_read(Segment&);

 private:
  enum class Phase : std::uint8_t { Idle, Rotating, Writing, Failed };
  enum class Full : std::uint8_t { No, Yes };
  enum class Room : std::uint8_t { Free, Reserve };  // where a new segment comes from
  // A new segment in the making: it is written under a temporary name, synced, and then gets its own.
  struct Rotation {
    Room room;
    SegmentHeader header;
    CommitRecord commit;
    std::uint64_t file_bytes = 0;  // of the reserve
    std::size_t sync_step = 0;     // what fails before it is passing, if it is for want of room or descriptors
  };
  struct Job {
    std::shared_ptr<Block> block;
    Done done;
    MakeRecords make = {};  // of a control group

    bool is_control() const { return make != nullptr; }
  };

  Segment& newest() { return *segments_.back(); }
  void pump();
  void answer_later(Done, Persisted);
  void advance();  // the current job
  bool fits() const;

  bool may_use_reserve() const { return job_->is_control() && reserve_ == Reserve::Known && reserve_bytes_ > 0; }
  void rotate(Room);
  std::vector<io::FileRequest> rotation_steps(Rotation&, std::shared_ptr<const std::string> start) const;
  void on_rotated(const Rotation&, const StepsOutcome&);
  void begin_segment(const Rotation&, io::FileHandle);
  void make_room_for_state();
  void on_no_room(Room);
  enum class Name : std::uint8_t { Drop, Keep };
  void retire(std::unique_ptr<Segment>, Name);
  void take_place(SegmentNumber first, std::unique_ptr<Segment>);
  ManifestEntry manifest_entry(const Segment&) const;

  void write();
  void submit_write();
  void on_synced(const base::Result<io::FileReply>&);
  void make_durable();
  void finish(Persisted);
  void fail();
  void set_full(Full);

  void fill_ahead();
  void on_filled(Segment&);
  bool has_whole_reserve() const { return reserve_bytes_ >= reserve_bytes(limits_, start_bytes_); }
  void find_reserve();
  void look_for_room();
  void refill_reserve();
  void on_refilled(const StepsOutcome&);
  void reserve_is_known();
  void prove_when_idle();

  std::string path_of(const std::string& name) const { return directory_ + '/' + name; }
  void close_if_unused(Segment&);
  void close_when_unused();
  void close_handle(io::FileHandle);
  void drop(const std::string& path);

  io::Loop& loop_;
  const LaneClock& clock_;
  const Limits limits_;
  const std::string directory_;
  const io::FileHandle lock_;
  LaneState state_;
  CommitRecord last_commit_;  // synced
  Segments segments_;
  std::vector<std::unique_ptr<Segment>> retired_;  // without a name, but still read or filled
  std::uint64_t start_bytes_;                      // header and lane state of the newest one, about
  std::uint64_t segment_bytes_;                    // of the newest one; then the next is begun
  SegmentNumber last_number_;

  Phase phase_ = Phase::Idle;
  std::optional<Job> event_job_;
  std::deque<Job> control_jobs_;
  std::optional<Job> job_;  // under way
  CommitRecord commit_;     // of job_
  std::optional<base::Error> write_error_;
  bool waits_for_fill_ = false;
  bool cut_ = false;  // nothing is written behind the newest segment's end any more
  bool wants_rotation_ = false;
  Full full_ = Full::No;  // events are refused
  std::atomic<LaneCondition> condition_ = LaneCondition::Writable;
  enum class Reserve : std::uint8_t { Unknown, Busy, Known } reserve_ = Reserve::Unknown;
  std::uint64_t reserve_bytes_ = 0;  // if it is known; a start on a full disk may have left a small one
  bool waits_for_reserve_ = false;   // job_, until it is known

  Budget budget_ = Budget::Within;

  std::uint64_t filled_to_ = 0;  // in the newest segment
  std::uint64_t fill_from_ = 0;  // of the fill under way
  std::shared_ptr<const std::string> zeros_;
  io::Timer idle_timer_;
  Closed closed_;
};

}  // namespace storage
