// SPDX-License-Identifier: Apache-2.0
#include "storage/memory_store.h"

#include <gtest/gtest.h>

#include "storage/group_encoder.h"
#include "storage/limits.h"
#include "storage/test_stage.h"

namespace storage {
namespace {

// Blocks of one event each, all of one size, on a store that holds `blocks_max` of them.
class Store {
 public:
  explicit Store(std::size_t blocks_max) : store_(stage_.lane_loop(), topics_, blocks_max * block_bytes()) {
    for (const char* identity : {"a", "b", "c"}) topics_.declare(identity);
  }

  void keep(std::vector<TopicId> topics) {
    GroupEncoder encoder(topics_);
    for (const TopicId topic : topics) encoder.add(topic, ++last_, 0, "tail");
    store_.persist(encoder.finish(), [](Persisted outcome) { EXPECT_EQ(outcome, Persisted::Durable); });
    stage_.settle();
  }
  ReadReply read(std::vector<TopicId> topics, std::optional<Sequence> after, std::size_t bytes_max = 1 << 20) {
    return store_.read({std::move(topics), after, bytes_max}, last_);
  }
  Sequence complete_after(TopicId topic) const { return topics_.at(topic).complete_after; }
  static std::size_t block_bytes() {
    TopicTable topics;
    GroupEncoder encoder(topics);
    encoder.add(topics.declare("a"), 1, 0, "tail");
    return encoder.finish()->memory_bytes();
  }

 private:
  Stage stage_{1};
  TopicTable topics_;
  MemoryStore store_;
  Sequence last_ = 0;
};

std::vector<Sequence> firsts(const ReadReply& reply) {
  std::vector<Sequence> firsts;
  for (const BlockPtr& block : reply.blocks) firsts.push_back(block->first());
  return firsts;
}

using Sequences = std::vector<Sequence>;

TEST(MemoryStore, an_empty_store_reads_nothing_and_covers_nothing) {
  Store store(10);
  const ReadReply reply = store.read({1}, std::nullopt);
  EXPECT_EQ(reply.status, ReadStatus::Read);
  EXPECT_TRUE(reply.blocks.empty());
  EXPECT_EQ(reply.after, 0u);
  EXPECT_EQ(reply.covered, 0u);
  EXPECT_EQ(store.read({1}, 1).status, ReadStatus::Ahead);
}

TEST(MemoryStore, a_read_begins_within_the_block_that_holds_the_next_event) {
  Store store(10);
  store.keep({1, 1, 1});
  store.keep({1, 1});
  EXPECT_EQ(firsts(store.read({1}, 0)), (Sequences{1, 4}));
  EXPECT_EQ(firsts(store.read({1}, 2)), (Sequences{1, 4}));
  EXPECT_EQ(firsts(store.read({1}, 3)), (Sequences{4}));
  EXPECT_EQ(firsts(store.read({1}, 5)), (Sequences{}));
  EXPECT_EQ(store.read({1}, 5).covered, 5u);
  EXPECT_EQ(store.read({1}, 6).status, ReadStatus::Ahead);
}

TEST(MemoryStore, blocks_without_the_topics_are_passed_over_and_covered) {
  Store store(10);
  store.keep({1});
  store.keep({2});
  store.keep({2, 1});
  store.keep({2});
  const ReadReply reply = store.read({1}, 0);
  EXPECT_EQ(firsts(reply), (Sequences{1, 3}));
  EXPECT_EQ(reply.covered, 5u);
  EXPECT_EQ(firsts(store.read({1, 2}, 0)), (Sequences{1, 2, 3, 5}));
}

TEST(MemoryStore, a_read_is_cut_at_bytes_max_and_says_what_it_covered) {
  Store store(10);
  for (const TopicId topic : {1u, 1u, 2u, 1u, 1u}) store.keep({topic});
  const std::size_t one_bytes = store.read({1}, 0).blocks.front()->bytes.size();
  const ReadReply two = store.read({1}, 0, 2 * one_bytes);
  EXPECT_EQ(firsts(two), (Sequences{1, 2}));
  EXPECT_EQ(two.covered, 3u);  // nothing of the topic is in 3
  const ReadReply rest = store.read({1}, two.covered, 2 * one_bytes);
  EXPECT_EQ(firsts(rest), (Sequences{4, 5}));
  EXPECT_EQ(rest.covered, 5u);
  const ReadReply tiny = store.read({1}, 0, 1);
  EXPECT_EQ(firsts(tiny), (Sequences{1}));
  EXPECT_EQ(tiny.covered, 1u);
}

TEST(MemoryStore, the_oldest_goes_and_complete_after_moves_for_its_topics_alone) {
  Store store(3);
  for (const TopicId topic : {1u, 2u, 1u, 3u, 3u}) store.keep({topic});
  EXPECT_EQ(store.complete_after(1), 1u);
  EXPECT_EQ(store.complete_after(2), 2u);
  EXPECT_EQ(store.complete_after(3), 0u);
  EXPECT_EQ(store.read({1}, 0).status, ReadStatus::Trimmed);
  EXPECT_EQ(store.read({1}, 0).complete_after, 1u);
  EXPECT_EQ(store.read({1}, 1).status, ReadStatus::Read);
  EXPECT_EQ(store.read({1, 2, 3}, 1).status, ReadStatus::Trimmed);
  EXPECT_EQ(store.read({1, 2, 3}, 1).complete_after, 2u);
  EXPECT_EQ(store.read({3}, 0).status, ReadStatus::Read);
}

TEST(MemoryStore, a_trimmed_block_moves_each_of_its_topics_to_its_own_last_event) {
  Store store(1);
  store.keep({1, 2, 1, 3, 2});
  store.keep({3});
  EXPECT_EQ(store.complete_after(1), 3u);
  EXPECT_EQ(store.complete_after(2), 5u);
  EXPECT_EQ(store.complete_after(3), 4u);
}

TEST(MemoryStore, a_read_from_the_earliest_begins_at_the_largest_complete_after) {
  Store store(3);
  for (const TopicId topic : {1u, 2u, 1u, 3u, 3u}) store.keep({topic});
  const ReadReply reply = store.read({1, 2}, std::nullopt);
  EXPECT_EQ(reply.status, ReadStatus::Read);
  EXPECT_EQ(reply.after, 2u);
  EXPECT_EQ(firsts(reply), (Sequences{3}));
}

TEST(MemoryStore, a_block_larger_than_the_bound_is_kept_alone) {
  Store store(1);
  store.keep({1});
  store.keep({1, 2, 1, 2});
  EXPECT_EQ(store.complete_after(1), 1u);
  EXPECT_EQ(firsts(store.read({1}, std::nullopt)), (Sequences{2}));
}

TEST(MemoryStore, what_is_not_durable_yet_is_not_read) {
  Stage stage(1);
  TopicTable topics;
  MemoryStore store(stage.lane_loop(), topics, kMemoryBytesMax);
  GroupEncoder encoder(topics);
  encoder.add(topics.declare("a"), 1, 0, "tail");
  store.persist(encoder.finish(), [](Persisted) {});
  stage.settle();
  EXPECT_TRUE(store.read({{1}, 0, 1 << 20}, 0).blocks.empty());
  EXPECT_EQ(store.read({{1}, 0, 1 << 20}, 1).blocks.size(), 1u);
}

}  // namespace
}  // namespace storage
