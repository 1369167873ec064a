// SPDX-License-Identifier: Apache-2.0
#pragma once
// Gives back the space of sealed segments that are mostly dead: what lives in neighbours is copied, whole batches only,
// into one sparse segment that takes their place (docs/formats/log.md, "What always holds").
//
// Small neighbours join them, or each other, dead or not, as long as what is copied of each is no more than half of the
// result: so the bytes of an event move from segment to segment a few times, each time into one of twice the size.
//
// The copy is written and synced under a temporary name with its footer, then takes the name of the newest segment that
// it stands for, then a manifest says so, and then the others go. In the background, one piece at a time.
//
// Thread: the lane's loop.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/limits.h"
#include "storage/log/footer.h"
#include "storage/log/log.h"
#include "storage/log/segment_retries.h"
#include "storage/log/segment_usage.h"
#include "storage/topic_table.h"

namespace storage {

inline constexpr unsigned kSparsePercent = 30;                // a segment with less of its bytes alive is rewritten
inline constexpr std::size_t kRewriteSourcesMax = 32;         // segments that become one at a time
inline constexpr std::size_t kRewriteStepBytes = 256u << 10;  // read or written at once

class Rewriter final {
 public:
  Rewriter(io::Loop&, Log&, const TopicTable&, const SegmentUsage&, const LaneClock&, const Limits&);
  ~Rewriter();
  Rewriter(const Rewriter&) = delete;
  Rewriter& operator=(const Rewriter&) = delete;

  void run();                        // now and then: begins with the oldest that are worth it
  void stop() { stopping_ = true; }  // what is under way is given up with its next piece
  bool is_idle() const { return work_ == nullptr; }
  std::uint64_t rewritten() const { return rewritten_; }  // segments that were replaced

 private:
  struct Work;

  // A segment as it counts for what to rewrite.
  struct Candidate {
    enum class Kind : std::uint8_t { None, Sparse, Small } kind = Kind::None;
    std::uint64_t live_bytes = 0;  // of its groups, about
  };

  Candidate judge(const Segment&) const;
  std::vector<Candidate> judge_all() const;
  std::size_t run_from(const std::vector<Candidate>&, std::size_t first) const;
  std::vector<Segment*> choose() const;
  void begin(std::vector<Segment*>);
  void read_on();
  void on_bytes(base::Result<io::FileReply>);
  bool take_groups();
  void copy(const GroupView&);
  void write_on();
  void write_footer();
  void name();
  void install();
  enum class Reason : std::uint8_t { Damaged, Refused, Stopped, Moot };  // Refused: by the disk
  void give_up(Reason);
  void put_off();
  enum class Copy : std::uint8_t { Keep, Close };
  void release(Copy);

  io::Loop& loop_;
  Log& log_;
  const TopicTable& topics_;
  const SegmentUsage& usage_;
  const LaneClock& clock_;
  const Limits limits_;
  std::unique_ptr<Work> work_;
  SegmentRetries retries_;
  bool stopping_ = false;
  std::uint64_t rewritten_ = 0;
};

}  // namespace storage
