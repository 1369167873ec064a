// SPDX-License-Identifier: Apache-2.0
#pragma once
// Who on this loop is interested in an address. Looking one up costs the same from one address to a million, and
// nothing depends on subscriptions to other addresses. Thread: one loop.
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "storage/block.h"

namespace engine {

class Subscription;

class AddressSubscribers final {
 public:
  AddressSubscribers(storage::TopicId topic, std::string_view address) : topic_(topic), address_(address) {}
  const std::vector<Subscription*>& all() const { return all_; }

 private:
  friend class AddressIndex;
  storage::TopicId topic_;
  std::string_view address_;  // the key in the index
  std::vector<Subscription*> all_;
};

class AddressIndex final {
 public:
  void add(Subscription&);
  void remove(Subscription&);
  bool has_topic(storage::TopicId) const;
  const AddressSubscribers* find(storage::TopicId, std::string_view address) const;
  std::size_t subscriptions() const { return subscriptions_; }

  template <class Visit>
  void for_each(Visit visit) const {
    for (const auto& [topic, addresses] : topics_)
      for (const auto& [address, list] : addresses)
        for (Subscription* subscription : list->all_) visit(*subscription);
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  using Addresses = std::unordered_map<std::string, std::unique_ptr<AddressSubscribers>, Hash, std::equal_to<>>;

  AddressSubscribers& list_of(storage::TopicId, const std::string& address);

  std::unordered_map<storage::TopicId, Addresses> topics_;
  std::size_t subscriptions_ = 0;
};

}  // namespace engine
