// SPDX-License-Identifier: Apache-2.0
#pragma once
// The truth: one append-only sequence of events with one writer. What append() acknowledged stays; what a follower
// was shown was durable before.
//
// Thread: append, read, locate, newest_per_address, declare and follow are called on any loop and answer as a message
// on that loop, never within the call. durable() and identity() may be called anywhere. After a commit the writer first
// moves durable(), then posts the group to every follower, then answers the publishers: nobody learns of an event
// before a subscriber that asks afterwards can see it.
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
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
  std::uint64_t address_hash;  // address_hash() of its address: what the index of addresses knows of it
  std::string record_tail;     // codec::append_record_tail: everything of a record behind its offset delta
  std::optional<Repeat> repeat;
};

// Keyed, so that a peer cannot choose addresses that collide. Among ten million addresses two have the same one with
// a probability of 3 in a million; whoever reads by address compares the address itself.
std::uint64_t address_hash(const Identity&, base::Bytes address);

// How long events of a topic are kept. Both bounds hold; trimming is event by event, oldest first.
struct Retention {
  static constexpr std::uint64_t kUnbounded = ~std::uint64_t{0};

  std::uint64_t age_ns = 7 * 86'400'000'000'000;
  std::uint64_t bytes = kUnbounded;  // of record batches

  bool operator==(const Retention&) const = default;
};

// A topic by its identity: the address template with `*` for each parameter.
struct TopicDeclaration {
  std::string identity;
  Retention retention = {};
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
  // Sorted. Only events of these addresses are wanted, by their address_hash(): what holds none of them need not be
  // read, and may be in the answer all the same. Empty: all.
  std::vector<std::uint64_t> addresses = {};
};

enum class ReadStatus : std::uint8_t {
  Read,
  Trimmed,  // `after` is before complete_after: events between are gone
  Ahead,    // `after` names a position that this history has not reached, or one between two of its runs
  Damaged,  // what lies behind `after`, up to `damaged_last`, cannot be read any more; go on after that
  Stopped,
};

struct ReadReply {
  ReadStatus status;
  std::vector<BlockPtr> blocks;  // may hold events of other topics, and events at or before `after`
  Sequence after;                // where the reading began
  Sequence covered;              // every event of the topics in (after, covered] is in `blocks`
  Sequence complete_after;       // the largest of the topics: their earliest position
  Sequence damaged_last = 0;     // with Damaged
};

// The first event appended at or after it, by the running maximum of the wall clock: one that stepped back finds more,
// never less. Whatever its topic.
struct AtTime {
  std::int64_t wall_ms;
};
// The newest events of a set, as many as there are. Events that cannot be read any more may count.
struct LastEvents {
  std::size_t events;               // at least one
  Sequence through = ~Sequence{0};  // those behind it do not count: to go on after LookupStatus::Partial
};

struct LocateRequest {
  std::vector<TopicId> topics;                // sorted; at least one
  std::vector<std::uint64_t> addresses = {};  // sorted address_hash()es, for LastEvents; empty: all
  std::variant<AtTime, LastEvents> what;
};

enum class LookupStatus : std::uint8_t {
  Complete,
  Partial,  // as much as one request may cost; ask again for the rest
  Trimmed,  // as in ReadStatus; nothing was looked up
  Ahead,
  Stopped,
};

struct LocateReply {
  LookupStatus status;
  // The position before the first of them: none of the events asked for lies between. If there is none, `end`. With
  // AtTime it is before complete_after when an event at or after the time may have been trimmed. Two addresses with one
  // hash count as one, and then LastEvents begins a little late: 3 in a million for any two of ten million addresses.
  // With Partial: where those that were found begin; ask again for the others, through this position.
  Sequence position;
  std::size_t events;       // that LastEvents found
  Sequence complete_after;  // the largest of the topics: their earliest position
  Sequence end;             // durable() when it was looked up
};

// The newest event of each address among those of the topics behind a position.
struct NewestRequest {
  std::vector<TopicId> topics;    // sorted; at least one
  std::optional<Sequence> after;  // as in ReadRequest
  std::size_t events_max;         // at least one
};

struct NewestReply {
  LookupStatus status;
  std::vector<Sequence> sequences;  // ascending
  // Every event in (after, covered] that is the newest of its address, as of `end`, is in `sequences`, and no other. An
  // address is its hash here: of two addresses with one hash only the newer event is found. Events that cannot be read
  // any more are left out.
  Sequence after;
  Sequence covered;
  Sequence complete_after;
  Sequence end;
};

// What a follower is told after a commit. Without a block (the loop had too much waiting) only the range is known.
struct Commit {
  Sequence first;
  Sequence last;
  BlockPtr block;
};

// Whether publishers are served. Readers are in every condition.
enum class LaneCondition : std::uint8_t {
  Writable,
  Full,      // no space: publishing gets NoSpace until some is free
  ReadOnly,  // a sync failed: nothing is taken until a restart
};

// What the log takes on the disk, and what retention took out of it since this start. Each number is right by itself,
// as of the last look at retention; two of them may be of different moments.
struct LogUsage {
  std::uint64_t bytes = 0;  // of all segments
  std::uint64_t segments = 0;
  std::uint64_t dead_bytes = 0;        // of batches that are trimmed, and whose space is not free yet
  std::uint64_t trimmed_by_age = 0;    // events
  std::uint64_t trimmed_by_bytes = 0;  // of their channel
  std::uint64_t trimmed_by_total = 0;  // because of all channels together: before their own retention would have it
};

class Lane {
 public:
  using AppendDone = std::move_only_function<void(AppendReply)>;
  using ReadDone = std::move_only_function<void(ReadReply)>;
  using DeclareDone = std::move_only_function<void(std::vector<TopicId>)>;
  using OnCommit = std::move_only_function<void(const Commit&)>;
  using LocateDone = std::move_only_function<void(LocateReply)>;
  using NewestDone = std::move_only_function<void(NewestReply)>;

  virtual ~Lane() = default;

  // All or nothing, in one commit group, in the order given. Requests of one loop keep their order.
  virtual void append(io::Loop& from, std::vector<NewEvent>, AppendDone) = 0;
  virtual void read(io::Loop& from, ReadRequest, ReadDone) = 0;
  // Positions and newest events, from the indexes; each request costs a bounded amount of work.
  virtual void locate(io::Loop& from, LocateRequest, LocateDone) = 0;
  virtual void newest_per_address(io::Loop& from, NewestRequest, NewestDone) = 0;
  // Known topics keep their id and get the retention that is given now; topics that are not declared any more keep
  // their last one.
  virtual void declare(io::Loop& from, std::vector<TopicDeclaration>, DeclareDone) = 0;
  // From now on every commit is posted to the loop, in order. Once per loop, before any append.
  virtual void follow(io::Loop&, OnCommit) = 0;

  virtual Sequence durable() const = 0;  // everything at or before it is durable
  virtual const Identity& identity() const = 0;
  virtual LaneCondition condition() const = 0;   // any thread
  virtual LogUsage usage() const { return {}; }  // any thread; zeros of a lane without files

  // The lane's loop, once. What was accepted before is committed and answered, then `stopped` runs on the lane's loop.
  // What comes later is answered Stopped, a declare() with no ids, without the lane's loop: it may end.
  virtual void stop(io::Task stopped) = 0;
};

// A loop with more than this waiting is told of commits without their blocks.
inline constexpr std::size_t kFollowerWaitingBytesMax = 32 << 20;

}  // namespace storage
