// SPDX-License-Identifier: Apache-2.0
#pragma once
// The truth: one append-only sequence of events with one writer. What append() acknowledged stays; what a follower
// was shown was durable before.
//
// Thread: append, read, declare and follow are called on any loop and answer as a message on that loop, never within
// the call. durable() and identity() may be called anywhere. After a commit the writer first moves durable(), then
// posts the group to every follower, then answers the publishers: nobody learns of an event before a subscriber that
// asks afterwards can see it.
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/siphash.h"
#include "io/loop.h"
#include "storage/block.h"

namespace storage {

// Names one provable history, and keys the hashes that recognise repeats in it. Constant once the lane is open.
struct Identity {
  std::uint64_t epoch;
  std::array<std::uint8_t, 16> deduplication_key;
};

// Recognises a repeat: the same `key` within the window is the same publish, and then `content` must be equal.
// Both are keyed with Identity::deduplication_key. Only ids that clients gave have one.
struct Repeat {
  base::Hash128 key;
  base::Hash128 content;
};

struct NewEvent {
  TopicId topic;
  std::string record_tail;  // codec::append_record_tail: everything of a record behind its offset delta
  std::optional<Repeat> repeat;
};

enum class AppendStatus : std::uint8_t {
  Durable,         // every event of the request is, or was already
  Conflict,        // a key of the request is known with another content: `conflicts` has the indexes; nothing stored
  QueueFull,       // more than the writer's bounded queue; nothing stored; try again
  TooLarge,        // larger than a commit group may be; nothing stored
  NoSpace,         // nothing stored; space must be freed
  RepeatsFull,     // the table of repeats is full of ids that are still guaranteed; nothing stored; try again
  OutcomeUnknown,  // the sync failed: repeat with the same id after the restart
  Stopped,         // the lane takes no events until a restart
};

struct AppendReply {
  struct Item {
    Sequence sequence;  // of the first one for a repeat
    bool duplicate;
  };
  AppendStatus status;
  std::vector<Item> items;             // as many as events, when Durable
  std::vector<std::size_t> conflicts;  // indexes of events, when Conflict
};

struct ReadRequest {
  std::vector<TopicId> topics;    // sorted; at least one
  std::optional<Sequence> after;  // none: from the earliest that is complete for all topics
  std::size_t bytes_max;          // of blocks; at least one block is returned if there is one
};

enum class ReadStatus : std::uint8_t {
  Read,
  Trimmed,  // `after` is before complete_after: events between are gone
  Ahead,    // `after` names a position that this history has not reached
  Stopped,
};

struct ReadReply {
  ReadStatus status;
  std::vector<BlockPtr> blocks;  // may hold events of other topics, and events at or before `after`
  Sequence after;                // where the reading began
  Sequence covered;              // every event of the topics in (after, covered] is in `blocks`
  Sequence complete_after;       // the largest of the topics: their earliest position
};

// What a follower is told after a commit. Without a block (the loop had too much waiting) only the range is known.
struct Commit {
  Sequence first;
  Sequence last;
  BlockPtr block;
};

class Lane {
 public:
  using AppendDone = std::move_only_function<void(AppendReply)>;
  using ReadDone = std::move_only_function<void(ReadReply)>;
  using DeclareDone = std::move_only_function<void(std::vector<TopicId>)>;
  using OnCommit = std::move_only_function<void(const Commit&)>;

  virtual ~Lane() = default;

  // All or nothing, in one commit group, in the order given. Requests of one loop keep their order.
  virtual void append(io::Loop& from, std::vector<NewEvent>, AppendDone) = 0;
  virtual void read(io::Loop& from, ReadRequest, ReadDone) = 0;
  // Topics by identity (the address template with `*` for each parameter): known ones keep their id.
  virtual void declare(io::Loop& from, std::vector<std::string> identities, DeclareDone) = 0;
  // From now on every commit is posted to the loop, in order. Once per loop, before any append.
  virtual void follow(io::Loop&, OnCommit) = 0;

  virtual Sequence durable() const = 0;  // everything at or before it is durable
  virtual const Identity& identity() const = 0;
};

// A loop with more than this waiting is told of commits without their blocks.
inline constexpr std::size_t kFollowerWaitingBytesMax = 32 << 20;

}  // namespace storage
