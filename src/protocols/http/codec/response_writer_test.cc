// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/codec/response_writer.h"

#include <gtest/gtest.h>

#include <string>

#include "protocols/http/codec/transcript.h"

namespace protocols::http {
namespace {

TEST(ResponseWriter, writes_a_head_behind_what_is_there) {
  std::string out = "before";
  ResponseWriter(out, 201)
      .date("Sun, 06 Nov 1994 08:49:37 GMT")
      .content_type("application/json")
      .field("Tidewire-Cursor", "0abc")
      .content_length(2)
      .end();
  EXPECT_EQ(out,
            "beforeHTTP/1.1 201 Created\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: application/json\r\n"
            "Tidewire-Cursor: 0abc\r\nContent-Length: 2\r\n\r\n");
}

TEST(ResponseWriter, a_value_cannot_begin_a_line_of_its_own) {
  std::string out;
  ResponseWriter(out, 200).field("X", std::string("a\r\nSet-Cookie: b\0c\x7F", 19)).end();
  EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nX: a  Set-Cookie: b c \r\n\r\n");
}

TEST(ResponseWriter, a_status_without_a_name_has_an_empty_reason) {
  std::string out;
  ResponseWriter(out, 299).end();
  EXPECT_EQ(out, "HTTP/1.1 299 \r\n\r\n");
}

TEST(ResponseWriter, two_framings_stop_the_process) {
  std::string out;
  EXPECT_DEATH(ResponseWriter(out, 200).content_length(1).chunked(), "one framing");
  EXPECT_DEATH(ResponseWriter(out, 200).field("a b", "c"), "token");
}

TEST(ResponseWriter, every_failure_of_a_request_has_a_reason_phrase) {
  for (int fault = 0; fault <= static_cast<int>(Fault::CutShort); ++fault) {
    const auto failure = failure_of(static_cast<Fault>(fault));
    EXPECT_NE(reason_phrase(failure.status), "") << failure.status;
  }
}

TEST(Chunk, frames_carry_their_size_in_hexadecimal) {
  EXPECT_EQ(ChunkHead(1).bytes(), "1\r\n");
  EXPECT_EQ(ChunkHead(26).bytes(), "1a\r\n");
  EXPECT_EQ(ChunkHead(0x100000).bytes(), "100000\r\n");
  EXPECT_EQ(ChunkHead(SIZE_MAX).bytes(), "ffffffffffffffff\r\n");
  std::string out = "x";
  append_chunk(out, "hello");
  append_chunk(out, "");
  out += kLastChunk;
  EXPECT_EQ(out, "x5\r\nhello\r\n0\r\n\r\n");
}

TEST(Chunk, what_is_written_is_what_the_client_reads) {
  for (const std::size_t size : {1, 9, 10, 15, 16, 17, 255, 256, 4095, 4096, 70000}) {
    std::string out;
    ResponseWriter(out, 200).chunked().end();
    const std::string data(size, 'd');
    append_chunk(out, data);
    append_chunk(out, "e");
    out += kLastChunk;
    EXPECT_TRUE(transcribe_responses(out, {}, Limits{})
                    .starts_with("200 OK keep\nTransfer-Encoding=chunked\n[" + data + "e]\n"))
        << size;
  }
}

}  // namespace
}  // namespace protocols::http
