// SPDX-License-Identifier: Apache-2.0
#include "sse_stream.h"

#include <gtest/gtest.h>

namespace bench {
namespace {

constexpr std::string_view kFirst = "id: 0000000000000000000000000000000\n\n";

std::string chunk(std::string_view text) {
  char size[16];
  std::snprintf(size, sizeof size, "%zx\r\n", text.size());
  return size + std::string(text) + "\r\n";
}

std::string tick(int number) {
  return "event: tick\nid: 0123\ndata: {\"n\":" + std::to_string(number) + ",\"pad\":\"xxx\"}\n\n";
}

// A first block, a comment, an event alone and two in one chunk.
std::string recording() {
  return chunk(kFirst) + chunk(":\n\n") + chunk(tick(1)) + chunk("id: 0124\n\n") + chunk(tick(2) + tick(3));
}

TEST(EventCounter, counts_the_same_however_the_bytes_are_cut) {
  const std::string all = recording();
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    EventCounter counter;
    counter.feed(std::string_view(all).substr(0, cut));
    counter.feed(std::string_view(all).substr(cut));
    ASSERT_EQ(counter.events(), 3u) << cut;
    ASSERT_EQ(counter.blocks(), 6u) << cut;
  }
}

TEST(EventCounter, does_not_count_data_that_is_no_event_of_ours) {
  EventCounter counter;
  counter.feed("event: tidewire.reset\ndata: {\"reason\":\"trimmed\"}\n\nx data: {\"n\":1}\n\n");
  EXPECT_EQ(counter.events(), 0u);
  EXPECT_EQ(counter.blocks(), 2u);
}

TEST(StreamDecoder, gives_the_numbers_in_order_however_the_bytes_are_cut) {
  const std::string all = recording();
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    StreamDecoder decoder(StreamDecoder::Coding::Chunked);
    ASSERT_TRUE(decoder.feed(std::string_view(all).substr(0, cut)));
    ASSERT_TRUE(decoder.feed(std::string_view(all).substr(cut)));
    ASSERT_EQ(decoder.numbers(), (std::vector<std::uint32_t>{1, 2, 3})) << cut;
  }
}

TEST(StreamDecoder, reads_a_body_without_chunks) {
  StreamDecoder decoder(StreamDecoder::Coding::Identity);
  EXPECT_TRUE(decoder.feed(std::string(kFirst) + tick(7)));
  EXPECT_EQ(decoder.numbers(), std::vector<std::uint32_t>{7});
}

TEST(StreamDecoder, refuses_a_chunk_that_is_longer_than_its_size) {
  StreamDecoder decoder(StreamDecoder::Coding::Chunked);
  EXPECT_FALSE(decoder.feed("3\r\n:aaaa\r\n"));
  EXPECT_STREQ(decoder.fault(), "a chunk is longer than its size");
}

TEST(StreamDecoder, refuses_a_stream_that_was_reset) {
  StreamDecoder decoder(StreamDecoder::Coding::Chunked);
  EXPECT_FALSE(decoder.feed(chunk("event: tidewire.reset\nid: 1\ndata: {}\n\n")));
  EXPECT_NE(decoder.fault(), nullptr);
}

TEST(StreamDecoder, refuses_the_end_of_the_stream) {
  StreamDecoder decoder(StreamDecoder::Coding::Chunked);
  EXPECT_FALSE(decoder.feed(chunk(kFirst) + "0\r\n\r\n"));
}

}  // namespace
}  // namespace bench
