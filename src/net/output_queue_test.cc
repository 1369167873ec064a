// SPDX-License-Identifier: Apache-2.0
#include "net/output_queue.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

namespace net {
namespace {

class OutputQueueTest : public testing::Test {
 protected:
  ~OutputQueueTest() override { queue_.clear(pool_); }
  void push(std::string bytes) { queue_.push(pool_, FramePtr::make(std::move(bytes))); }
  std::string front(std::size_t slices_max = 8) {
    std::array<io::Slice, io::kSlicesPerWriteMax> slices;
    const std::size_t count = queue_.slices(std::span(slices).first(slices_max));
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text.append(static_cast<const char*>(slices[i].data), slices[i].size);
    return text;
  }
  OutputPool pool_;
  OutputQueue queue_;
};

TEST_F(OutputQueueTest, is_empty_at_first_and_with_empty_frames) {
  EXPECT_TRUE(queue_.empty());
  push("");
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(front(), "");
}

TEST_F(OutputQueueTest, sends_frames_in_their_order) {
  push("ab");
  push("c");
  push("def");
  EXPECT_EQ(queue_.bytes(), 6u);
  EXPECT_EQ(front(), "abcdef");
}

TEST_F(OutputQueueTest, goes_on_within_a_frame_that_was_sent_in_part) {
  push("abc");
  push("def");
  for (const char* left : {"abcdef", "bcdef", "cdef", "def", "ef", "f"}) {
    EXPECT_EQ(front(), left);
    EXPECT_EQ(queue_.bytes(), std::string_view(left).size());
    queue_.consume(pool_, 1);
  }
  EXPECT_TRUE(queue_.empty());
  push("g");
  EXPECT_EQ(front(), "g");
}

TEST_F(OutputQueueTest, consumes_several_frames_and_a_part_of_the_next) {
  push("abc");
  push("def");
  push("ghi");
  queue_.consume(pool_, 7);
  EXPECT_EQ(front(), "hi");
}

TEST_F(OutputQueueTest, describes_no_more_slices_than_fit) {
  for (int i = 0; i < 1'000; ++i) push("x");
  EXPECT_EQ(front(3), "xxx");
  EXPECT_EQ(front(io::kSlicesPerWriteMax).size(), io::kSlicesPerWriteMax);
}

TEST_F(OutputQueueTest, is_as_new_when_cleared_within_a_frame) {
  push("abc");
  push("def");
  queue_.consume(pool_, 2);
  queue_.clear(pool_);
  EXPECT_EQ(queue_.bytes(), 0u);
  push("xyz");
  EXPECT_EQ(front(), "xyz");
}

TEST_F(OutputQueueTest, shares_a_frame_with_others) {
  OutputQueue other;
  const FramePtr frame = FramePtr::make("shared");
  queue_.push(pool_, frame);
  other.push(pool_, frame);
  queue_.consume(pool_, 3);
  EXPECT_EQ(front(), "red");
  queue_.clear(pool_);
  std::array<io::Slice, 1> slice;
  ASSERT_EQ(other.slices(slice), 1u);
  EXPECT_EQ(std::string_view(static_cast<const char*>(slice[0].data), slice[0].size), "shared");
  other.clear(pool_);
}

TEST_F(OutputQueueTest, sends_the_same_however_it_is_consumed) {
  std::mt19937 random(1);
  std::string expected, sent;
  for (int round = 0; round < 5'000; ++round) {
    if (random() % 2 == 0) {
      const std::string frame(random() % 20, static_cast<char>('a' + round % 26));
      expected += frame;
      push(frame);
    } else {
      const std::string next = front(1 + random() % 4);
      const std::size_t size = next.empty() ? 0 : random() % (next.size() + 1);
      sent += next.substr(0, size);
      queue_.consume(pool_, size);
    }
    ASSERT_EQ(queue_.bytes(), expected.size() - sent.size());
    ASSERT_EQ(queue_.empty(), queue_.bytes() == 0);
  }
  EXPECT_EQ(sent + front(io::kSlicesPerWriteMax),
            expected.substr(0, sent.size() + front(io::kSlicesPerWriteMax).size()));
}

TEST_F(OutputQueueTest, cannot_have_sent_more_than_it_had) {
  push("ab");
  EXPECT_DEATH(queue_.consume(pool_, 3), "more was sent than was queued");
}

}  // namespace
}  // namespace net
