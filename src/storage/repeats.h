// SPDX-License-Identifier: Apache-2.0
#pragma once
// The table that recognises repeats: ids that clients gave, for ten minutes.
//
// An id is forgotten when it is older than the window, and earlier, but never within the guaranteed time, when the
// table is full; that is counted. Ids stand in a queue by age; an open-addressed index of 32-bit positions finds
// them, so a full table of 4 million takes about 155 MiB and an empty one almost nothing. Growing the index costs one
// pass over the ids; old ids are dropped as new ones come, a few for each.
//
// Thread: the lane's loop. Times are lane time: monotonic, in nanoseconds. Ages are exact to kMarkNs, and err on the
// side of remembering.
#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "storage/lane.h"
#include "storage/limits.h"

namespace storage {

class Repeats final {
 public:
  enum class Verdict : std::uint8_t { New, Repeated, Conflict, Full };
  struct Judgement {
    Verdict verdict;
    Sequence sequence;  // of the first one, unless New or Full
  };
  static constexpr std::uint64_t kMarkNs = 1'000'000'000;

  explicit Repeats(const Limits&);

  // New: from now on the id is known, with `sequence`. Everything else changes nothing.
  Judgement judge(const Repeat&, Sequence sequence, std::uint64_t now_ns);
  // The same without remembering: never Full.
  Judgement find(const Repeat&, std::uint64_t now_ns) const;
  void take_back(std::size_t count);          // forgets the newest ones, as if they had not been judged
  void restamp_newest(std::uint64_t now_ns);  // what was judged last counts its age from now

  // What is remembered from before the start, oldest first; the oldest goes if there is no room. Before any judge().
  void restore(const base::Hash128& key, std::uint64_t content, Sequence, std::uint64_t then_ns);

  std::size_t size() const { return end_ - begin_; }
  std::uint64_t forgotten_early() const { return forgotten_early_; }  // between guarantee and window

 private:
  struct Known {
    base::Hash128 key;
    std::uint64_t content;  // half of the hash: a keyed one cannot be made to collide
    Sequence sequence;
  };
  // Everything before position `end` that no earlier mark covers was judged between these times.
  struct Mark {
    std::uint64_t oldest_ns;
    std::uint64_t newest_ns;
    std::uint64_t end;
  };
  static constexpr std::uint64_t kChunkEntries = 4'096;
  static constexpr std::uint32_t kNobody = 0;
  static constexpr std::uint64_t kPositions = std::uint64_t{1} << 31;
  static constexpr int kForgottenPerInsert = 4;  // more than one: the queue shrinks, and no insert pays for many
  using Chunk = std::array<Known, kChunkEntries>;

  static std::uint32_t slot_of(std::uint64_t position) { return static_cast<std::uint32_t>(position % kPositions) + 1; }
  std::uint64_t position_of(std::uint32_t slot) const { return begin_ + (slot - 1 - begin_) % kPositions; }
  const Known& at(std::uint64_t position) const;
  std::size_t find_slot(const base::Hash128& key) const;  // where it is, or the empty slot where it would be
  Judgement compare(std::uint32_t slot, const Repeat&, std::uint64_t expired_end) const;

  std::uint64_t expired_end(std::uint64_t now_ns) const;
  void age(std::uint64_t now_ns);
  bool make_room(std::uint64_t now_ns);
  void push_back(const Known&, std::uint64_t now_ns);
  void drop_front();
  void drop_back();
  void erase_slot(std::size_t hole);
  void grow_index();

  const std::size_t entries_max_;
  const std::uint64_t window_ns_;
  const std::uint64_t guaranteed_ns_;
  std::deque<std::unique_ptr<Chunk>> chunks_;
  std::uint64_t begin_ = 0;        // position of the oldest id
  std::uint64_t end_ = 0;          // behind the newest
  std::uint64_t expired_end_ = 0;  // ids before it are outside of the window and only wait to be dropped
  std::deque<Mark> marks_;
  std::vector<std::uint32_t> index_;  // linear probing, at most half full; a power of two
  std::uint64_t forgotten_early_ = 0;
};

}  // namespace storage
