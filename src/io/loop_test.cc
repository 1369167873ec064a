// SPDX-License-Identifier: Apache-2.0
#include "io/loop.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "io/real_world.h"

namespace io {
namespace {

constexpr std::uint64_t kMs = 1'000'000;

struct LoopTest : testing::Test {
  RealWorld real;
  World world = real.world();
};

TEST_F(LoopTest, a_turn_runs_mail_then_timers_then_deferred_then_hooks_then_buries) {
  Loop loop(world, "test");
  std::string order;
  struct Dying {
    std::string& log;
    ~Dying() { log += "dead "; }
  };
  struct Fixture {
    std::string& log;
    Loop& loop;
  } fixture{order, loop};
  Timer timer([](void* p) { *static_cast<std::string*>(p) += "timer "; }, &order);
  loop.set_timer(timer, 0);
  loop.at_end_of_turn([](void* p) { static_cast<Fixture*>(p)->log += "hook "; }, &fixture);
  loop.defer([&] { order += "deferred "; });
  loop.post([&] {
    order += "mail ";
    loop.delete_later(std::make_unique<Dying>(order));
  });
  while (timer.is_set()) {
    order.clear();
    std::this_thread::yield();
    loop.turn(Loop::Wait::No);
    if (timer.is_set()) {
      loop.defer([&] { order += "deferred "; });
      loop.post([&] {
        order += "mail ";
        loop.delete_later(std::make_unique<Dying>(order));
      });
    }
  }
  EXPECT_EQ(order, "mail timer deferred hook dead ");
}

TEST_F(LoopTest, work_deferred_while_deferred_work_runs_waits_for_the_next_turn_and_does_not_sleep) {
  Loop loop(world, "test");
  int runs = 0;
  loop.defer([&] {
    ++runs;
    loop.defer([&] { ++runs; });
  });
  loop.turn(Loop::Wait::UntilReady);
  EXPECT_EQ(runs, 1);
  EXPECT_TRUE(loop.has_deferred());
  loop.turn(Loop::Wait::UntilReady);
  EXPECT_EQ(runs, 2);
}

TEST_F(LoopTest, an_object_buried_by_a_dying_object_dies_in_the_same_turn) {
  Loop loop(world, "test");
  int alive = 2;
  struct Inner {
    int& count;
    ~Inner() { --count; }
  };
  struct Outer {
    Loop& owner;
    int& count;
    ~Outer() {
      --count;
      owner.delete_later(std::make_unique<Inner>(count));
    }
  };
  loop.delete_later(std::make_unique<Outer>(loop, alive));
  loop.turn(Loop::Wait::No);
  EXPECT_EQ(alive, 0);
}

TEST_F(LoopTest, what_is_still_waiting_dies_with_the_loop) {
  auto owned = std::make_shared<int>(1);
  {
    Loop loop(world, "test");
    loop.post([owned] {});
    loop.defer([owned] {});
    loop.delete_later(std::make_unique<std::shared_ptr<int>>(owned));
    EXPECT_EQ(owned.use_count(), 4);
  }
  EXPECT_EQ(owned.use_count(), 1);
}

TEST_F(LoopTest, what_dies_with_the_loop_may_still_defer_post_and_bury) {
  auto owned = std::make_shared<int>(1);
  struct Session {
    Loop& owner;
    std::shared_ptr<int> own;
    ~Session() {
      owner.defer([own_too = own] {});
      owner.post([own_too = own] {});
      owner.delete_later(std::make_unique<std::shared_ptr<int>>(own));
    }
  };
  {
    Loop loop(world, "test");
    loop.post([session = std::make_unique<Session>(loop, owned)] {});
    loop.defer([session = std::make_unique<Session>(loop, owned)] {});
    loop.delete_later(std::make_unique<Session>(loop, owned));
  }
  EXPECT_EQ(owned.use_count(), 1);
}

TEST_F(LoopTest, a_timer_wakes_a_waiting_loop_and_never_early) {
  Loop loop(world, "test");
  Timer timer([](void* p) { static_cast<Loop*>(p)->stop(); }, &loop);
  const std::uint64_t before = world.clock.monotonic_ns();
  loop.set_timer(timer, 20 * kMs);
  loop.run();
  EXPECT_GE(world.clock.monotonic_ns() - before, 20 * kMs);
}

TEST_F(LoopTest, posts_of_each_thread_arrive_completely_and_in_order) {
  constexpr int kSenders = 4;
  constexpr int kPosts = 5'000;
  Loop receiver(world, "receiver");
  std::vector<std::vector<int>> seen(kSenders);
  int arrived = 0;
  std::vector<std::jthread> senders;
  for (int sender = 0; sender < kSenders; ++sender) {
    senders.emplace_back([&, sender] {
      for (int i = 0; i < kPosts; ++i) {
        receiver.post([&, sender, i] {
          seen[sender].push_back(i);
          if (++arrived == kSenders * kPosts) receiver.stop();
        });
      }
    });
  }
  receiver.run();
  for (const std::vector<int>& of_sender : seen) {
    ASSERT_EQ(of_sender.size(), kPosts);
    EXPECT_TRUE(std::ranges::is_sorted(of_sender));
  }
}

TEST_F(LoopTest, two_started_loops_play_ping_pong_without_losing_a_wake_up) {
  Loop left(world, "left");
  Loop right(world, "right");
  int rounds = 20'000;  // touched by whoever has the ball
  std::function<void()> on_left;
  std::function<void()> on_right = [&] { left.post([&] { on_left(); }); };
  on_left = [&] {
    if (--rounds > 0) return right.post([&] { on_right(); });
    left.stop();
    right.stop();
  };
  world.threads.start(left);
  world.threads.start(right);
  left.post([&] { on_left(); });
  world.threads.join(left);
  world.threads.join(right);
  EXPECT_EQ(rounds, 0);
  EXPECT_TRUE(left.stopped());
}

TEST_F(LoopTest, what_one_turn_posts_to_another_loop_leaves_in_bundles_and_in_order) {
  Loop sender(world, "sender");
  Loop receiver(world, "receiver");
  constexpr std::size_t kMany = 1'000;  // some bundles
  std::vector<std::size_t> arrived;
  std::size_t arrived_in_the_turn = 0;
  sender.post([&] {
    for (std::size_t i = 0; i < kMany; ++i) receiver.post([&, i] { arrived.push_back(i); });
    receiver.turn(Loop::Wait::No);
    arrived_in_the_turn = arrived.size();
  });
  sender.turn(Loop::Wait::No);
  EXPECT_GT(arrived_in_the_turn, kMany / 2) << "the receiver works while a long turn goes on";
  EXPECT_LT(arrived_in_the_turn, kMany) << "the last bundle was not full";
  receiver.turn(Loop::Wait::No);
  ASSERT_EQ(arrived.size(), kMany);
  EXPECT_TRUE(std::ranges::is_sorted(arrived));
}

TEST_F(LoopTest, what_hooks_and_dying_objects_post_leaves_with_the_turn) {
  Loop sender(world, "sender");
  Loop receiver(world, "receiver");
  std::string arrived;
  struct Fixture {
    Loop& sender;
    Loop& receiver;
    std::string& arrived;
    ~Fixture() {
      receiver.post([&to = arrived] { to += "dead "; });
    }
  };
  sender.post([&] { sender.delete_later(std::make_unique<Fixture>(sender, receiver, arrived)); });
  std::pair<Loop*, std::string*> hooked{&receiver, &arrived};
  sender.at_end_of_turn(
      [](void* p) {
        const auto [to, text] = *static_cast<std::pair<Loop*, std::string*>*>(p);
        to->post([text = text] { *text += "hook "; });
      },
      &hooked);
  sender.turn(Loop::Wait::No);
  receiver.turn(Loop::Wait::No);
  EXPECT_EQ(arrived, "hook dead ");
}

}  // namespace
}  // namespace io
