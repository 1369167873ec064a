// SPDX-License-Identifier: Apache-2.0
// What the judge says of lookups. It needs to know every event, so it is silent where not all were seen. What the test
// has damaged may count or not, as it can be read or not.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <variant>

#include "tests/sim/lane_model.h"

namespace lane_sim {

using storage::LastEvents;
using storage::LocateReply;
using storage::LocateRequest;
using storage::LookupStatus;
using storage::NewestReply;
using storage::NewestRequest;

void LaneModel::answered(const LocateRequest& request, const LocateReply& reply) {
  const bool is_answer = reply.status == LookupStatus::Complete || reply.status == LookupStatus::Partial;
  if (!is_answer || !knows_everything()) return;
  if (const auto* last = std::get_if<LastEvents>(&request.what)) return judge_last(request, *last, reply);
  judge_time(request, std::get<storage::AtTime>(request.what).wall_ms, reply);
}

// As many as there are, and they lie behind the position.
void LaneModel::judge_last(const LocateRequest& request, const LastEvents& last, const LocateReply& reply) {
  std::size_t behind = 0, damaged_behind = 0, all = 0;
  for (auto place = places_.upper_bound(reply.complete_after); place != places_.end() && place->first <= reply.end;
       ++place) {
    if (!is_wanted(place->second, request.topics, request.addresses)) continue;
    const bool is_behind = place->first > reply.position;
    if (is_lost(place->first)) {
      damaged_behind += is_behind ? 1 : 0;
      continue;
    }
    ++all;
    behind += is_behind ? 1 : 0;
  }
  // What was trimmed while it looked may have been counted; then it begins where all is complete.
  const bool is_cut = reply.position <= reply.complete_after;
  if (reply.events < behind || (reply.events > behind + damaged_behind && !is_cut))
    blame(fmt::format("the last {} are said to be {}, but {} stand behind {}", last.events, reply.events, behind,
                      reply.position));
  if (reply.status == LookupStatus::Complete && reply.events < std::min(all, last.events))
    blame(fmt::format("the last {} are said to be {}, of {}", last.events, reply.events, all));
  if (reply.events > last.events) blame(fmt::format("the last {} are said to be {}", last.events, reply.events));
}

// The first event at which the running maximum reaches the time lies behind the position, also if it was trimmed since:
// then somebody who reads from there is told. And nothing that is wanted lies between.
void LaneModel::judge_time(const LocateRequest& request, std::int64_t wall_ms, const LocateReply& reply) {
  Sequence last_before = 0;
  for (const auto& [sequence, place] : places_) {
    if (place.offset < 0) return;  // it was acknowledged, and nobody has seen its time
    if (sequence > reply.end) break;
    if (place.timestamp_ms >= wall_ms) return judge_reached(sequence, last_before, wall_ms, reply);
    if (sequence > reply.complete_after && is_wanted(place, request.topics, {})) last_before = sequence;
  }
  if (reply.position < last_before && lost_.empty())
    blame(fmt::format("{} was appended before {} ms, but is behind {}", last_before, wall_ms, reply.position));
}

void LaneModel::judge_reached(Sequence first, Sequence last_before, std::int64_t wall_ms, const LocateReply& reply) {
  if (is_lost(first)) return;
  if (reply.position >= std::max(first, reply.complete_after))
    blame(fmt::format("{} was appended at or after {} ms, but is not behind {}", first, wall_ms, reply.position));
  if (reply.position < last_before && lost_.empty())
    blame(fmt::format("{} was appended before {} ms, but is behind {}", last_before, wall_ms, reply.position));
}

void LaneModel::answered(const NewestRequest& request, const NewestReply& reply) {
  const bool is_answer = reply.status == LookupStatus::Complete || reply.status == LookupStatus::Partial;
  if (!is_answer || !knows_everything()) return;
  std::map<std::uint64_t, Sequence> newest, newest_readable;  // by address
  std::map<Sequence, std::uint64_t> addresses;
  for (auto place = places_.upper_bound(reply.complete_after); place != places_.end() && place->first <= reply.end;
       ++place) {
    if (!is_wanted(place->second, request.topics, {})) continue;
    const std::uint64_t address = contents_[place->second.content].address;
    newest[address] = place->first;
    addresses[place->first] = address;
    if (!is_lost(place->first)) newest_readable[address] = place->first;
  }
  const std::string where = fmt::format("({}, {}], as of {}", reply.after, reply.covered, reply.end);
  for (const auto& [address, sequence] : newest) {
    const bool is_asked_for = sequence > reply.after && sequence <= reply.covered && !is_lost(sequence);
    if (is_asked_for && !std::ranges::binary_search(reply.sequences, sequence))
      blame(fmt::format("{} is the newest of its address in {}, but is not named", sequence, where));
  }
  // Where the newest event is damaged, one before may be the newest that can be read.
  for (const Sequence each : reply.sequences) {
    const auto address = addresses.find(each);
    const bool is_known = address != addresses.end() && each > reply.after && each <= reply.covered;
    if (!is_known || (newest_readable.contains(address->second) && each < newest_readable.at(address->second)))
      blame(fmt::format("{} is named, but not the newest of its address in {}", each, where));
  }
  if (!std::ranges::is_sorted(reply.sequences)) blame("the newest events do not ascend in " + where);
}

}  // namespace lane_sim
