// SPDX-License-Identifier: Apache-2.0
// What the judge says of lookups. It needs to know every event, so where something was damaged or not seen it is
// silent.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <variant>

#include "tests/sim/lane_model.h"

namespace lane_sim {

using storage::LocateReply;
using storage::LocateRequest;
using storage::LookupStatus;
using storage::NewestReply;
using storage::NewestRequest;

void LaneModel::answered(const LocateRequest& request, const LocateReply& reply) {
  const bool is_answer = reply.status == LookupStatus::Complete || reply.status == LookupStatus::Partial;
  if (!is_answer || !knows_everything() || allows(Trouble::Reading)) return;
  if (const auto* last = std::get_if<storage::LastEvents>(&request.what)) return judge_last(request, *last, reply);
  judge_time(request, std::get<storage::AtTime>(request.what).wall_ms, reply);
}

// As many as there are, and they lie behind the position.
void LaneModel::judge_last(const LocateRequest& request, const storage::LastEvents& last, const LocateReply& reply) {
  std::size_t behind = 0, all = 0;
  for (auto place = places_.upper_bound(reply.complete_after); place != places_.end() && place->first <= reply.end;
       ++place) {
    if (!is_wanted(place->second, request.topics, request.addresses)) continue;
    ++all;
    behind += place->first > reply.position ? 1 : 0;
  }
  if (behind != reply.events)
    blame(fmt::format("the last {} are said to be {}, but {} stand behind {}", last.events, reply.events, behind,
                      reply.position));
  if (reply.status == LookupStatus::Complete && reply.events != std::min(all, last.events))
    blame(fmt::format("the last {} are said to be {}, of {}", last.events, reply.events, all));
}

// Every event that was appended at or after the time lies behind the position.
void LaneModel::judge_time(const LocateRequest& request, std::int64_t wall_ms, const LocateReply& reply) {
  std::int64_t latest_ms = 0;  // what was trimmed may have taken its time with it
  for (auto place = places_.upper_bound(reply.complete_after); place != places_.end() && place->first <= reply.position;
       ++place) {
    if (!is_wanted(place->second, request.topics, {})) continue;
    latest_ms = std::max(latest_ms, place->second.timestamp_ms);
    if (latest_ms < wall_ms) continue;
    return blame(
        fmt::format("{} was appended at or after {} ms, but is not behind {}", place->first, wall_ms, reply.position));
  }
}

void LaneModel::answered(const NewestRequest& request, const NewestReply& reply) {
  const bool is_answer = reply.status == LookupStatus::Complete || reply.status == LookupStatus::Partial;
  if (!is_answer || !knows_everything() || allows(Trouble::Reading)) return;
  std::map<std::uint64_t, Sequence> newest;  // by address
  for (auto place = places_.upper_bound(reply.complete_after); place != places_.end() && place->first <= reply.end;
       ++place) {
    if (is_wanted(place->second, request.topics, {})) newest[contents_[place->second.content].address] = place->first;
  }
  std::vector<Sequence> expected;
  for (const auto& [address, sequence] : newest) {
    if (sequence > reply.after && sequence <= reply.covered) expected.push_back(sequence);
  }
  std::ranges::sort(expected);
  if (expected != reply.sequences)
    blame(fmt::format("{} events in ({}, {}] are the newest of their addresses, and {} are named", expected.size(),
                      reply.after, reply.covered, reply.sequences.size()));
}

}  // namespace lane_sim
