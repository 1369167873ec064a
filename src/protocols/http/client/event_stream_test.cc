// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/client/event_stream.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "protocols/http/client/event_stream_transcript.h"

namespace protocols::http {
namespace {

using namespace std::string_view_literals;

struct Recording {
  std::string_view name;
  std::string_view bytes;
  std::string_view transcript;
};

constexpr Recording kRecordings[] = {
    {"one event", "data: a\n\n", "message[a]@\n"},
    {"a named event with an id", "event: Liked\nid: 0a\ndata: {}\n\n", "Liked[{}]@0a\n"},
    {"several data lines", "data: a\ndata\ndata:  b\n\n", "message[a\n\n b]@\n"},
    {"one empty data line is an event", "data\n\n", "message[]@\n"},
    {"the last event id stays", "id: 1\ndata: a\n\ndata: b\n\n", "message[a]@1\nmessage[b]@1\n"},
    {"an empty id forgets it", "id: 1\ndata: a\n\nid\ndata: b\n\n", "message[a]@1\nmessage[b]@\n"},
    {"an id alone is a position", "retry: 2000\nid: 7\n\nid: 8\n\n", "@7\n@8\nretry 2000\n"},
    {"an event name without data is nothing", "event: x\n\ndata: a\n\n", "message[a]@\n"},
    {"comments and unknown fields", ":\n: hello\nfoo: bar\nDATA: x\n data: y\ndata: a\n\n", "message[a]@\n"},
    {"only comments", ": 1\n\n: 2\n\n", ""},
    {"an id with NUL is ignored", "id: 1\n\nid: 2\0\ndata: a\n\n"sv, "@1\nmessage[a]@1\n"},
    {"retry takes digits only", "retry: 5\n\nretry: 5s\nretry:\nretry: -1\nretry: 99999999999999999999\n\n",
     "retry 5\n"},
    {"CR alone", "id: 1\rdata: a\rdata: b\r\rdata: c\r\r", "message[a\nb]@1\nmessage[c]@1\n"},
    {"CRLF", "id: 1\r\ndata: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n", "message[a\nb]@1\nmessage[c]@1\n"},
    {"mixed line ends", "data: a\r\n\ndata: b\r\r\ndata: c\n\r\n", "message[a]@\nmessage[b]@\nmessage[c]@\n"},
    {"a byte order mark",
     "\xEF\xBB\xBF"
     "data: a\n\n\xEF\xBB\xBF"
     "data: b\n\n",
     "message[a]@\n"},
    {"a byte order mark before an empty line", "\xEF\xBB\xBF\n\ndata: a\n\n", "message[a]@\n"},
    {"a block that is cut off", "data: a\n\ndata: b\nid: 9\n", "message[a]@\n"},
    {"colons and only one space are kept", "data:a:b\n\ndata:  : \n\n", "message[a:b]@\nmessage[ : ]@\n"},
    {"a reset of the server",
     "retry: 2000\nevent: tidewire.reset\nid: 0b\ndata: {\"reason\":\"trimmed\"}\n\nevent: Liked\nid: 0c\ndata: 1\n\n",
     "tidewire.reset[{\"reason\":\"trimmed\"}]@0b\nLiked[1]@0c\nretry 2000\n"},
};

TEST(EventStream, reads_every_recording_in_every_split) {
  for (const auto& [name, bytes, transcript] : kRecordings) {
    EXPECT_EQ(transcribe_stream(bytes, {}), transcript) << name;
    std::vector<std::size_t> every_byte;
    for (std::size_t at = 1; at < bytes.size(); ++at) every_byte.push_back(at);
    EXPECT_EQ(transcribe_stream(bytes, every_byte), transcript) << name << " byte by byte";
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
      ASSERT_EQ(transcribe_stream(bytes, {cut}), transcript) << name << " cut at " << cut;
    }
  }
}

// What was dispatched before a cut is what the whole begins with: nothing is invented at the end of a prefix.
TEST(EventStream, every_prefix_gives_a_prefix_of_the_blocks) {
  for (const auto& [name, bytes, transcript] : kRecordings) {
    if (transcript.find("retry") != std::string_view::npos) continue;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      ASSERT_TRUE(transcript.starts_with(transcribe_stream(bytes.substr(0, size), {}))) << name << " of " << size;
    }
  }
}

TEST(EventStream, an_event_is_complete_with_a_carriage_return) {
  EventStreamParser parser;
  base::Bytes rest = "data: a\r\r";
  const auto block = parser.next(rest);
  ASSERT_TRUE(block && *block);
  EXPECT_EQ((*block)->data, "a");
}

TEST(EventStream, a_line_and_a_block_have_a_limit) {
  constexpr std::size_t kLimit = 64;
  const std::string long_line(kLimit + 1, 'x');
  std::string many_lines;
  for (int i = 0; i < 20; ++i) many_lines += "data: xyz\n";
  for (const std::string& bytes : {long_line, ":" + long_line + "\n\n", many_lines}) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
      EventStreamParser parser(kLimit);
      base::Errc code = base::Errc::Again;
      for (std::size_t at = 0; at < bytes.size() && code == base::Errc::Again; at += step) {
        base::Bytes rest = base::Bytes(bytes).substr(at, step);
        const auto block = parser.next(rest);
        if (!block) code = block.error().code;
      }
      EXPECT_EQ(code, base::Errc::TooLarge) << bytes.substr(0, 12) << " in steps of " << step;
      base::Bytes more = "data: a\n\n";
      EXPECT_FALSE(parser.next(more)) << "once failed it stays so";
    }
  }
}

TEST(EventStream, a_limit_counts_one_block_and_not_the_stream) {
  EventStreamParser parser(64);
  for (int i = 0; i < 1'000; ++i) {
    base::Bytes rest = "id: 12345678\ndata: 0123456789012345678901234567890\n\n";
    const auto block = parser.next(rest);
    ASSERT_TRUE(block && *block);
    ASSERT_EQ((*block)->data.size(), 31U);
  }
}

}  // namespace
}  // namespace protocols::http
