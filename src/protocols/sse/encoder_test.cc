// SPDX-License-Identifier: Apache-2.0
#include "protocols/sse/encoder.h"

#include <gmock/gmock.h>

#include "tests/support/engine_stage.h"

namespace protocols::sse {
namespace {

using http::EventNames;
using http::Exchange;
using http::Format;

constexpr Framing kPlain{Format::Payload, EventNames::Named, Exchange::Framing::UntilClose};

class EncoderTest : public testing::Test {
 protected:
  static engine::Event event(std::string_view type, std::string_view data, storage::Sequence sequence = 1) {
    engine::Event event{sequence, {}};
    event.content.id = "i";
    event.content.source = "/s";
    event.content.type = "t";
    event.content.message = "m";
    event.content.address = "a";
    event.content.datacontenttype = type;
    event.content.data = data;
    return event;
  }
  net::FramePtr encode(const engine::Event& event, const Framing& framing = kPlain) {
    return encoder_.events(stage_.engine(), {&event, 1}, framing);
  }
  // The lines behind `id:`.
  std::string data(std::string_view type, std::string_view content) {
    const net::FramePtr frame = encode(event(type, content, ++last_));
    const std::string text(frame->bytes());
    const std::size_t at = text.find("data:");
    return at == std::string::npos ? "none" : text.substr(at);
  }
  std::string id(storage::Sequence sequence) { return "id: " + stage_.engine().cursor(sequence).token() + "\n"; }

  engine::Stage stage_;
  Encoder encoder_;
  storage::Sequence last_ = 100;
};

TEST_F(EncoderTest, minifies_json_into_one_line) {
  EXPECT_EQ(data("application/json", "{\n  \"a\": [1,\r\n 2]\n}"), "data: {\"a\":[1,2]}\n\n");
  EXPECT_EQ(data("application/vnd.x+json", " 1.50 "), "data: 1.50\n\n");
}

TEST_F(EncoderTest, splits_text_on_every_kind_of_line_end) {
  EXPECT_EQ(data("text/plain", "one"), "data: one\n\n");
  EXPECT_EQ(data("text/plain", "a\nb\r\nc\rd"), "data: a\ndata: b\ndata: c\ndata: d\n\n");
  EXPECT_EQ(data("text/plain", "\r\n\r\n"), "data: \ndata: \ndata: \n\n");
  EXPECT_EQ(data("text/plain", "a\n\rb"), "data: a\ndata: \ndata: b\n\n");
  EXPECT_EQ(data("text/plain", ""), "data: \n\n");
  EXPECT_EQ(data("text/plain", " space: kept"), "data:  space: kept\n\n");
  EXPECT_EQ(data("text/plain", "event: x\n\nid: y"), "data: event: x\ndata: \ndata: id: y\n\n")
      << "no field can be smuggled";
}

TEST_F(EncoderTest, sends_what_is_no_text_as_a_cloudevent) {
  const std::string binary = data("application/octet-stream", std::string_view("\0\n\xff", 3));
  EXPECT_THAT(binary, testing::StartsWith("data: {\"specversion\":\"1.0\",\"id\":\"i\""));
  EXPECT_THAT(binary, testing::EndsWith("\"data_base64\":\"AAr/\"}\n\n"));
  EXPECT_THAT(data("text/plain; charset=iso-8859-1", "\xe4"), testing::EndsWith("\"data_base64\":\"5A==\"}\n\n"))
      << "an event stream is UTF-8";
}

TEST_F(EncoderTest, makes_one_block_of_each_event_of_a_run) {
  const engine::Event run[] = {event("application/json", "1", 7), event("application/json", "2", 8)};
  const std::string first = "event: m\n" + id(7) + "data: 1\n\n", second = "event: m\n" + id(8) + "data: 2\n\n";
  EXPECT_EQ(encoder_.events(stage_.engine(), run, kPlain)->bytes(), first + second);
  Framing chunked = kPlain;
  chunked.transfer = Exchange::Framing::Chunked;
  EXPECT_EQ(encoder_.events(stage_.engine(), run, chunked)->bytes(),
            framed(first + second, Exchange::Framing::Chunked));
}

TEST_F(EncoderTest, encodes_a_run_once_for_each_framing) {
  const engine::Event one = event("application/json", "1", 7);
  const net::FramePtr first = encode(one);
  EXPECT_EQ(encode(one).operator->(), first.operator->()) << "the same frame is shared";
  for (const Framing& other : {Framing{Format::CloudEvent, EventNames::Named, Exchange::Framing::UntilClose},
                               Framing{Format::Payload, EventNames::Unnamed, Exchange::Framing::UntilClose},
                               Framing{Format::Payload, EventNames::Named, Exchange::Framing::Chunked}})
    EXPECT_NE(encode(one, other)->bytes(), first->bytes());
  EXPECT_EQ(encode(one).operator->(), first.operator->());
}

TEST_F(EncoderTest, keeps_a_run_in_every_framing_that_there_is) {
  const engine::Event one = event("application/json", "1", 7);
  std::vector<std::pair<Framing, net::FramePtr>> first;
  for (const Format format : {Format::Payload, Format::CloudEvent})
    for (const EventNames names : {EventNames::Named, EventNames::Unnamed})
      for (const auto transfer : {Exchange::Framing::UntilClose, Exchange::Framing::Chunked})
        first.emplace_back(Framing{format, names, transfer}, encode(one, {format, names, transfer}));
  for (const auto& [framing, frame] : first) EXPECT_EQ(encode(one, framing).operator->(), frame.operator->());
}

TEST_F(EncoderTest, shares_large_frames_within_a_turn_and_keeps_only_small_ones_beyond_it) {
  const engine::Event small = event("text/plain", "1", 7);
  const std::string text(kKeptFrameBytesMax, 'x');
  const engine::Event large = event("text/plain", text, 8);
  const net::FramePtr first_small = encode(small), first_large = encode(large);
  EXPECT_EQ(encode(large).operator->(), first_large.operator->());
  stage_.settle();
  EXPECT_EQ(encode(small).operator->(), first_small.operator->());
  const net::FramePtr second_large = encode(large);
  EXPECT_NE(second_large.operator->(), first_large.operator->()) << "another one, as the first is still held here";
  stage_.settle();
  EXPECT_NE(encode(large).operator->(), second_large.operator->());
}

TEST_F(EncoderTest, shares_no_frame_between_runs_that_begin_or_end_elsewhere) {
  const engine::Event run[] = {event("application/json", "1", 7), event("application/json", "2", 8),
                               event("application/json", "3", 9)};
  const std::span<const engine::Event> all(run);
  const auto text = [&](std::span<const engine::Event> part) {
    return std::string(encoder_.events(stage_.engine(), part, kPlain)->bytes());
  };
  EXPECT_NE(text(all), text(all.subspan(1)));
  EXPECT_NE(text(all), text(all.first(2)));
  EXPECT_EQ(text(all), text(all.first(1)) + text(all.subspan(1)));
}

TEST_F(EncoderTest, tells_ephemeral_events_apart_whatever_their_ids) {
  engine::Event one = event("application/json", "1", 0), two = event("application/json", "2", 0);
  one.live_number = 1;
  two.live_number = 2;
  EXPECT_EQ(encode(one)->bytes(), "event: m\ndata: 1\n\n");
  EXPECT_EQ(encode(two)->bytes(), "event: m\ndata: 2\n\n");
  EXPECT_EQ(encode(one)->bytes(), "event: m\ndata: 1\n\n");
}

TEST(Block, leaves_out_what_is_empty) {
  const auto block = [](const char* event, const char* id, const char* data) {
    std::string out;
    append_block(out, event, id, data);
    return out;
  };
  EXPECT_EQ(block("e", "i", "d"), "event: e\nid: i\ndata: d\n\n");
  EXPECT_EQ(block("", "i", ""), "id: i\n\n");
  EXPECT_EQ(block("e", "", "d"), "event: e\ndata: d\n\n");
}

}  // namespace
}  // namespace protocols::sse
