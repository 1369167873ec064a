// SPDX-License-Identifier: Apache-2.0
#include "engine/address_set.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace engine {

AddressSet::AddressSet(std::vector<Member> members) : members_(std::move(members)) {
  CHECK(!members_.empty(), "a subscription to nothing");
  const auto place = [](const Member& member) { return std::tie(member.channel, member.address); };
  std::ranges::sort(members_, {}, place);
  members_.erase(std::ranges::unique(members_, {}, place).begin(), members_.end());
}

bool AddressSet::wants(storage::TopicId topic) const {
  return std::ranges::any_of(members_, [&](const Member& member) { return member.channel->topic == topic; });
}

bool AddressSet::wants(const Event& event) const {
  return std::ranges::any_of(members_, [&](const Member& member) { return member.address == event.content.address; });
}

bool AddressSet::is_purely_ephemeral() const {
  return std::ranges::all_of(members_, [](const Member& member) { return member.channel->is_ephemeral(); });
}

std::vector<storage::TopicId> AddressSet::durable_topics() const {
  std::vector<storage::TopicId> topics;
  for (const Member& member : members_)
    if (!member.channel->is_ephemeral()) topics.push_back(member.channel->topic);
  std::ranges::sort(topics);
  topics.erase(std::ranges::unique(topics).begin(), topics.end());
  return topics;
}

std::vector<std::string> AddressSet::live_only() const {
  std::vector<std::string> addresses;
  for (const Member& member : members_)
    if (member.channel->is_ephemeral()) addresses.push_back(member.address);
  return addresses;
}

}  // namespace engine
