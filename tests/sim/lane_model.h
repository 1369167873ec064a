// SPDX-License-Identifier: Apache-2.0
#pragma once
// The judge of a lane: everything that anybody outside of it has asked and learned, and what must therefore be so. It
// knows storage/lane.h and docs/formats/log.md, and nothing of how they are kept.
//
// A *content* is something to publish; its value begins with its number, so whoever finds an event knows which it is.
// A *place* is a sequence at which somebody (a publisher, a follower, a reader) has learned that a content stands:
// from then on it stands there for ever, until it is trimmed, or the test has damaged it on purpose.
//
// A life: opened(), then what is declared, asked, answered and told, until the next opened(). After that somebody reads
// every topic from its beginning to the end, and settled() judges the life before: what was asked for and never
// answered may have been stored or not, but now it is decided.
//
// A value: a copy judges a copied directory. One thread, that of the simulation.
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "io/clock.h"
#include "storage/lane.h"
#include "storage/limits.h"
#include "tests/sim/lane_age.h"

namespace lane_sim {

using storage::Sequence;
using storage::TopicId;
using ContentNumber = std::size_t;
using RequestNumber = std::size_t;

struct Content {
  std::string topic;
  std::string value;
  std::uint64_t address = 0;        // its hash; a few for all
  std::optional<std::uint64_t> id;  // two contents with one id are in conflict
  std::uint64_t asked_ns = 0;       // age of the lane, at the most, at the first of the attempts that are open
  int open = 0;                     // attempts that may have stored it or not
  int stored = 0;                   // attempts that were told a sequence of their own
  std::size_t refused_in_life = 0;
  bool is_forgotten = false;  // its place was made unprovable
  std::vector<Sequence> places = {};
};

// A read that is under way.
struct Question {
  storage::ReadRequest request;
  Sequence durable;  // when it was asked
  Sequence trimmed;  // the same: complete_after of its topics, at least
};

class LaneModel final {
 public:
  enum class Epoch : std::uint8_t { Same, New };
  enum class Trouble : std::uint8_t { Space, Sync, Stopping, Repeats, Reading };  // what may go wrong in this life

  LaneModel(io::Clock&, const storage::Limits&);

  const std::string& wrong() const { return wrong_; }  // the first thing; empty: all is well
  void blame(std::string sentence);
  void allow(Trouble);  // until the next opened()
  void forbid(Trouble trouble) { troubles_.erase(trouble); }

  // Topics. What was ever declared has an id for ever.
  void declares(const storage::TopicDeclaration&);
  void declared(const std::vector<storage::TopicDeclaration>&, const std::vector<TopicId>&);
  std::optional<TopicId> id_of(const std::string& topic) const;
  std::vector<std::string> topics() const;  // all that were declared, answered or not
  const storage::Retention& retention(const std::string& topic) const { return topics_.at(topic).retention; }

  // Publishers.
  static constexpr std::uint64_t kAddresses = 7;                            // of each topic
  static std::uint64_t address(const std::string& topic, std::uint64_t n);  // its hash
  ContentNumber invent(const std::string& topic, std::size_t bytes, std::optional<std::uint64_t> id);
  const std::vector<Content>& contents() const { return contents_; }
  RequestNumber asked(std::size_t loop, std::vector<ContentNumber>);
  void answered(RequestNumber, const storage::AppendReply&);

  // Followers.
  void told(std::size_t loop, const storage::Commit&, Sequence durable);

  // Readers.
  Question asks(storage::ReadRequest, Sequence durable) const;
  void answered(const Question&, const storage::ReadReply&, Sequence durable);
  void answered(const storage::LocateRequest&, const storage::LocateReply&);
  void answered(const storage::NewestRequest&, const storage::NewestReply&);
  std::vector<Sequence> positions() const;       // where events are known to be
  std::optional<Sequence> between_runs() const;  // a position that no event can have
  Sequence trimmed(const std::string& topic) const { return topics_.at(topic).trimmed; }

  // Lives.
  void opened(const storage::Identity&, Sequence durable, Epoch = Epoch::Same);
  void ended();  // also a start that came to nothing
  void stepped_wall_clock();
  void settled();
  // The test has damaged these: a reader must be told. (0, 0) is damage that no event is in.
  void damages(Sequence first, Sequence last);
  // The test has torn these off, or made them unprovable: they may be there or not (of a segment that recovery made the
  // originals may still be there), but nothing else may get their numbers while the epoch is the same.
  void forgets(Sequence first, Sequence last);
  // The test has damaged what said how far topics were trimmed: what was trimmed may be there again. Where its file is
  // gone, a reader must be told something, and damage is right.
  void forgets_trimming();
  // The test has damaged what said which topic this is: its events stand under an id that has no name any more.
  void forgets_topic(TopicId);
  const storage::Identity& identity() const { return identity_; }

 private:
  struct Place {
    ContentNumber content;
    std::uint64_t asked_ns;  // as in Content
    std::int64_t offset = -1;
    std::int64_t timestamp_ms = 0;
    bool is_nameless = false;  // its topic's name has another id now
  };
  struct Topic {
    storage::Retention retention;  // the shortest that it ever had
    std::optional<TopicId> id;
    Sequence declared_after = 0;  // what somebody had seen before it had its id
    Sequence trimmed = 0;         // complete_after, at least
    Sequence judged_trimmed = 0;  // up to here it was right to trim
    Sequence maybe_trimmed = 0;   // up to here it was right to trim when the lane forgot what it had trimmed
  };
  enum class Fate : std::uint8_t { Open, Durable, Refused };
  struct Request {
    std::size_t loop;
    std::vector<ContentNumber> events;
    bool has_ids;
    Fate fate = Fate::Open;
  };
  struct Found {
    Sequence sequence;
    TopicId topic;
    ContentNumber content;
    std::int64_t offset;
    std::int64_t timestamp_ms;
  };
  struct Run {
    Sequence first;
    Sequence previous_end;
    // Before its first event, and behind the last one before it.
    bool is_behind(Sequence position) const { return previous_end < position && position + 1 < first; }
  };

  std::int64_t wall_offset_ns() const;
  std::uint64_t age_ns() const;
  bool allows(Trouble trouble) const { return troubles_.contains(trouble); }
  std::vector<Found> decode(const storage::Block&);
  void observe(const Found&);
  void add_place(Sequence, Place);
  void judge_stored_twice(Sequence, const Place&);
  void judge_count(ContentNumber);
  void forget_trimming();
  template <class Predicate>
  void forget_places(Predicate is_forgotten);
  bool is_lost(Sequence) const;
  bool is_trimmed(Sequence, const Place&) const;
  bool must_be_known(Sequence, const Place&) const;

  void durable(Request&, const storage::AppendReply&);
  void durable_item(const Request&, std::size_t index, const storage::AppendReply::Item&);
  void judge_conflict(const Request&, const storage::AppendReply&);
  void refuse(Request&);
  bool is_large(const Request&) const;

  void judge_read(const Question&, const storage::ReadReply&, Sequence durable);
  void judge_coverage(const Question&, const storage::ReadReply&, const std::vector<Found>&);
  void judge_dense(const Question&, const std::vector<Found>&);
  void judge_ahead(const Question&, Sequence durable);
  void judge_damaged(const Question&, const storage::ReadReply&);
  void learn_trimmed(const Question&, Sequence complete_after);
  bool is_between(Sequence position) const;

  bool knows_everything() const { return !has_unseen_ && is_settled_; }
  bool is_wanted(const Place&, const std::vector<TopicId>&, const std::vector<std::uint64_t>& addresses) const;
  void judge_last(const storage::LocateRequest&, const storage::LastEvents&, const storage::LocateReply&);
  void judge_time(const storage::LocateRequest&, std::int64_t wall_ms, const storage::LocateReply&);
  void judge_reached(Sequence first, Sequence last_before, std::int64_t wall_ms, const storage::LocateReply&);

  // And the lane must know it; who is asked by readers of these topics.
  bool is_between_runs(Sequence position, const std::vector<TopicId>&) const;

  void begin_run(Sequence first);
  void judge_requests();
  std::optional<Sequence> judge_whole(const Request&);
  std::uint64_t record_bytes(ContentNumber) const;  // at the most
  std::uint64_t forgotten_bytes(const std::string& topic, Sequence first) const;
  bool may_be_trimmed(const Place&, const storage::Retention&, std::uint64_t bytes) const;
  Sequence last_trimmable(const std::string& name, const Topic&) const;
  void judge_trimming(const std::string& name, Topic&);

  io::Clock* clock_;
  storage::Limits limits_;
  std::string wrong_;
  std::set<Trouble> troubles_;
  bool may_have_gaps_ = false;  // some request may have been refused, and nobody was told
  LaneAge age_;
  bool is_alive_ = false;
  std::uint64_t stepped_ns_ = 0;  // when the wall clock was stepped last
  std::map<std::string, Topic> topics_;
  std::map<TopicId, std::string> names_;
  std::vector<Content> contents_;
  std::map<std::uint64_t, std::vector<ContentNumber>> by_id_;
  std::vector<Request> requests_;
  std::size_t unjudged_requests_ = 0;
  std::map<Sequence, Place> places_;
  std::map<Sequence, Place> forgotten_;
  std::vector<std::pair<Sequence, Sequence>> lost_;
  storage::Identity identity_ = {};
  std::set<std::uint64_t> epochs_;
  std::size_t life_ = 0;
  bool is_settled_ = false;
  bool has_forgotten_ = false;
  bool has_unseen_ = false;  // something was committed that no follower was shown
  Sequence highest_seen_ = 0;
  Sequence base_ = 0;                     // the last place of all lives before those that are not settled
  bool base_lost_ = false;                // and the lane may not know of it
  std::map<std::size_t, Sequence> told_;  // in this life, by loop
  std::map<TopicId, std::int64_t> next_offset_;
  std::vector<Run> runs_;
};

}  // namespace lane_sim
