// SPDX-License-Identifier: Apache-2.0
#include "engine/address_index.h"

#include "engine/subscription.h"

namespace engine {

AddressSubscribers& AddressIndex::list_of(storage::TopicId topic, const std::string& address) {
  const auto [found, added] = topics_[topic].try_emplace(address);
  if (added) found->second = std::make_unique<AddressSubscribers>(topic, found->first);
  return *found->second;
}

void AddressIndex::add(Subscription& subscription) {
  ++subscriptions_;
  for (const Member& member : subscription.addresses_.members()) {
    AddressSubscribers& list = list_of(member.channel->topic, member.address);
    subscription.places_.push_back({&list, static_cast<std::uint32_t>(list.all_.size())});
    list.all_.push_back(&subscription);
  }
}

void AddressIndex::remove(Subscription& subscription) {
  if (subscription.places_.empty()) return;
  --subscriptions_;
  for (const Subscription::Place& place : subscription.places_) {
    AddressSubscribers& list = *place.list;
    // The last one takes the place, so that leaving costs the same in a list of ten thousand.
    Subscription* const last = list.all_.back();
    list.all_[place.index] = last;
    list.all_.pop_back();
    for (Subscription::Place& moved : last->places_)
      if (moved.list == &list) moved.index = place.index;
    if (!list.all_.empty()) continue;
    const auto topic = topics_.find(list.topic_);
    const auto address = topic->second.find(list.address_);
    topic->second.erase(address);
    if (topic->second.empty()) topics_.erase(topic);
  }
  subscription.places_.clear();
}

bool AddressIndex::has_topic(storage::TopicId topic) const { return topics_.contains(topic); }

const AddressSubscribers* AddressIndex::find(storage::TopicId topic, std::string_view address) const {
  const auto addresses = topics_.find(topic);
  if (addresses == topics_.end()) return nullptr;
  const auto list = addresses->second.find(address);
  return list == addresses->second.end() ? nullptr : list->second.get();
}

}  // namespace engine
