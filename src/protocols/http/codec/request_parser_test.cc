// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/codec/request_parser.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "protocols/http/codec/transcript.h"

namespace protocols::http {
namespace {

struct Recording {
  std::string_view name;
  std::string_view bytes;
  std::string_view transcript;
};

constexpr std::string_view kIdle = "rest 0 idle yes\n";

// What browsers, curl and libraries send, and what the grammar allows beyond it.
constexpr Recording kRecordings[] = {
    {"shortest", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / at a 1.1 keep\nHost=a\n[]\n"},
    {"curl",
     "GET /comments/42/likes?after=earliest&limit=10 HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: curl/7.88.1\r\n"
     "Accept: */*\r\n\r\n",
     "GET /comments/42/likes?after=earliest&limit=10 at localhost:8080 1.1 keep\nHost=localhost:8080\n"
     "User-Agent=curl/7.88.1\nAccept=*/*\n[]\n"},
    {"EventSource in Chromium",
     "GET /comments/*/likes HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nConnection: keep-alive\r\nsec-ch-ua: "
     "\"Chromium\";v=\"120\"\r\n"
     "Accept: text/event-stream\r\nCache-Control: no-cache\r\nLast-Event-ID: 0abc\r\nReferer: "
     "http://127.0.0.1:8080/\r\n\r\n",
     "GET /comments/*/likes at 127.0.0.1:8080 1.1 keep\nHost=127.0.0.1:8080\nConnection=keep-alive\n"
     "sec-ch-ua=\"Chromium\";v=\"120\"\nAccept=text/event-stream\nCache-Control=no-cache\nLast-Event-ID=0abc\n"
     "Referer=http://127.0.0.1:8080/\n[]\n"},
    {"WebSocket in Firefox",
     "GET /ws HTTP/1.1\r\nHost: [::1]:8080\r\nSec-WebSocket-Version: 13\r\nConnection: keep-alive, Upgrade\r\n"
     "Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
     "GET /ws at [::1]:8080 1.1 keep\nHost=[::1]:8080\nSec-WebSocket-Version=13\nConnection=keep-alive, Upgrade\n"
     "Upgrade=websocket\nSec-WebSocket-Key=dGhlIHNhbXBsZSBub25jZQ==\n[]\n"},
    {"post", "POST /p HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
     "POST /p at a 1.1 keep\nHost=a\nContent-Type=application/json\nContent-Length=7\n[{\"a\":1}]\n"},
    {"post without a body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
     "POST / at a 1.1 keep\nHost=a\nContent-Length=0\n[]\n"},
    {"length with leading zeros", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0003\r\n\r\nabc",
     "POST / at a 1.1 keep\nHost=a\nContent-Length=0003\n[abc]\n"},
    {"GET with a body", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n\r\n\r",
     "GET / at a 1.1 keep\nHost=a\nContent-Length=3\n[\r\n\r]\n"},
    {"chunked",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n",
     "POST / at a 1.1 keep\nHost=a\nTransfer-Encoding=chunked\n[abc0123456789]\n"},
    {"chunked, empty", "POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: Chunked\r\n\r\n000\r\n\r\n",
     "POST / at a 1.1 keep\nHost=a\ntransfer-encoding=Chunked\n[]\n"},
    {"chunked, content that looks like framing",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n0\r\n\r\n\r\n2\r\n\r\n\r\n0\r\n\r\n",
     "POST / at a 1.1 keep\nHost=a\nTransfer-Encoding=chunked\n[0\r\n\r\n\r\n]\n"},
    {"chunked with extensions and trailers",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: Sum\r\n\r\n"
     "3;a=b;c=\"d e\"\r\nabc\r\n0;last\r\nSum: 1\r\nContent-Length: 9\r\n\r\n",
     "POST / at a 1.1 keep\nHost=a\nTransfer-Encoding=chunked\nTrailer=Sum\n[abc]\n"},
    {"sixteen digits",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0000000000000001\r\na\r\n0\r\n\r\n",
     "POST / at a 1.1 keep\nHost=a\nTransfer-Encoding=chunked\n[a]\n"},
    {"expectation", "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\nx",
     "POST / at a 1.1 keep continue\nHost=a\nExpect=100-Continue\nContent-Length=1\n[x]\n"},
    {"expectation without a body", "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
     "POST / at a 1.1 keep\nHost=a\nExpect=100-continue\n[]\n"},
    {"HTTP/1.0 closes", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", "GET / at a 1.0 close\nHost=a\n[]\n"},
    {"HTTP/1.0 keeps alive if asked", "GET / HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n",
     "GET / at a 1.0 keep\nHost=a\nConnection=Keep-Alive\n[]\n"},
    {"HTTP/1.0 has no expectations", "POST / HTTP/1.0\r\nHost: a\r\nExpect: x\r\nContent-Length: 1\r\n\r\nx",
     "POST / at a 1.0 close\nHost=a\nExpect=x\nContent-Length=1\n[x]\n"},
    {"a later minor version", "GET / HTTP/1.7\r\nHost: a\r\n\r\n", "GET / at a 1.1 keep\nHost=a\n[]\n"},
    {"close among other options", "GET / HTTP/1.1\r\nHost: a\r\nConnection: x ,\tCLOSE\r\n\r\n",
     "GET / at a 1.1 close\nHost=a\nConnection=x ,\tCLOSE\n[]\n"},
    {"absolute form", "GET HTTP://b:81/x?y HTTP/1.1\r\nHost: a\r\n\r\n", "GET /x?y at b:81 1.1 keep\nHost=a\n[]\n"},
    {"absolute form without a path", "GET https://b?y HTTP/1.1\r\nHost: a\r\n\r\n",
     "GET ?y at b 1.1 keep\nHost=a\n[]\n"},
    {"asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * at a 1.1 keep\nHost=a\n[]\n"},
    {"an empty line in front", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / at a 1.1 keep\nHost=a\n[]\n"},
    {"white space around values", "GET / HTTP/1.1\r\nHost:\t a \t\r\nX:\r\nY: \t \r\nZ:a b\tc\r\n\r\n",
     "GET / at a 1.1 keep\nHost=a\nX=\nY=\nZ=a b\tc\n[]\n"},
    {"octets above 127 in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: \xC3\xA4\xFF 0123456789\r\n\r\n",
     "GET / at a 1.1 keep\nHost=a\nX=\xC3\xA4\xFF 0123456789\n[]\n"},
    {"all characters of a token", "M!#$%&'*+-.^_`|~9 / HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^_`|~9: x\r\n\r\n",
     "M!#$%&'*+-.^_`|~9 / at a 1.1 keep\nHost=a\n!#$%&'*+-.^_`|~9=x\n[]\n"},
    {"what browsers leave unescaped", "GET /a|b?q={a}^'\\[] HTTP/1.1\r\nHost: a\r\n\r\n",
     "GET /a|b?q={a}^'\\[] at a 1.1 keep\nHost=a\n[]\n"},
    {"pipelined",
     "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc\r\nPOST /2 HTTP/1.1\r\nHost: b\r\n"
     "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\nGET /3 HTTP/1.1\r\nHost: c\r\nConnection: close\r\n\r\n",
     "POST /1 at a 1.1 keep\nHost=a\nContent-Length=3\n[abc]\nPOST /2 at b 1.1 "
     "keep\nHost=b\nTransfer-Encoding=chunked\n"
     "[x]\nGET /3 at c 1.1 close\nHost=c\nConnection=close\n[]\n"},
};

TEST(RequestParser, reads_every_recording) {
  for (const auto& [name, bytes, transcript] : kRecordings) {
    EXPECT_EQ(transcribe_requests(bytes, {}, Limits{}), std::string(transcript) + std::string(kIdle)) << name;
  }
}

TEST(RequestParser, every_split_gives_the_same_as_the_whole) {
  for (const auto& [name, bytes, transcript] : kRecordings) {
    const auto whole = std::string(transcript) + std::string(kIdle);
    EXPECT_EQ(transcribe_requests(bytes, every_byte(bytes), Limits{}), whole) << name << " byte by byte";
    for (std::size_t first = 1; first < bytes.size(); ++first) {
      ASSERT_EQ(transcribe_requests(bytes, {first}, Limits{}), whole) << name << " cut at " << first;
      for (std::size_t second = first + 1; second < bytes.size(); second += 7) {
        ASSERT_EQ(transcribe_requests(bytes, {first, second}, Limits{}), whole)
            << name << " " << first << " " << second;
      }
    }
  }
}

TEST(RequestParser, no_prefix_of_a_request_is_complete_or_refused) {
  for (const auto& [name, bytes, transcript] : kRecordings) {
    if (name == "pipelined") continue;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto seen = transcribe_requests(bytes.substr(0, size), {}, Limits{});
      ASSERT_TRUE(seen.starts_with("rest ")) << name << " of " << size << ": " << seen;
    }
  }
}

TEST(RequestParser, stops_between_head_and_body) {
  const Limits limits;
  RequestParser parser(limits);
  const std::string_view bytes = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET";
  EXPECT_EQ(parser.feed(bytes), bytes.find("abc"));
  EXPECT_EQ(parser.stage(), Stage::Body);
  EXPECT_EQ(parser.head().method(), Method::Post);
  EXPECT_EQ(parser.feed("abcGET"), 3U);
  EXPECT_EQ(parser.stage(), Stage::Complete);
  EXPECT_EQ(parser.feed("GET"), 0U) << "a pipelined request waits";
  EXPECT_EQ(parser.take_body(), "abc");
  parser.next();
  EXPECT_TRUE(parser.idle());
}

class CollectingSink final : public BodySink {
 public:
  void on_body(base::Bytes bytes) override { pieces.emplace_back(bytes); }
  std::vector<std::string> pieces;
};

TEST(RequestParser, streams_a_body_to_a_sink_as_it_arrives) {
  const Limits limits;
  RequestParser parser(limits);
  ASSERT_TRUE(parser.feed("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"));
  CollectingSink sink;
  parser.stream_body_to(sink);
  EXPECT_EQ(parser.feed("6\r\nab"), 5U);
  EXPECT_EQ(parser.feed("cdef\r"), 4U) << "the CR is shown again with its LF";
  EXPECT_EQ(parser.feed("\r\n0\r\n\r\n"), 7U);
  EXPECT_EQ(parser.stage(), Stage::Complete);
  EXPECT_EQ(sink.pieces, (std::vector<std::string>{"ab", "cdef"}));
  EXPECT_EQ(parser.take_body(), "");
}

TEST(RequestParser, a_body_over_the_limit_leaves_the_head_to_answer_by) {
  const Limits limits{.body_bytes_max = 4};
  RequestParser parser(limits);
  const auto used = parser.feed("POST /x HTTP/1.1\r\nHost: a\r\nOrigin: http://b\r\nContent-Length: 5\r\n\r\n");
  ASSERT_FALSE(used);
  EXPECT_EQ(used.error().status, 413);
  ASSERT_TRUE(parser.has_head());
  EXPECT_EQ(parser.head().target(), "/x");
  EXPECT_EQ(parser.head().fields().field("origin"), "http://b");
}

TEST(RequestParser, tells_methods_apart_by_case) {
  const Limits limits;
  for (const auto& [text, method] : {std::pair{"GET", Method::Get},
                                     {"HEAD", Method::Head},
                                     {"POST", Method::Post},
                                     {"PUT", Method::Put},
                                     {"PATCH", Method::Patch},
                                     {"DELETE", Method::Delete},
                                     {"OPTIONS", Method::Options},
                                     {"TRACE", Method::Trace},
                                     {"get", Method::Other},
                                     {"GETS", Method::Other},
                                     {"connect", Method::Other}}) {
    RequestParser parser(limits);
    ASSERT_TRUE(parser.feed(std::string(text) + " / HTTP/1.1\r\nHost: a\r\n\r\n")) << text;
    EXPECT_EQ(parser.head().method(), method) << text;
    EXPECT_EQ(parser.head().method_text(), text);
  }
}

TEST(RequestParser, an_upgrade_needs_both_fields_and_http_1_1) {
  const Limits limits;
  const auto asks = [&](std::string_view version, std::string_view fields) {
    RequestParser parser(limits);
    EXPECT_TRUE(parser.feed("GET / " + std::string(version) + "\r\nHost: a\r\n" + std::string(fields) + "\r\n"));
    return parser.head().asks_upgrade("websocket");
  };
  EXPECT_TRUE(asks("HTTP/1.1", "Connection: keep-alive\r\nConnection: upgrade\r\nUpgrade: h2c, WebSocket\r\n"));
  EXPECT_FALSE(asks("HTTP/1.1", "Upgrade: websocket\r\n"));
  EXPECT_FALSE(asks("HTTP/1.1", "Connection: upgrade\r\n"));
  EXPECT_FALSE(asks("HTTP/1.1", "Connection: upgraded\r\nUpgrade: websocket\r\n"));
  EXPECT_FALSE(asks("HTTP/1.0", "Connection: upgrade\r\nUpgrade: websocket\r\n"));
}

TEST(RequestParser, fields_are_found_counted_and_joined_without_regard_to_case) {
  const Limits limits;
  RequestParser parser(limits);
  ASSERT_TRUE(parser.feed("GET / HTTP/1.1\r\nHost: a\r\nAccept: x\r\nACCEPT: y;q=1 , Z\r\nAccepts: w\r\n\r\n"));
  const auto& fields = parser.head().fields();
  EXPECT_EQ(fields.size(), 4U);
  EXPECT_EQ(fields.field("aCCept"), "x");
  EXPECT_EQ(fields.field("accep"), std::nullopt);
  EXPECT_EQ(fields.count("accept"), 2U);
  EXPECT_EQ(fields.joined("accept"), "x, y;q=1 , Z");
  EXPECT_EQ(fields.joined("cookie"), "");
  EXPECT_TRUE(fields.has_token("accept", "z"));
  EXPECT_FALSE(fields.has_token("accept", "y"));
}

TEST(RequestParser, a_host_may_be_a_name_an_address_and_a_port) {
  const Limits limits;
  for (const std::string host :
       {"a", "a.b-c_d~e.", "127.0.0.1", "[::1]", "[::ffff:1.2.3.4]:80", "a:", "a:0", "a:65535"}) {
    RequestParser parser(limits);
    ASSERT_TRUE(parser.feed("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n")) << host;
    EXPECT_EQ(parser.head().host(), host);
  }
}

}  // namespace
}  // namespace protocols::http
