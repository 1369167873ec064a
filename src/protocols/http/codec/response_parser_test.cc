// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/codec/response_parser.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "protocols/http/codec/transcript.h"

namespace protocols::http {
namespace {

using namespace std::string_view_literals;

struct Recording {
  std::string_view name;
  std::string_view bytes;
  std::string_view transcript;
  Answers answers = Answers::Other;
};

constexpr std::string_view kBetween = "closed: the connection was closed within a message\n";  // with no response begun

constexpr Recording kRecordings[] = {
    {"by length", "HTTP/1.1 201 Created\r\nContent-Length: 3\r\n\r\nabc",
     "201 Created keep\nContent-Length=3\n[abc]\n"},
    {"without a reason", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", "200  keep\nContent-Length=0\n[]\n"},
    {"without a reason or its space", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "200  keep\nContent-Length=0\n[]\n"},
    {"reason with spaces", "HTTP/1.0 404 Not \xC3\xA4 Found\r\nContent-Length: 1\r\n\r\nx",
     "404 Not \xC3\xA4 Found\nContent-Length=1\n[x]\n"},
    {"chunked event stream",
     "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
     "8\r\nid: 0a\n\n\r\n9\r\ndata: 1\n\n\r\n0\r\n\r\n",
     "200 OK keep\nContent-Type=text/event-stream\nTransfer-Encoding=chunked\n[id: 0a\n\ndata: 1\n\n]\n"},
    {"no content", "HTTP/1.1 204 No Content\r\n\r\n", "204 No Content keep\n[]\n"},
    {"not modified with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
     "304 Not Modified keep\nContent-Length=9\n[]\n"},
    {"answer to HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
     "200 OK keep\nContent-Length=9\n[]\n200 OK keep\n[]\n", Answers::Head},
    {"interim ones are dropped",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
     "1\r\n\r\nz",
     "200 OK keep\nContent-Length=1\n[z]\n"},
    {"two in a row",
     "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "200 OK keep\nContent-Length=1\n[a]\n200 OK keep\nTransfer-Encoding=chunked\n[]\n"},
};

TEST(ResponseParser, reads_every_recording_in_every_split) {
  for (const auto& [name, bytes, transcript, answers] : kRecordings) {
    const auto whole = std::string(transcript) + std::string(kBetween);
    EXPECT_EQ(transcribe_responses(bytes, {}, Limits{}, answers), whole) << name;
    EXPECT_EQ(transcribe_responses(bytes, every_byte(bytes), Limits{}, answers), whole) << name << " byte by byte";
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
      ASSERT_EQ(transcribe_responses(bytes, {cut}, Limits{}, answers), whole) << name << " cut at " << cut;
    }
  }
}

TEST(ResponseParser, a_body_without_a_length_ends_with_the_connection) {
  const std::string_view bytes = "HTTP/1.1 200 OK\r\nX: y\r\n\r\nabc\r\n";
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_EQ(transcribe_responses(bytes, {cut}, Limits{}), "200 OK\nX=y\n[abc\r\n]\n") << cut;
  }
}

TEST(ResponseParser, a_connection_that_closes_early_is_reported) {
  const std::string_view bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n";
  const Limits limits;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ResponseParser parser(limits);
    std::string pending(bytes.substr(0, size));
    ASSERT_TRUE(drain(parser, pending, [] { FAIL() << "complete"; }, [](const auto&) { FAIL() << "refused"; }));
    const auto closed = parser.on_closed();
    ASSERT_FALSE(closed) << size;
    EXPECT_EQ(closed.error().code, base::Errc::Closed);
    EXPECT_EQ(parser.stage(), Stage::Failed);
  }
}

TEST(ResponseParser, bytes_behind_101_belong_to_the_other_protocol) {
  const Limits limits;
  ResponseParser parser(limits);
  const std::string_view head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
  EXPECT_EQ(parser.feed(std::string(head) + "\x81\x01x"), head.size());
  EXPECT_EQ(parser.stage(), Stage::Complete);
  EXPECT_EQ(parser.head().status(), 101);
  EXPECT_TRUE(parser.head().fields().has_token("upgrade", "websocket"));
  EXPECT_EQ(parser.feed("\x81\x01x"), 0U);
}

class CountingSink final : public BodySink {
 public:
  void on_body(base::Bytes content) override { bytes += content.size(); }
  std::size_t bytes = 0;
};

TEST(ResponseParser, an_endless_stream_passes_through_a_sink) {
  const Limits limits{.body_bytes_max = kBodyBytesUnbounded};
  for (const std::string_view framing : {"Transfer-Encoding: chunked\r\n"sv, ""sv}) {
    ResponseParser parser(limits);
    ASSERT_TRUE(parser.feed("HTTP/1.1 200 OK\r\n" + std::string(framing) + "\r\n"));
    CountingSink sink;
    parser.stream_body_to(sink);
    const std::string event = framing.empty() ? std::string(4096, 'e') : "1000\r\n" + std::string(4096, 'e') + "\r\n";
    for (int i = 0; i < 1024; ++i) ASSERT_EQ(parser.feed(event), event.size());
    EXPECT_EQ(sink.bytes, 4096U * 1024U);
    EXPECT_EQ(parser.stage(), Stage::Body);
  }
}

TEST(ResponseParser, refuses_what_cannot_be_read_in_one_way_only) {
  struct Malformed {
    base::Errc code;
    std::string_view bytes;
  };
  constexpr Malformed kMalformed[] = {
      {base::Errc::BadInput, "HTTP/1.1 20 OK\r\n\r\n"sv},
      {base::Errc::BadInput, "HTTP/1.1 2000 OK\r\n\r\n"sv},
      {base::Errc::BadInput, "HTTP/1.1 099 OK\r\n\r\n"sv},
      {base::Errc::BadInput, "HTTP/1.1 600 OK\r\n\r\n"sv},
      {base::Errc::BadInput, "HTTP/1.1 2x0 OK\r\n\r\n"sv},
      {base::Errc::BadInput, "HTTP/1.1  200 OK\r\n\r\n"sv},
      {base::Errc::BadInput, "HTTP/1.1\r\n\r\n"sv},
      {base::Errc::BadInput, "ICY 200 OK\r\n\r\n"sv},
      {base::Errc::BadInput, "HTTP/1.1 200 O\0K\r\n\r\n"sv},
      {base::Errc::BadInput, "\r\nHTTP/1.1 200 OK\r\n\r\n"sv},
      {base::Errc::BadInput, "HTTP/1.1 200 OK\n\r\n"sv},
      {base::Errc::BadInput, "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"sv},
      {base::Errc::BadInput, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n"sv},
      {base::Errc::BadInput, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"sv},
      {base::Errc::BadInput, "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"sv},
      {base::Errc::BadInput, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"sv},
      {base::Errc::Unsupported, "HTTP/2.0 200 OK\r\n\r\n"sv},
      {base::Errc::Unsupported, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"sv},
      {base::Errc::TooLarge, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"sv},
      {base::Errc::TooLarge, "HTTP/1.1 200 OK\r\n\r\n123456789"sv},
  };
  const Limits limits{.body_bytes_max = 8};
  for (const auto& [code, bytes] : kMalformed) {
    ResponseParser parser(limits);
    auto used = parser.feed(bytes);
    if (used && parser.stage() == Stage::Body) used = parser.feed(bytes.substr(*used));
    ASSERT_FALSE(used) << bytes;
    EXPECT_EQ(used.error().code, code) << bytes;
    EXPECT_EQ(transcribe_responses(bytes, every_byte(bytes), limits).find("fault"), 0U) << bytes;
  }
}

}  // namespace
}  // namespace protocols::http
