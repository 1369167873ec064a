// SPDX-License-Identifier: Apache-2.0
// What the judge says of reads.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tests/sim/lane_model.h"

namespace lane_sim {

using storage::ReadReply;
using storage::ReadStatus;

Question LaneModel::asks(storage::ReadRequest request, Sequence durable) const {
  Sequence trimmed = 0;
  for (const TopicId topic : request.topics) {
    const auto name = names_.find(topic);
    if (name != names_.end()) trimmed = std::max(trimmed, topics_.at(name->second).trimmed);
  }
  return {std::move(request), durable, trimmed};
}

void LaneModel::answered(const Question& question, const ReadReply& reply, Sequence durable) {
  const std::optional<Sequence> after = question.request.after;
  if (reply.status == ReadStatus::Stopped) {
    if (!allows(Trouble::Stopping)) blame("a reader was told that the lane stopped, without a cause");
    return;
  }
  if (reply.status != ReadStatus::Ahead) learn_trimmed(question, reply.complete_after);
  // A position between two runs is Ahead, whatever was trimmed behind it.
  const bool is_nowhere = reply.status == ReadStatus::Ahead && after && is_between(*after);
  if (after && *after < question.trimmed && reply.status != ReadStatus::Trimmed && !is_nowhere)
    return blame(fmt::format("a read after {} is answered in way {}, but complete is what is after {}", *after,
                             static_cast<int>(reply.status), question.trimmed));
  switch (reply.status) {
    case ReadStatus::Read: return judge_read(question, reply, durable);
    case ReadStatus::Ahead: return judge_ahead(question, durable);
    case ReadStatus::Damaged: return judge_damaged(question, reply);
    case ReadStatus::Trimmed:
      if (!after || *after >= reply.complete_after)
        blame(fmt::format("a read after {} says Trimmed, but all after {} is complete", after.value_or(0),
                          reply.complete_after));
      return;
    case ReadStatus::Stopped: return;
  }
}

void LaneModel::judge_read(const Question& question, const ReadReply& reply, Sequence durable) {
  const Sequence from = question.request.after.value_or(reply.complete_after);
  if (reply.after != from) blame(fmt::format("a read after {} began after {}", from, reply.after));
  if (question.request.after && is_between_runs(from, question.request.topics))
    blame(fmt::format("a read after {} is answered, but that is between two runs", from));
  if (reply.covered < from || reply.covered > std::max(durable, from))
    blame(fmt::format("a read after {} covers up to {}, and {} is durable", from, reply.covered, durable));
  if (from > durable && question.request.after) blame(fmt::format("a read after {} is answered, beyond the end", from));
  if (reply.covered == from && from < question.durable)
    blame(fmt::format("a read after {} gets nowhere, and {} is durable", from, question.durable));
  std::vector<Found> all;
  for (const storage::BlockPtr& block : reply.blocks) {
    for (const Found& found : decode(*block)) {
      if (!all.empty() && found.sequence <= all.back().sequence)
        blame(fmt::format("a reader got {} after {}", found.sequence, all.back().sequence));
      if (found.sequence > durable) blame(fmt::format("a reader got {}, and {} is durable", found.sequence, durable));
      observe(found);
      all.push_back(found);
    }
  }
  judge_coverage(question, reply, all);
  judge_dense(question, all);
}

// Everything that is known to stand there must have come.
void LaneModel::judge_coverage(const Question& question, const ReadReply& reply, const std::vector<Found>& all) {
  const Sequence from = question.request.after.value_or(reply.complete_after);
  auto found = all.begin();
  for (auto place = places_.upper_bound(from); place != places_.end() && place->first <= reply.covered; ++place) {
    if (!is_wanted(place->second, question.request.topics, question.request.addresses)) continue;
    while (found != all.end() && found->sequence < place->first) ++found;
    if (found != all.end() && found->sequence == place->first) continue;
    if (is_trimmed(place->first, place->second)) continue;  // meanwhile
    blame(fmt::format("{} (event {}) is missing in a read of ({}, {}]{}", place->first, place->second.content, from,
                      reply.covered, is_lost(place->first) ? ", which is damaged and must be said" : ""));
  }
}

bool LaneModel::is_wanted(const Place& place, const std::vector<TopicId>& topics,
                          const std::vector<std::uint64_t>& addresses) const {
  const Content& content = contents_[place.content];
  const std::optional<TopicId> topic = id_of(content.topic);
  return topic && !place.is_nameless && std::ranges::binary_search(topics, *topic) &&
         (addresses.empty() || std::ranges::binary_search(addresses, content.address));
}

// The offsets of a topic have no holes.
void LaneModel::judge_dense(const Question& question, const std::vector<Found>& all) {
  if (!question.request.addresses.empty()) return;
  const Sequence from = question.request.after.value_or(0);
  std::map<TopicId, std::int64_t> next;
  for (const Found& found : all) {
    if (found.sequence <= from || !std::ranges::binary_search(question.request.topics, found.topic)) continue;
    const auto [at, is_first] = next.try_emplace(found.topic, found.offset);
    if (found.offset != at->second && lost_.empty())
      blame(fmt::format("{} has offset {}, not {}", found.sequence, found.offset, at->second));
    at->second = found.offset + 1;
  }
}

void LaneModel::judge_ahead(const Question& question, Sequence) {
  const Sequence after = question.request.after.value_or(0);
  const bool is_known = after == 0 || (places_.contains(after) && !is_lost(after));
  if (is_known && after <= question.durable)
    blame(fmt::format("a read after {} says Ahead, and {} is durable", after, question.durable));
}

void LaneModel::judge_damaged(const Question& question, const ReadReply& reply) {
  const Sequence from = question.request.after.value_or(reply.complete_after);
  if (reply.damaged_last <= from) blame(fmt::format("damage behind {} ends at {}", from, reply.damaged_last));
  if (allows(Trouble::Reading)) return;  // what cannot be read now looks the same
  judge_coverage(question, reply, {});
  const Sequence begin = std::max(from, reply.covered);
  for (auto place = places_.upper_bound(begin); place != places_.end() && place->first <= reply.damaged_last; ++place) {
    if (!is_wanted(place->second, question.request.topics, {})) continue;
    if (is_lost(place->first) || is_trimmed(place->first, place->second)) continue;
    if (place->first <= topics_.at(contents_[place->second.content].topic).maybe_trimmed) {
      lost_.emplace_back(place->first, place->first);  // its file went when it was trimmed, and that was forgotten
      continue;
    }
    blame(fmt::format("{} is said to be damaged, in ({}, {}]", place->first, from, reply.damaged_last));
  }
  if (lost_.empty() && !has_forgotten_) blame(fmt::format("({}, {}] is said to be damaged", from, reply.damaged_last));
}

void LaneModel::learn_trimmed(const Question& question, Sequence complete_after) {
  if (complete_after < question.trimmed)
    blame(fmt::format("complete_after was {} and is {}", question.trimmed, complete_after));
  if (question.request.topics.size() != 1) return;
  const auto name = names_.find(question.request.topics.front());
  if (name == names_.end()) return;
  Sequence& trimmed = topics_.at(name->second).trimmed;
  trimmed = std::max(trimmed, complete_after);
}

std::vector<Sequence> LaneModel::positions() const {
  std::vector<Sequence> all;
  for (const auto& [sequence, place] : places_) all.push_back(sequence);
  return all;
}

// Behind the end of one run and before the next, if that still holds something: else the lane may have forgotten it.
// It may also when every topic was trimmed behind there, and only a reader of one that came later can notice that.
bool LaneModel::is_between_runs(Sequence position, const std::vector<TopicId>& topics) const {
  const auto run = std::ranges::find_if(runs_, [&](const Run& each) { return each.is_behind(position); });
  if (run == runs_.end()) return false;
  const bool was_there = std::ranges::any_of(topics, [&](TopicId id) {
    const auto name = names_.find(id);
    return name != names_.end() && topics_.at(name->second).declared_after < run->first;
  });
  const auto end = run + 1 == runs_.end() ? places_.end() : places_.lower_bound((run + 1)->first);
  return was_there && std::any_of(places_.lower_bound(run->first), end, [&](const auto& place) {
           return !is_trimmed(place.first, place.second) && !is_lost(place.first);
         });
}

bool LaneModel::is_between(Sequence position) const {
  return std::ranges::any_of(runs_, [&](const Run& run) { return run.is_behind(position); });
}

std::optional<Sequence> LaneModel::between_runs() const {
  std::vector<TopicId> all;
  for (const auto& [id, name] : names_) all.push_back(id);
  for (const Run& run : runs_) {
    const Sequence middle = run.previous_end + (run.first - run.previous_end) / 2;
    if (is_between_runs(middle, all)) return middle;
  }
  return std::nullopt;
}

}  // namespace lane_sim
