// SPDX-License-Identifier: Apache-2.0
#pragma once
// Gives back the space of sealed segments that are mostly dead: what lives in neighbours is copied, whole batches only,
// into one sparse segment that takes their place (docs/formats/log.md, "What always holds").
//
// The copy is written and synced under a temporary name with its footer, then takes the name of the newest segment that
// it stands for, then a manifest says so, and then the others go. In the background, one piece at a time.
//
// Thread: the lane's loop.
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "storage/limits.h"
#include "storage/log/footer.h"
#include "storage/log/log.h"
#include "storage/topic_table.h"

namespace storage {

inline constexpr unsigned kSparsePercent = 30;                // a segment with less of its bytes alive is rewritten
inline constexpr std::size_t kRewriteStepBytes = 256u << 10;  // read or written at once

class Rewriter final {
 public:
  Rewriter(io::Loop&, Log&, const TopicTable&, const LaneClock&, const Limits&);
  ~Rewriter();
  Rewriter(const Rewriter&) = delete;
  Rewriter& operator=(const Rewriter&) = delete;

  void run();                        // now and then: begins with the oldest that are worth it
  void stop() { stopping_ = true; }  // what is under way is given up with its next piece
  bool is_idle() const { return work_ == nullptr; }
  std::uint64_t rewritten() const { return rewritten_; }  // segments that were replaced

 private:
  struct Work;

  bool is_sparse(const Segment&) const;
  std::uint64_t live_bytes(const Segment&) const;
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
  void give_up();
  enum class Copy : std::uint8_t { Keep, Close };
  void release(Copy);

  io::Loop& loop_;
  Log& log_;
  const TopicTable& topics_;
  const LaneClock& clock_;
  const Limits limits_;
  std::unique_ptr<Work> work_;
  std::set<std::uint64_t> given_up_;  // ids of segments
  bool stopping_ = false;
  std::uint64_t rewritten_ = 0;
};

}  // namespace storage
