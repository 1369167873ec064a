// SPDX-License-Identifier: Apache-2.0
#include "storage/memory_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <utility>

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
    for (const TopicId topic : topics) encoder.add({topic, 0, "tail", {}}, ++last_, 0);
    store_.persist(encoder.finish(), [](Persisted outcome) { EXPECT_EQ(outcome, Persisted::Durable); });
    stage_.settle();
  }
  ReadReply read(std::vector<TopicId> topics, std::optional<Sequence> after, std::size_t bytes_max = 1 << 20) {
    return store_.read({std::move(topics), after, bytes_max}, last_);
  }
  // How many blocks a read looks at, and what it answers.
  std::pair<std::uint64_t, ReadReply> cost(std::vector<TopicId> topics, std::optional<Sequence> after,
                                           std::size_t bytes_max = 1 << 20) {
    const std::uint64_t before = store_.blocks_looked_at();
    ReadReply reply = read(std::move(topics), after, bytes_max);
    return {store_.blocks_looked_at() - before, std::move(reply)};
  }
  Sequence complete_after(TopicId topic) const { return topics_.at(topic).complete_after; }
  static std::size_t block_bytes() {
    TopicTable topics;
    GroupEncoder encoder(topics);
    encoder.add({topics.declare("a"), 0, "tail", {}}, 1, 0);
    return encoder.finish()->memory_bytes() + BlockNumbers::kBytesMax;
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

TEST(MemoryStore, topics_are_merged_in_log_order_and_a_block_of_several_is_returned_once) {
  Store store(20);
  for (const std::vector<TopicId>& topics :
       std::vector<std::vector<TopicId>>{{3}, {1}, {2, 1, 2}, {3}, {2}, {1, 2, 3}, {1}, {3, 2}}) {
    store.keep(topics);
  }
  EXPECT_EQ(firsts(store.read({1, 2}, 0)), (Sequences{2, 3, 7, 8, 11, 12}));
  EXPECT_EQ(firsts(store.read({1, 3}, 0)), (Sequences{1, 2, 3, 6, 8, 11, 12}));
  EXPECT_EQ(firsts(store.read({2, 3}, 6)), (Sequences{7, 8, 12}));
  EXPECT_EQ(firsts(store.read({1, 2, 3}, 9)), (Sequences{8, 11, 12}));
}

// 200,000 blocks, of which topic 1 is in nearly all, topic 2 in three and topic 3 in the last one.
TEST(MemoryStore, a_read_of_a_rare_topic_in_a_full_store_looks_at_few_blocks) {
  constexpr Sequence kBlocks = 200'000;
  constexpr std::uint64_t kSearchMax = 19;  // of 200,000, halved until one is left
  Store store(kBlocks);
  for (Sequence i = 1; i < kBlocks; ++i) store.keep({i % 50'000 == 0 ? 2u : 1u});
  store.keep({3});

  const auto [rare, rare_reply] = store.cost({2}, std::nullopt);
  EXPECT_EQ(firsts(rare_reply), (Sequences{50'000, 100'000, 150'000}));
  EXPECT_EQ(rare_reply.covered, kBlocks);
  EXPECT_LE(rare, kSearchMax + 3);

  const auto [cut, cut_reply] = store.cost({2}, 0, 1);
  EXPECT_EQ(firsts(cut_reply), (Sequences{50'000}));
  EXPECT_EQ(cut_reply.covered, 99'999u);
  EXPECT_LE(cut, kSearchMax + 3);

  const auto [last, last_reply] = store.cost({3}, std::nullopt, 1);
  EXPECT_EQ(firsts(last_reply), (Sequences{kBlocks}));
  EXPECT_LE(last, kSearchMax + 1);

  const auto [nothing, nothing_reply] = store.cost({2}, 150'000, 1);
  EXPECT_EQ(firsts(nothing_reply), (Sequences{}));
  EXPECT_EQ(nothing_reply.covered, kBlocks);
  EXPECT_LE(nothing, kSearchMax);

  const auto [merged, merged_reply] = store.cost({1, 2, 3}, 199'990);
  EXPECT_EQ(merged_reply.blocks.size(), 10u);
  EXPECT_LE(merged, kSearchMax + 10);
}

TEST(MemoryStore, what_is_not_durable_yet_is_not_read) {
  Stage stage(1);
  TopicTable topics;
  MemoryStore store(stage.lane_loop(), topics, kMemoryBytesMax);
  GroupEncoder encoder(topics);
  encoder.add({topics.declare("a"), 0, "tail", {}}, 1, 0);
  store.persist(encoder.finish(), [](Persisted) {});
  stage.settle();
  EXPECT_TRUE(store.read({{1}, 0, 1 << 20}, 0).blocks.empty());
  EXPECT_EQ(store.read({{1}, 0, 1 << 20}, 1).blocks.size(), 1u);
}

// What the store must answer, by looking at each block that is left.
class Scan {
 public:
  explicit Scan(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  void keep(const BlockPtr& block) {
    blocks_.push_back(block);
    for (; bytes() > bytes_max_ && blocks_.size() > 1; blocks_.pop_front()) {
      for (const Entry& entry : blocks_.front()->entries) complete_after_[entry.topic] = entry.last_sequence();
    }
  }
  std::size_t bytes() const {
    std::size_t bytes = 0;
    for (const BlockPtr& block : blocks_) {
      std::set<TopicId> topics;
      for (const Entry& entry : block->entries) topics.insert(entry.topic);
      bytes += block->memory_bytes() + topics.size() * BlockNumbers::kBytesMax;
    }
    return bytes;
  }
  ReadReply read(const ReadRequest& request, Sequence durable) {
    ReadReply reply{ReadStatus::Read, {}, 0, 0, 0};
    for (const TopicId topic : request.topics) {
      reply.complete_after = std::max(reply.complete_after, complete_after_[topic]);
    }
    reply.after = reply.covered = request.after.value_or(reply.complete_after);
    if (reply.after > durable) {
      reply.status = ReadStatus::Ahead;
    } else if (reply.after < reply.complete_after) {
      reply.status = ReadStatus::Trimmed;
    } else {
      scan(request, durable, reply);
    }
    return reply;
  }

 private:
  void scan(const ReadRequest& request, Sequence durable, ReadReply& reply) {
    std::size_t bytes = 0;
    for (const BlockPtr& block : blocks_) {
      if (block->last() <= reply.after || block->first() > durable) continue;
      const bool holds_any = std::ranges::any_of(block->entries, [&](const Entry& entry) {
        return std::ranges::find(request.topics, entry.topic) != request.topics.end();
      });
      if (holds_any) {
        if (!reply.blocks.empty() && bytes + block->bytes.size() > request.bytes_max) return;
        bytes += block->bytes.size();
        reply.blocks.push_back(block);
      }
      reply.covered = block->last();
    }
    reply.covered = durable;
  }

  const std::size_t bytes_max_;
  std::deque<BlockPtr> blocks_;
  std::map<TopicId, Sequence> complete_after_;
};

// A store and a scan that are given the same random blocks and asked the same random questions.
class Pair {
 public:
  explicit Pair(unsigned seed)
      : stage_(1, seed),
        bytes_max_(1 + stage_.pick(20'000)),
        topics_max_(1 + stage_.pick(12)),
        entries_max_(1 + stage_.pick(5)),
        store_(stage_.lane_loop(), topics_, bytes_max_),
        scan_(bytes_max_) {
    for (TopicId topic = 1; topic <= topics_max_; ++topic) topics_.declare(std::to_string(topic));
  }

  void keep() {
    GroupEncoder encoder(topics_);
    for (std::uint64_t left = 1 + stage_.pick(entries_max_); left > 0; --left) {
      const NewEvent event = event_of(topic(), std::string(stage_.pick(40), 'x'));
      encoder.add(event, ++last_, 0);
    }
    const std::shared_ptr<Block> block = encoder.finish();
    store_.persist(block, [](Persisted) {});
    stage_.settle();
    scan_.keep(block);
    ASSERT_EQ(store_.bytes(), scan_.bytes());
  }
  void ask() {
    std::set<TopicId> topics;
    for (std::uint64_t left = 1 + stage_.pick(4); left > 0; --left) topics.insert(topic());
    ReadRequest request{{topics.begin(), topics.end()}, std::nullopt, 1};
    if (stage_.pick(4) != 0) request.after = stage_.pick(last_ + 2);
    if (stage_.pick(4) != 0) request.bytes_max = stage_.pick(4'000);
    const Sequence durable = last_ - (stage_.pick(4) == 0 ? stage_.pick(last_ + 1) : 0);
    const ReadReply told = store_.read(request, durable);
    const ReadReply right = scan_.read(request, durable);
    ASSERT_EQ(told.status, right.status);
    ASSERT_EQ(told.blocks, right.blocks);
    ASSERT_EQ(told.after, right.after);
    ASSERT_EQ(told.covered, right.covered);
    ASSERT_EQ(told.complete_after, right.complete_after);
    blocks_told_ += told.blocks.size();
    if (told.status == ReadStatus::Trimmed) ++trimmed_told_;
    if (told.status == ReadStatus::Read && told.covered < durable) ++cuts_told_;
  }

  std::size_t blocks_told() const { return blocks_told_; }
  std::size_t trimmed_told() const { return trimmed_told_; }
  std::size_t cuts_told() const { return cuts_told_; }

 private:
  // Small ids are frequent, large ones rare.
  TopicId topic() { return static_cast<TopicId>(1 + stage_.pick(1 + stage_.pick(topics_max_))); }

  Stage stage_;
  const std::size_t bytes_max_;
  const std::uint64_t topics_max_;
  const std::uint64_t entries_max_;
  TopicTable topics_;
  MemoryStore store_;
  Scan scan_;
  Sequence last_ = 0;
  std::size_t blocks_told_ = 0;
  std::size_t trimmed_told_ = 0;
  std::size_t cuts_told_ = 0;
};

TEST(MemoryStore, answers_like_a_scan_of_every_block_whatever_was_trimmed) {
  std::size_t blocks = 0;
  std::size_t trimmed = 0;
  std::size_t cuts = 0;
  for (unsigned seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    Pair pair(seed);
    for (int turn = 0; turn < 120; ++turn) {
      pair.keep();
      for (int question = 0; question < 3; ++question) pair.ask();
      if (testing::Test::HasFatalFailure()) return;
    }
    blocks += pair.blocks_told();
    trimmed += pair.trimmed_told();
    cuts += pair.cuts_told();
  }
  EXPECT_GT(blocks, 10'000u);
  EXPECT_GT(trimmed, 1'000u);
  EXPECT_GT(cuts, 1'000u);
}

}  // namespace
}  // namespace storage
