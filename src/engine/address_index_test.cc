// SPDX-License-Identifier: Apache-2.0
#include "engine/address_index.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <set>

#include "tests/support/engine_stage.h"

namespace engine {
namespace {

// A subscription is in its engine's index from start() to its end, so the index is tested through them.
struct Subscribed {
  Subscribed(Stage& stage, const std::vector<std::string>& addresses) {
    std::vector<Member> members;
    for (const std::string& address : addresses) members.push_back(stage.member(address));
    subscription.emplace(stage.engine(), std::move(members), Latest{}, OnReset::Latest, listener);
    subscription->start();
  }
  Listener listener;
  std::optional<Subscription> subscription;
};

TEST(AddressIndex, is_empty_when_the_last_has_left) {
  Stage stage;
  {
    Subscribed one(stage, {"a/1", "b/1"}), two(stage, {"a/1"});
    EXPECT_EQ(stage.engine().subscriptions(), 2u);
  }
  EXPECT_EQ(stage.engine().subscriptions(), 0u);
  stage.publish("a/1");
  EXPECT_EQ(stage.engine().counters().delivered, 0u);
}

TEST(AddressIndex, tells_those_of_an_address_and_nobody_else) {
  Stage stage;
  Subscribed a(stage, {"a/1"}), other_address(stage, {"a/2"}), other_channel(stage, {"b/1"}),
      both(stage, {"a/1", "b/1"});
  stage.publish("a/1", "1");
  stage.publish("b/1", "2");
  stage.settle();
  EXPECT_EQ(a.listener.data, (std::vector<std::string>{"1"}));
  EXPECT_TRUE(other_address.listener.data.empty());
  EXPECT_EQ(other_channel.listener.data, (std::vector<std::string>{"2"}));
  EXPECT_EQ(both.listener.data, (std::vector<std::string>{"1", "2"}));
}

TEST(AddressIndex, keeps_the_others_whatever_the_order_of_joining_and_leaving) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    Stage stage;
    std::mt19937 random(seed);
    std::vector<std::unique_ptr<Subscribed>> here;
    std::map<Subscribed*, std::vector<std::string>> addresses;
    for (int round = 0; round < 60; ++round) {
      if (here.empty() || random() % 3 != 0) {
        std::set<std::string> set;
        for (unsigned i = 0; i <= random() % 3; ++i) set.insert("a/" + std::to_string(random() % 3));
        here.push_back(std::make_unique<Subscribed>(stage, std::vector(set.begin(), set.end())));
        addresses[here.back().get()] = {set.begin(), set.end()};
      } else {
        const auto leaving = here.begin() + static_cast<std::ptrdiff_t>(random() % here.size());
        addresses.erase(leaving->get());
        here.erase(leaving);
      }
      EXPECT_EQ(stage.engine().subscriptions(), here.size());
    }
    for (const char* address : {"a/0", "a/1", "a/2"}) {
      for (const auto& each : here) each->listener.data.clear();
      stage.publish(address);
      stage.settle();
      for (const auto& each : here) {
        const std::size_t expected = static_cast<std::size_t>(std::ranges::count(addresses[each.get()], address));
        EXPECT_EQ(each->listener.data.size(), expected);
      }
    }
  }
}

TEST(AddressIndex, lets_ten_thousand_of_one_address_leave_quickly) {
  Stage stage;
  constexpr std::size_t kMany = 10'000;
  std::vector<std::unique_ptr<Subscribed>> crowd;
  for (std::size_t i = 0; i < kMany; ++i)
    crowd.push_back(std::make_unique<Subscribed>(stage, std::vector<std::string>{"a/1"}));
  const auto before = std::chrono::steady_clock::now();
  crowd.clear();  // the first to come are the first to leave: the worst order for a search through the list
  const auto took = std::chrono::steady_clock::now() - before;
  EXPECT_EQ(stage.engine().subscriptions(), 0u);
  EXPECT_LT(took, std::chrono::milliseconds(500)) << "leaving must not cost a walk through the list";
}

}  // namespace
}  // namespace engine
