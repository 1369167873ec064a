// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/lane_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/siphash.h"
#include "codec/record_batch.h"

namespace lane_sim {

using storage::AppendReply;
using storage::AppendStatus;
using storage::Commit;

namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr Sequence kGuessMax = 1 << 20;
constexpr std::uint64_t kNsPerS = 1'000'000'000;
constexpr std::uint64_t kMessageNs = 1'000'000'000;  // no message is on its way for longer

// The number in front of the colon.
std::optional<ContentNumber> content_number(base::Bytes value) {
  ContentNumber number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc{} || end == value.data() + value.size() || *end != ':') return std::nullopt;
  return number;
}

}  // namespace

LaneModel::LaneModel(io::Clock& clock, const storage::Limits& limits) : clock_(&clock), limits_(limits) {
  age_.committed(clock.monotonic_ns(), wall_offset_ns());
}

void LaneModel::blame(std::string sentence) {
  if (wrong_.empty()) wrong_ = fmt::format("life {}: {}", life_, sentence);
}

void LaneModel::allow(Trouble trouble) {
  troubles_.insert(trouble);
  may_have_gaps_ = may_have_gaps_ || trouble != Trouble::Reading;
}

std::int64_t LaneModel::wall_offset_ns() const {
  return clock_->wall_ms() * kNsPerMs - static_cast<std::int64_t>(clock_->monotonic_ns());
}

std::uint64_t LaneModel::age_ns() const { return age_.most_ns(clock_->monotonic_ns()); }

// --- topics

void LaneModel::declares(const storage::TopicDeclaration& declaration) {
  const auto [at, is_new] = topics_.try_emplace(declaration.identity);
  storage::Retention& shortest = at->second.retention;
  if (is_new) shortest = declaration.retention;
  shortest.age_ns = std::min(shortest.age_ns, declaration.retention.age_ns);
  shortest.bytes = std::min(shortest.bytes, declaration.retention.bytes);
}

void LaneModel::declared(const std::vector<storage::TopicDeclaration>& declarations, const std::vector<TopicId>& ids) {
  if (ids.size() != declarations.size()) {
    if (!allows(Trouble::Sync) && !allows(Trouble::Space) && !allows(Trouble::Stopping))
      blame("a declaration was not answered with ids");
    return;
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::string& name = declarations[i].identity;
    Topic& topic = topics_.at(name);
    if (topic.id && *topic.id != ids[i]) blame(fmt::format("topic {} was {} and is {}", name, *topic.id, ids[i]));
    const auto [named, is_new] = names_.try_emplace(ids[i], name);
    if (named->second != name) blame(fmt::format("topic id {} names {} and {}", ids[i], named->second, name));
    if (!topic.id) topic.declared_after = highest_seen_;
    topic.id = ids[i];
  }
}

std::optional<TopicId> LaneModel::id_of(const std::string& topic) const {
  const auto found = topics_.find(topic);
  return found == topics_.end() ? std::nullopt : found->second.id;
}

std::vector<std::string> LaneModel::topics() const {
  std::vector<std::string> names;
  for (const auto& [name, topic] : topics_) names.push_back(name);
  return names;
}

// --- what is known

bool LaneModel::is_lost(Sequence sequence) const {
  return std::ranges::any_of(lost_,
                             [&](const auto& range) { return range.first <= sequence && sequence <= range.second; });
}

bool LaneModel::is_trimmed(Sequence sequence, const Place& place) const {
  return sequence <= topics_.at(contents_[place.content].topic).trimmed;
}

// Within what is guaranteed of the window, a repeat of this event must be recognised.
bool LaneModel::must_be_known(Sequence sequence, const Place& place) const {
  return !is_lost(sequence) && age_ns() - place.asked_ns < limits_.repeat_guaranteed_ns;
}

std::vector<LaneModel::Found> LaneModel::decode(const storage::Block& block) {
  std::vector<Found> found;
  Sequence previous = 0;
  for (const storage::Entry& entry : block.entries) {
    const auto batch = codec::BatchView::parse(entry.batch, codec::BatchCrc::Check);
    if (!batch || static_cast<std::uint32_t>(batch->count()) != entry.records || entry.first_sequence <= previous) {
      blame(fmt::format("an entry at {} is no batch, or not in order", entry.first_sequence));
      continue;
    }
    codec::RecordReader records = batch->records();
    for (Sequence sequence = entry.first_sequence; sequence <= entry.last_sequence(); ++sequence) {
      const auto record = records.next();
      const auto number = record && record->value ? content_number(*record->value) : std::nullopt;
      if (!number || *number >= contents_.size() || contents_[*number].value != *record->value) {
        blame(fmt::format("{} is an event that nobody has published", sequence));
        continue;
      }
      found.push_back({sequence, entry.topic, *number, record->offset, record->timestamp_ms});
    }
    previous = entry.last_sequence();
  }
  return found;
}

void LaneModel::observe(const Found& found) {
  const Content& content = contents_[found.content];
  const auto named = names_.find(found.topic);
  if (named != names_.end() && named->second != content.topic)
    blame(fmt::format("{} is an event of {} in {}", found.sequence, content.topic, named->second));
  const auto place = places_.find(found.sequence);
  if (place == places_.end()) {
    // What was trimmed before anybody saw it may still lie in a file.
    if (found.sequence <= topics_.at(content.topic).trimmed) return;
    return add_place(found.sequence, {found.content, content.asked_ns, found.offset, found.timestamp_ms});
  }
  Place& known = place->second;
  if (known.content != found.content)
    return blame(fmt::format("{} was event {} and is {}", found.sequence, known.content, found.content));
  if (known.offset < 0) std::tie(known.offset, known.timestamp_ms) = std::pair(found.offset, found.timestamp_ms);
  if (known.offset != found.offset || known.timestamp_ms != found.timestamp_ms)
    blame(fmt::format("{} had offset {} at {} ms, and has {} at {} ms", found.sequence, known.offset,
                      known.timestamp_ms, found.offset, found.timestamp_ms));
}

void LaneModel::add_place(Sequence sequence, Place place) {
  const auto forgotten = forgotten_.find(sequence);
  const bool comes_back = forgotten != forgotten_.end() && forgotten->second.content == place.content;
  if (comes_back) {
    ++contents_[place.content].stored;
    place.asked_ns = forgotten->second.asked_ns;  // it may have been asked for again since then
  }
  if (sequence <= base_ && !comes_back)
    return blame(fmt::format("{} came up at {}, before what was there already", place.content, sequence));
  judge_stored_twice(sequence, place);
  highest_seen_ = std::max(highest_seen_, sequence);
  places_.emplace(sequence, place);
  contents_[place.content].places.push_back(sequence);
  judge_count(place.content);
}

void LaneModel::judge_stored_twice(Sequence sequence, const Place& place) {
  const Content& content = contents_[place.content];
  // judge_count() sees those without an id; of those that were forgotten nobody knows when they were stored.
  if (!content.id || content.is_forgotten) return;
  for (const ContentNumber other : by_id_.at(*content.id)) {
    for (const Sequence at : contents_[other].places) {
      if (at == sequence || !must_be_known(at, places_.at(at))) continue;
      return blame(fmt::format("id {} was stored at {} (event {}) and again at {} (event {})", *content.id, at, other,
                               sequence, place.content));
    }
  }
}

void LaneModel::judge_count(ContentNumber number) {
  const Content& content = contents_[number];
  if (content.places.size() <= static_cast<std::size_t>(content.stored + content.open)) return;
  blame(fmt::format("event {} stands at {} places, but {} attempts stored it and {} may have", number,
                    content.places.size(), content.stored, content.open));
}

// --- publishers

std::uint64_t LaneModel::address(const std::string& topic, std::uint64_t n) {
  return base::siphash128({}, topic + '/' + std::to_string(n % kAddresses)).lo;
}

ContentNumber LaneModel::invent(const std::string& topic, std::size_t bytes, std::optional<std::uint64_t> id) {
  const ContentNumber number = contents_.size();
  std::string value = std::to_string(number) + ':';
  while (value.size() < bytes) value += static_cast<char>('a' + (value.size() + number) % 26);
  contents_.push_back({.topic = topic, .value = std::move(value), .address = address(topic, number), .id = id});
  if (id) by_id_[*id].push_back(number);
  return number;
}

RequestNumber LaneModel::asked(std::size_t loop, std::vector<ContentNumber> events) {
  bool has_ids = false;
  for (const ContentNumber event : events) {
    Content& content = contents_[event];
    if (content.open++ == 0) content.asked_ns = age_ns();
    has_ids = has_ids || content.id;
  }
  requests_.push_back({loop, std::move(events), has_ids});
  return requests_.size() - 1;
}

void LaneModel::answered(RequestNumber number, const AppendReply& reply) {
  Request& request = requests_[number];
  const bool stops = allows(Trouble::Sync);
  switch (reply.status) {
    case AppendStatus::Durable: return durable(request, reply);
    case AppendStatus::Conflict: judge_conflict(request, reply); break;
    case AppendStatus::OutcomeUnknown:
      if (!stops) blame("an outcome is unknown without a cause");
      return;
    case AppendStatus::Stopped:
      if (!stops && !allows(Trouble::Stopping)) blame("the lane stopped without a cause");
      break;
    case AppendStatus::NoSpace:
      if (!allows(Trouble::Space)) blame("there was no space without a cause");
      break;
    case AppendStatus::RepeatsFull:
      if (!allows(Trouble::Repeats)) blame("the table of repeats was full without a cause");
      break;
    case AppendStatus::QueueFull:
    case AppendStatus::TooLarge:
      if (!is_large(request)) blame("a small request was refused for its size");
      break;
  }
  refuse(request);
}

bool LaneModel::is_large(const Request& request) const {
  std::size_t bytes = 0;
  for (const ContentNumber event : request.events)
    bytes += contents_[event].value.size() + 2 * sizeof(storage::NewEvent);
  return bytes > limits_.request_bytes_max / 2;
}

void LaneModel::refuse(Request& request) {
  request.fate = Fate::Refused;
  for (const ContentNumber event : request.events) {
    --contents_[event].open;
    contents_[event].refused_in_life = life_;
  }
  for (const ContentNumber event : request.events) judge_count(event);
}

void LaneModel::durable(Request& request, const AppendReply& reply) {
  if (reply.items.size() != request.events.size()) return blame("an answer has not as many items as the request");
  request.fate = Fate::Durable;
  Sequence previous = 0;
  for (std::size_t i = 0; i < reply.items.size(); ++i) {
    const auto [sequence, duplicate] = reply.items[i];
    if (sequence > told_[request.loop] && sequence > base_)
      blame(fmt::format("{} was acknowledged before its loop was told of it", sequence));
    if (!duplicate && sequence <= previous) blame(fmt::format("{} was given after {}", sequence, previous));
    if (!duplicate) previous = sequence;
    durable_item(request, i, reply.items[i]);
  }
  for (const ContentNumber event : request.events) judge_count(event);
}

void LaneModel::durable_item(const Request& request, std::size_t index, const AppendReply::Item& item) {
  const ContentNumber number = request.events[index];
  Content& content = contents_[number];
  --content.open;
  const auto place = places_.find(item.sequence);
  const bool is_here = place != places_.end() && place->second.content == number;
  if (!item.duplicate) {
    ++content.stored;
    if (place == places_.end()) return add_place(item.sequence, {number, content.asked_ns});
    if (!is_here)
      blame(fmt::format("{} is event {}, and was given to {}", item.sequence, place->second.content, number));
    return judge_stored_twice(item.sequence, place->second);
  }
  if (!content.id) return blame(fmt::format("event {} without an id is called a repeat", number));
  // The first one's answer, and the block that holds it, may be on their way to another loop.
  if (place == places_.end() && content.open > 0) return add_place(item.sequence, {number, content.asked_ns});
  // What was stored and trimmed before anybody saw it is still known to the lane.
  const bool was_unseen = place == places_.end() && item.sequence <= topics_.at(content.topic).trimmed;
  // It may be there, under a topic whose name was lost with it.
  const auto forgotten = forgotten_.find(item.sequence);
  const bool was_forgotten =
      place == places_.end() && forgotten != forgotten_.end() && forgotten->second.content == number;
  if (!is_here && !was_unseen && !was_forgotten)
    blame(fmt::format("event {} is called a repeat of {}, where {} stands", number, item.sequence,
                      place == places_.end() ? "nothing" : std::to_string(place->second.content)));
}

void LaneModel::judge_conflict(const Request& request, const AppendReply& reply) {
  if (reply.conflicts.empty()) return blame("a conflict without an event");
  for (const std::size_t index : reply.conflicts) {
    if (index >= request.events.size()) return blame("a conflict at an index beyond the request");
    const ContentNumber number = request.events[index];
    if (!contents_[number].id) return blame(fmt::format("event {} has no id and a conflict", number));
    const bool is_plausible = std::ranges::any_of(by_id_.at(*contents_[number].id), [&](ContentNumber other) {
      const Content& content = contents_[other];
      // A place that was made unprovable may be known to the lane.
      const bool was_stored = !content.places.empty() || content.is_forgotten;
      return other != number && (content.open > 0 || was_stored || content.refused_in_life == life_);
    });
    if (!is_plausible) blame(fmt::format("event {} is in conflict with nothing", number));
  }
}

// --- followers

// Where something was damaged or not looked at, the lane may know of a later end than anybody else.
void LaneModel::begin_run(Sequence first) {
  const bool is_exact = is_settled_ && lost_.empty() && !has_forgotten_;
  if (highest_seen_ < first) runs_.push_back({first, highest_seen_ + (is_exact ? 0 : kGuessMax)});
}

void LaneModel::told(std::size_t loop, const Commit& commit, Sequence durable) {
  Sequence& told = told_[loop];
  if (commit.first > commit.last || commit.last > durable)
    blame(fmt::format("a follower was told of {} to {}, and {} is durable", commit.first, commit.last, durable));
  if (told != 0 && commit.first != told + 1)
    blame(fmt::format("a follower was told of {} after {}", commit.first, told));
  if (told == 0 && base_ != 0 && commit.first < base_ + (base_lost_ ? 1 : limits_.run_gap))
    blame(fmt::format("a run begins at {}, and {} was there before", commit.first, base_));
  if (told == 0 && (runs_.empty() || commit.first > runs_.back().first)) begin_run(commit.first);
  told = commit.last;
  // The wall clock may have been stepped while the message was on its way.
  if (clock_->monotonic_ns() - stepped_ns_ > kMessageNs) age_.committed(clock_->monotonic_ns(), wall_offset_ns());
  if (!commit.block) {
    has_unseen_ = true;
    return next_offset_.clear();
  }
  if (commit.block->first() != commit.first || commit.block->last() != commit.last)
    blame(fmt::format("the block of {} to {} has other events", commit.first, commit.last));
  const std::vector<Found> found = decode(*commit.block);
  if (found.size() != commit.last - commit.first + 1)
    blame(fmt::format("{} to {} has holes", commit.first, commit.last));
  for (const Found& event : found) {
    const auto [next, is_first] = next_offset_.try_emplace(event.topic, event.offset);
    if (event.offset != next->second && !places_.contains(event.sequence))
      blame(fmt::format("{} has offset {}, not {}", event.sequence, event.offset, next->second));
    next->second = std::max(next->second, event.offset + 1);
    observe(event);
  }
}

// --- lives

void LaneModel::opened(const storage::Identity& identity, Sequence durable, Epoch epoch) {
  ++life_;
  is_alive_ = true;
  is_settled_ = false;
  troubles_.clear();
  told_.clear();
  next_offset_.clear();
  age_.started(clock_->monotonic_ns(), wall_offset_ns());
  const bool is_first = life_ == 1;
  if (!is_first && epoch == Epoch::Same && identity.epoch != identity_.epoch) blame("the epoch changed");
  if (!is_first && epoch == Epoch::Same && identity.deduplication_key != identity_.deduplication_key)
    blame("the deduplication key changed");
  if (epoch == Epoch::New && epochs_.contains(identity.epoch)) blame("the epoch is one that was there before");
  if (epoch == Epoch::New) {
    runs_.clear();
    forget_places([&](Sequence sequence, const Place& place) {
      // That there was something which it has trimmed.
      return sequence > durable && sequence <= topics_.at(contents_[place.content].topic).maybe_trimmed;
    });
    if (base_lost_) forget_trimming();
  }
  if (identity.deduplication_key != identity_.deduplication_key) {
    for (Content& content : contents_) content.id.reset();
    by_id_.clear();
  }
  identity_ = identity;
  epochs_.insert(identity.epoch);
  const auto last =
      std::ranges::find_if(places_.rbegin(), places_.rend(), [&](const auto& place) { return !is_lost(place.first); });
  if (last != places_.rend() && durable < last->first)
    blame(fmt::format("{} is the end, and {} was there before", durable, last->first));
}

void LaneModel::damages(Sequence first, Sequence last) {
  lost_.emplace_back(first, last);
  base_lost_ = is_lost(base_);
}

void LaneModel::forgets(Sequence first, Sequence last) {
  has_forgotten_ = true;
  for (auto& [name, topic] : topics_) topic.maybe_trimmed = std::max(topic.maybe_trimmed, last_trimmable(name, topic));
  forget_places([&](Sequence sequence, const Place&) { return sequence >= first && sequence <= last; });
  base_lost_ = base_lost_ || base_ <= last;
}

template <class Predicate>
void LaneModel::forget_places(Predicate is_forgotten) {
  std::erase_if(places_, [&](const auto& place) {
    if (!is_forgotten(place.first, place.second)) return false;
    Content& content = contents_[place.second.content];
    content.is_forgotten = true;
    forgotten_.insert_or_assign(place.first, place.second);
    std::erase(content.places, place.first);
    return true;
  });
}

void LaneModel::forgets_trimming() {
  has_forgotten_ = true;
  for (auto& [name, topic] : topics_) {
    topic.maybe_trimmed = std::max({topic.maybe_trimmed, topic.trimmed, last_trimmable(name, topic)});
    topic.trimmed = topic.judged_trimmed = 0;
  }
}

void LaneModel::forgets_topic(TopicId id) {
  const auto named = names_.find(id);
  if (named == names_.end()) return;
  Topic& topic = topics_.at(named->second);
  for (auto& [sequence, place] : places_) {
    if (contents_[place.content].topic == named->second) place.is_nameless = true;
  }
  topic.id.reset();
  topic.trimmed = topic.judged_trimmed = 0;
  names_.erase(named);
}

// A new history, which goes on where the lane was at some time before.
void LaneModel::forget_trimming() {
  base_ = 0;
  names_.clear();
  for (auto& [name, topic] : topics_) {
    topic.id.reset();
    topic.trimmed = topic.judged_trimmed = 0;
  }
}

void LaneModel::stepped_wall_clock() {
  stepped_ns_ = clock_->monotonic_ns();
  if (is_alive_) age_.saw_wall(clock_->monotonic_ns(), wall_offset_ns());
}

void LaneModel::ended() {
  if (!is_alive_) age_.saw_wall(clock_->monotonic_ns(), wall_offset_ns());  // the start may have committed something
  is_alive_ = false;
}

void LaneModel::settled() {
  judge_requests();
  for (Content& content : contents_) {
    content.open = 0;
    content.stored = static_cast<int>(content.places.size());
  }
  for (auto& [name, topic] : topics_) judge_trimming(name, topic);
  if (!places_.empty() && places_.rbegin()->first > base_) {
    base_ = places_.rbegin()->first;
    base_lost_ = is_lost(base_);
  }
  unjudged_requests_ = requests_.size();
  may_have_gaps_ = false;
  is_settled_ = true;
  has_unseen_ = false;
}

// Of each loop's requests a later one is stored behind an earlier one, and not without it.
void LaneModel::judge_requests() {
  std::map<std::size_t, Sequence> last_of_loop;
  std::map<std::size_t, RequestNumber> missing_of_loop;
  for (RequestNumber n = unjudged_requests_; n < requests_.size(); ++n) {
    const Request& request = requests_[n];
    if (request.has_ids || request.fate == Fate::Refused) continue;
    const std::optional<Sequence> first = judge_whole(request);
    if (!first) {
      missing_of_loop.emplace(request.loop, n);
      continue;
    }
    Sequence& last = last_of_loop[request.loop];
    if (*first == 0) continue;  // trimmed
    if (*first <= last) blame(fmt::format("request {} stands at {}, before one that was made earlier", n, *first));
    last = contents_[request.events.back()].places.back();
    const auto missing = missing_of_loop.find(request.loop);
    // A refusal that nobody was told of leaves a gap too.
    if (missing != missing_of_loop.end() && !may_have_gaps_ && lost_.empty())
      blame(fmt::format("request {} is there, but {}, which was made earlier, is not", n, missing->second));
  }
}

// The sequence of its first event; none: nothing of it is there. 0: some of it may have been trimmed or damaged.
std::optional<Sequence> LaneModel::judge_whole(const Request& request) {
  std::vector<Sequence> places;
  bool may_be_trimmed = !lost_.empty();
  for (const ContentNumber event : request.events) {
    const Content& content = contents_[event];
    if (!content.places.empty()) places.push_back(content.places.front());
    may_be_trimmed = may_be_trimmed || content.is_forgotten || topics_.at(content.topic).trimmed > base_;
  }
  if (!std::ranges::is_sorted(places)) blame("a request is not in its order");
  if (places.size() == request.events.size()) return places.front();
  if (may_be_trimmed) return 0;
  if (places.empty() && request.fate != Fate::Durable) return std::nullopt;
  blame(fmt::format("{} of {} events of a request are there", places.size(), request.events.size()));
  return 0;
}

std::uint64_t LaneModel::record_bytes(ContentNumber number) const {
  constexpr std::size_t kRecordOverhead = 160;  // of a record in a batch of its own, at the most
  return contents_[number].value.size() + kRecordOverhead;
}

// What was forgotten stood there when the lane decided what to trim.
std::uint64_t LaneModel::forgotten_bytes(const std::string& name, Sequence first) const {
  std::uint64_t bytes = 0;
  for (auto each = forgotten_.lower_bound(first); each != forgotten_.end(); ++each) {
    const ContentNumber number = each->second.content;
    if (contents_[number].topic == name && !places_.contains(each->first)) bytes += record_bytes(number);
  }
  return bytes;
}

// `bytes`: at and behind it.
bool LaneModel::may_be_trimmed(const Place& place, const storage::Retention& retention, std::uint64_t bytes) const {
  const std::uint64_t age = age_ns() - place.asked_ns;
  const bool may_go_for_space = limits_.bytes_max > 0 && age >= limits_.protect_age_ns;
  return age >= retention.age_ns || may_go_for_space || bytes > retention.bytes;
}

Sequence LaneModel::last_trimmable(const std::string& name, const Topic& topic) const {
  std::uint64_t bytes = 0;
  for (auto place = places_.rbegin(); place != places_.rend(); ++place) {
    if (contents_[place->second.content].topic != name) continue;
    bytes += record_bytes(place->second.content);
    if (may_be_trimmed(place->second, topic.retention, bytes + forgotten_bytes(name, place->first)))
      return place->first;
  }
  return 0;
}

// Everything trimmed was too old, or too much stood behind it.
void LaneModel::judge_trimming(const std::string& name, Topic& topic) {
  std::uint64_t bytes = 0;
  for (auto place = places_.rbegin(); place != places_.rend() && place->first > topic.judged_trimmed; ++place) {
    if (contents_[place->second.content].topic != name) continue;
    bytes += record_bytes(place->second.content);
    if (place->first > topic.trimmed || place->second.is_nameless) continue;
    const std::uint64_t behind = bytes + forgotten_bytes(name, place->first);
    if (may_be_trimmed(place->second, topic.retention, behind)) continue;
    blame(fmt::format("{} of {} was trimmed too early: {} s old, {} bytes at and behind it; {} s and {} bytes are kept",
                      place->first, name, (age_ns() - place->second.asked_ns) / kNsPerS, behind,
                      topic.retention.age_ns / kNsPerS, topic.retention.bytes));
    break;
  }
  topic.judged_trimmed = topic.trimmed;
}

}  // namespace lane_sim
