// SPDX-License-Identifier: Apache-2.0
// Requests that must be refused, each with its reason and the status that its sender is told, however it is split.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/http/codec/transcript.h"

namespace protocols::http {
namespace {

using namespace std::string_view_literals;

struct Malformed {
  std::string_view name;
  int status;
  Fault fault;
  std::string_view bytes;
};

// Behind a good line and Host, for what is wrong with a field or a body.
#define GET_WITH "GET / HTTP/1.1\r\nHost: a\r\n"
#define POST_WITH "POST / HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED POST_WITH "Transfer-Encoding: chunked\r\n\r\n"

constexpr Malformed kRequestLines[] = {
    {"http 0.9", 400, Fault::BadRequestLine, "GET /\r\n"sv},
    {"no target", 400, Fault::BadRequestLine, "GET HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"method alone", 400, Fault::BadRequestLine, "GET\r\n\r\n"sv},
    {"empty method", 400, Fault::BadMethod, " / HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"method with a slash", 400, Fault::BadMethod, "G/T / HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"method with a colon", 400, Fault::BadMethod, "GET: / HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"method with NUL", 400, Fault::BadMethod, "G\0T / HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"tab for space", 400, Fault::BadMethod, "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"TLS", 400, Fault::BadMethod, "\x16\x03\x01\x02\r\n"sv},
    {"method of 33 letters", 501, Fault::MethodTooLong,
     "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"connect", 501, Fault::ConnectRefused, "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n"sv},
    {"connect to a path", 501, Fault::ConnectRefused, "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"two spaces before the target", 400, Fault::BadTarget, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"two spaces behind the target", 400, Fault::BadTarget, "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"empty target", 400, Fault::BadRequestLine, "GET HTTP/1.1\r\n"sv},
    {"space in the target", 400, Fault::BadTarget, "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"tab in the target", 400, Fault::BadTarget, "GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"NUL in the target", 400, Fault::BadTarget, "GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"CR in the target", 400, Fault::BadTarget, "GET /a\rb HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"raw UTF-8 in the target", 400, Fault::BadTarget, "GET /\xC3\xA4 HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"fragment", 400, Fault::BadTarget, "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"angle bracket", 400, Fault::BadTarget, "GET /<a> HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"relative target", 400, Fault::BadTarget, "GET a HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"authority form", 400, Fault::BadTarget, "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"asterisk for GET", 400, Fault::BadTarget, "GET * HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"asterisk and more", 400, Fault::BadTarget, "OPTIONS */ HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"another scheme", 400, Fault::BadTarget, "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"absolute without a host", 400, Fault::BadHost, "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"absolute with a user", 400, Fault::BadHost, "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"absolute with a bad port", 400, Fault::BadHost, "GET http://a:b/ HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"absolute without Host", 400, Fault::MissingHost, "GET http://a/ HTTP/1.1\r\n\r\n"sv},
    {"lower-case version", 400, Fault::BadVersion, "GET / http/1.1\r\nHost: a\r\n\r\n"sv},
    {"version of one number", 400, Fault::BadVersion, "GET / HTTP/1\r\nHost: a\r\n\r\n"sv},
    {"version of two digits", 400, Fault::BadVersion, "GET / HTTP/1.10\r\nHost: a\r\n\r\n"sv},
    {"version with a comma", 400, Fault::BadVersion, "GET / HTTP/1,1\r\nHost: a\r\n\r\n"sv},
    {"space behind the version", 400, Fault::BadVersion, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"sv},
    {"CR behind the version", 400, Fault::BadVersion, "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n"sv},
    {"version 2.0", 505, Fault::VersionNotServed, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"sv},
    {"version 0.9", 505, Fault::VersionNotServed, "GET / HTTP/0.9\r\nHost: a\r\n\r\n"sv},
    {"HTTP/2 preface", 505, Fault::VersionNotServed, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"sv},
    {"two empty lines in front", 400, Fault::BadMethod, "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"bare LF in front", 400, Fault::BareLineFeed, "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"bare CR in front", 400, Fault::BadMethod, "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"bare LF behind the line", 400, Fault::BareLineFeed, "GET / HTTP/1.1\nHost: a\r\n\r\n"sv},
};

constexpr Malformed kFields[] = {
    {"bare LF behind a field", 400, Fault::BareLineFeed, "GET / HTTP/1.1\r\nHost: a\n\r\n"sv},
    {"bare LF ends the head", 400, Fault::BareLineFeed, GET_WITH "\n"sv},
    {"CR LF LF", 400, Fault::BareLineFeed, "GET / HTTP/1.1\r\n\nHost: a\r\n\r\n"sv},
    {"bare CR between fields", 400, Fault::BadFieldValue, "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n"sv},
    {"CR CR LF", 400, Fault::BadFieldValue, "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"sv},
    {"obs-fold", 400, Fault::FoldedField, GET_WITH "X: a\r\n b\r\n\r\n"sv},
    {"obs-fold with a tab", 400, Fault::FoldedField, GET_WITH "X: a\r\n\tb\r\n\r\n"sv},
    {"space before the first field", 400, Fault::FoldedField, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"sv},
    {"line of white space", 400, Fault::FoldedField, GET_WITH " \r\n\r\n"sv},
    {"space before the colon", 400, Fault::SpaceBeforeColon, POST_WITH "Content-Length : 3\r\n\r\nabc"sv},
    {"tab before the colon", 400, Fault::SpaceBeforeColon, POST_WITH "Transfer-Encoding\t: chunked\r\n\r\n"sv},
    {"empty name", 400, Fault::BadFieldName, GET_WITH ": x\r\n\r\n"sv},
    {"no colon", 400, Fault::BadFieldName, GET_WITH "Xyz\r\n\r\n"sv},
    {"name in brackets", 400, Fault::BadFieldName, GET_WITH "X[0]: x\r\n\r\n"sv},
    {"name with UTF-8", 400, Fault::BadFieldName, GET_WITH "X\xC3\xA4: x\r\n\r\n"sv},
    {"name with NUL", 400, Fault::BadFieldName, GET_WITH "X\0: x\r\n\r\n"sv},
    {"name with a control", 400, Fault::BadFieldName, GET_WITH "Transfer\x0B-Encoding: chunked\r\n\r\n"sv},
    {"name in quotes", 400, Fault::BadFieldName, GET_WITH "\"X\": x\r\n\r\n"sv},
    {"NUL in a value", 400, Fault::BadFieldValue, GET_WITH "X: a\0b\r\n\r\n"sv},
    {"NUL in a long value", 400, Fault::BadFieldValue, GET_WITH "X: 0123456789ab\0cdefghij\r\n\r\n"sv},
    {"control in a long value", 400, Fault::BadFieldValue,
     GET_WITH "X: 0123456\x1F"
              "89abcdefghij\r\n\r\n"sv},
    {"DEL in a value", 400, Fault::BadFieldValue,
     GET_WITH "X: 0123456\x7F"
              "89abcdef\r\n\r\n"sv},
    {"form feed in a value", 400, Fault::BadFieldValue, GET_WITH "X: a\x0C\r\n\r\n"sv},
    {"no Host", 400, Fault::MissingHost, "GET / HTTP/1.1\r\n\r\n"sv},
    {"no Host in HTTP/1.0", 400, Fault::MissingHost, "GET / HTTP/1.0\r\n\r\n"sv},
    {"two Hosts", 400, Fault::RepeatedHost, GET_WITH "Host: b\r\n\r\n"sv},
    {"the same Host twice", 400, Fault::RepeatedHost, GET_WITH "HOST: a\r\n\r\n"sv},
    {"empty Host", 400, Fault::BadHost, "GET / HTTP/1.1\r\nHost:\r\n\r\n"sv},
    {"Host with a path", 400, Fault::BadHost, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"sv},
    {"Host with a user", 400, Fault::BadHost, "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"sv},
    {"list of Hosts", 400, Fault::BadHost, "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n"sv},
    {"Host with a space", 400, Fault::BadHost, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"sv},
    {"Host with a sign in the port", 400, Fault::BadHost, "GET / HTTP/1.1\r\nHost: a:+80\r\n\r\n"sv},
    {"Host with port 65536", 400, Fault::BadHost, "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n"sv},
    {"Host with two ports", 400, Fault::BadHost, "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n"sv},
    {"Host with an open bracket", 400, Fault::BadHost, "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"sv},
    {"Host with text behind the bracket", 400, Fault::BadHost, "GET / HTTP/1.1\r\nHost: [::1]a\r\n\r\n"sv},
    {"Host with a zone", 400, Fault::BadHost, "GET / HTTP/1.1\r\nHost: [fe80::1%25eth0]\r\n\r\n"sv},
    {"unknown expectation", 417, Fault::UnknownExpectation, POST_WITH "Expect: 200-ok\r\n\r\n"sv},
    {"two expectations", 417, Fault::UnknownExpectation, POST_WITH "Expect: 100-continue, x\r\n\r\n"sv},
};

constexpr Malformed kLengths[] = {
    {"two lengths", 400, Fault::RepeatedLength, POST_WITH "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"sv},
    {"the same length twice", 400, Fault::RepeatedLength,
     POST_WITH "Content-Length: 3\r\nContent-length: 3\r\n\r\nabc"sv},
    {"list of lengths", 400, Fault::BadLength, POST_WITH "Content-Length: 3, 3\r\n\r\nabc"sv},
    {"empty length", 400, Fault::BadLength, POST_WITH "Content-Length:\r\n\r\n"sv},
    {"length with plus", 400, Fault::BadLength, POST_WITH "Content-Length: +3\r\n\r\nabc"sv},
    {"length with minus", 400, Fault::BadLength, POST_WITH "Content-Length: -3\r\n\r\nabc"sv},
    {"hexadecimal length", 400, Fault::BadLength, POST_WITH "Content-Length: 0x3\r\n\r\nabc"sv},
    {"length with a fraction", 400, Fault::BadLength, POST_WITH "Content-Length: 3.0\r\n\r\nabc"sv},
    {"length with a space", 400, Fault::BadLength, POST_WITH "Content-Length: 1 0\r\n\r\nabc"sv},
    {"length of 2^64", 400, Fault::BadLength, POST_WITH "Content-Length: 18446744073709551616\r\n\r\nabc"sv},
    {"length over the limit", 413, Fault::BodyTooLarge, POST_WITH "Content-Length: 65\r\n\r\n"sv},
    {"length of 2^64-1", 413, Fault::BodyTooLarge, POST_WITH "Content-Length: 18446744073709551615\r\n\r\n"sv},
    {"length and coding", 400, Fault::LengthAndCoding,
     POST_WITH "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv},
    {"coding and length", 400, Fault::LengthAndCoding,
     POST_WITH "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"sv},
    {"coding in HTTP/1.0", 400, Fault::CodingBeforeHttp11,
     "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv},
    {"unknown coding", 501, Fault::CodingNotServed, POST_WITH "Transfer-Encoding: gzip\r\n\r\n"sv},
    {"identity", 501, Fault::CodingNotServed, POST_WITH "Transfer-Encoding: identity\r\n\r\n"sv},
    {"almost chunked", 501, Fault::CodingNotServed, POST_WITH "Transfer-Encoding: xchunked\r\n\r\n"sv},
    {"gzip and chunked", 501, Fault::CodingNotServed, POST_WITH "Transfer-Encoding: gzip, chunked\r\n\r\n"sv},
    {"chunked in quotes", 400, Fault::BadCoding, POST_WITH "Transfer-Encoding: \"chunked\"\r\n\r\n"sv},
    {"chunked is not the last", 400, Fault::BadCoding, POST_WITH "Transfer-Encoding: chunked, gzip\r\n\r\n"sv},
    {"chunked twice", 400, Fault::BadCoding, POST_WITH "Transfer-Encoding: chunked, chunked\r\n\r\n"sv},
    {"chunked in two fields", 400, Fault::BadCoding,
     POST_WITH "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n"sv},
    {"empty coding", 400, Fault::BadCoding, POST_WITH "Transfer-Encoding:\r\n\r\n"sv},
    {"comma behind chunked", 400, Fault::BadCoding, POST_WITH "Transfer-Encoding: chunked,\r\n\r\n"sv},
    {"chunked with a parameter", 501, Fault::CodingNotServed, POST_WITH "Transfer-Encoding: chunked;a=b\r\n\r\n"sv},
};

constexpr Malformed kChunks[] = {
    {"no size", 400, Fault::BadChunkSize, CHUNKED "\r\nabc\r\n0\r\n\r\n"sv},
    {"size with plus", 400, Fault::BadChunkSize, CHUNKED "+3\r\nabc\r\n0\r\n\r\n"sv},
    {"size with minus", 400, Fault::BadChunkSize, CHUNKED "-3\r\nabc\r\n0\r\n\r\n"sv},
    {"size with 0x", 400, Fault::BadChunkSize, CHUNKED "0x3\r\nabc\r\n0\r\n\r\n"sv},
    {"size with a letter", 400, Fault::BadChunkSize, CHUNKED "3g\r\nabc\r\n0\r\n\r\n"sv},
    {"size with a space in front", 400, Fault::BadChunkSize, CHUNKED " 3\r\nabc\r\n0\r\n\r\n"sv},
    {"size with a space behind", 400, Fault::BadChunkSize, CHUNKED "3 \r\nabc\r\n0\r\n\r\n"sv},
    {"size of 17 digits", 400, Fault::BadChunkSize, CHUNKED "00000000000000003\r\nabc\r\n0\r\n\r\n"sv},
    {"size that wraps", 400, Fault::BadChunkSize, CHUNKED "10000000000000003\r\nabc\r\n0\r\n\r\n"sv},
    {"size of 2^64-1", 413, Fault::BodyTooLarge, CHUNKED "ffffffffffffffff\r\nabc\r\n0\r\n\r\n"sv},
    {"sizes that sum over the limit", 413, Fault::BodyTooLarge, CHUNKED "3\r\nabc\r\n3e\r\n"sv},
    {"bare LF behind the size", 400, Fault::BareLineFeed, CHUNKED "3\nabc\r\n0\r\n\r\n"sv},
    {"bare CR behind the size", 400, Fault::BadChunkSize, CHUNKED "3\rabc\r\n0\r\n\r\n"sv},
    {"content longer than its size", 400, Fault::BadChunkEnd, CHUNKED "3\r\nabcd\r\n0\r\n\r\n"sv},
    {"content shorter than its size", 400, Fault::BadChunkEnd, CHUNKED "4\r\nabc\r\n0\r\n\r\n"sv},
    {"bare LF behind the content", 400, Fault::BadChunkEnd, CHUNKED "3\r\nabc\n0\r\n\r\n"sv},
    {"bare CR behind the content", 400, Fault::BadChunkEnd, CHUNKED "3\r\nabc\r0\r\n\r\n"sv},
    {"NUL in an extension", 400, Fault::BadChunkExtension, CHUNKED "3;a\0b\r\nabc\r\n0\r\n\r\n"sv},
    {"CR in an extension", 400, Fault::BadChunkExtension, CHUNKED "3;a\rb\r\nabc\r\n0\r\n\r\n"sv},
    {"bare LF in an extension", 400, Fault::BareLineFeed, CHUNKED "3;a\nb\r\nabc\r\n0\r\n\r\n"sv},
    {"trailer without a colon", 400, Fault::BadFieldName, CHUNKED "0\r\nabc\r\n\r\n"sv},
    {"trailer with a space before the colon", 400, Fault::SpaceBeforeColon, CHUNKED "0\r\na : b\r\n\r\n"sv},
    {"folded trailer", 400, Fault::FoldedField, CHUNKED "0\r\na: b\r\n c\r\n\r\n"sv},
    {"bare LF behind a trailer", 400, Fault::BareLineFeed, CHUNKED "0\r\na: b\n\r\n"sv},
    {"bare LF ends the trailers", 400, Fault::BareLineFeed, CHUNKED "0\r\n\n"sv},
};

std::vector<Malformed> all_malformed() {
  std::vector<Malformed> all(std::begin(kRequestLines), std::end(kRequestLines));
  all.insert(all.end(), std::begin(kFields), std::end(kFields));
  all.insert(all.end(), std::begin(kLengths), std::end(kLengths));
  all.insert(all.end(), std::begin(kChunks), std::end(kChunks));
  return all;
}

constexpr Limits kSmallBody{.body_bytes_max = 64};

TEST(Malformed, every_entry_is_refused_with_its_status_and_reason) {
  for (const auto& [name, status, fault, bytes] : all_malformed()) {
    RequestParser parser(kSmallBody);
    std::expected<std::size_t, ParseFailure> used = 0;
    std::size_t at = 0;
    do {
      used = parser.feed(bytes.substr(at));
      if (used) at += *used;
    } while (used && *used > 0 && parser.stage() != Stage::Complete);
    ASSERT_FALSE(used) << name << " was not refused";
    EXPECT_EQ(used.error().status, status) << name;
    EXPECT_EQ(used.error().fault, fault) << name << ": " << used.error().text;
    EXPECT_EQ(parser.stage(), Stage::Failed) << name;
  }
}

TEST(Malformed, the_reason_does_not_depend_on_how_the_bytes_were_split) {
  for (const auto& entry : all_malformed()) {
    const auto whole = transcribe_requests(entry.bytes, {}, kSmallBody);
    EXPECT_EQ(transcribe_requests(entry.bytes, every_byte(entry.bytes), kSmallBody), whole) << entry.name;
    for (std::size_t cut = 1; cut < entry.bytes.size(); ++cut) {
      EXPECT_EQ(transcribe_requests(entry.bytes, {cut}, kSmallBody), whole) << entry.name << " cut at " << cut;
    }
  }
}

TEST(Malformed, the_table_has_an_entry_for_every_fault_of_a_request_that_needs_no_large_message) {
  std::set<Fault> seen;
  for (const auto& entry : all_malformed()) seen.insert(entry.fault);
  const std::set<Fault> elsewhere{Fault::None,          Fault::TargetTooLong,   Fault::HeadTooLarge,
                                  Fault::TooManyFields, Fault::BadStatusLine,   Fault::ChunkLineTooLong,
                                  Fault::CutShort,      Fault::TrailersTooLarge};
  for (int fault = 0; fault <= static_cast<int>(Fault::CutShort); ++fault) {
    EXPECT_NE(seen.contains(static_cast<Fault>(fault)), elsewhere.contains(static_cast<Fault>(fault)))
        << failure_of(static_cast<Fault>(fault)).text;
  }
}

TEST(Malformed, a_failed_parser_repeats_its_failure) {
  RequestParser parser(kSmallBody);
  ASSERT_FALSE(parser.feed("GET / HTTP/1.1\n"));
  const auto again = parser.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().fault, Fault::BareLineFeed);
}

// A field without effect on the parser, to reach a limit of the head.
std::string filler(std::size_t bytes) { return "X: " + std::string(bytes - 5, 'x') + "\r\n"; }

struct Edge {
  std::string_view name;
  int status_beyond;
  std::string within;
  std::string beyond;
};

std::vector<Edge> edges(const Limits& limits) {
  const std::string host = "Host: a\r\n\r\n";
  const auto line = [&](std::size_t bytes) { return "GET /" + std::string(bytes - 14, 'p') + " HTTP/1.1\r\n" + host; };
  const auto head = [&](std::size_t bytes) {
    const std::string start = "GET / HTTP/1.1\r\n";
    return start + filler(bytes - start.size() - host.size()) + host;
  };
  const auto fields = [&](std::size_t count) {
    std::string text = "GET / HTTP/1.1\r\n";
    for (std::size_t i = 1; i < count; ++i) text += "X: y\r\n";
    return text + host;
  };
  const auto extension = [&](std::size_t bytes) {
    return CHUNKED "1;" + std::string(bytes - 2, 'e') + "\r\na\r\n0\r\n\r\n";
  };
  const auto extensions = [&](std::size_t bytes) {
    std::string text = CHUNKED;
    for (; bytes > 200; bytes -= 200) text += "1;" + std::string(199, 'e') + "\r\na\r\n";
    return text + "1;" + std::string(bytes - 1, 'e') + "\r\na\r\n0\r\n\r\n";
  };
  const auto trailers = [&](std::size_t bytes) {
    return CHUNKED "0\r\n" + filler(100) + filler(bytes - 98 + 2) + "\r\n";
  };
  return {
      {"request line", 414, line(limits.request_line_bytes_max), line(limits.request_line_bytes_max + 1)},
      {"head", 431, head(limits.head_bytes_max), head(limits.head_bytes_max + 1)},
      {"fields", 431, fields(limits.fields_max), fields(limits.fields_max + 1)},
      {"length", 413, POST_WITH "Content-Length: 64\r\n\r\n" + std::string(64, 'b'),
       POST_WITH "Content-Length: 65\r\n\r\n"},
      {"chunk line", 400, extension(kChunkLineBytesMax), extension(kChunkLineBytesMax + 1)},
      {"chunk extensions", 400, extensions(kChunkExtensionBytesMax), extensions(kChunkExtensionBytesMax + 1)},
      {"trailers", 431, trailers(kTrailerBytesMax), trailers(kTrailerBytesMax + 1)},
  };
}

TEST(Malformed, each_limit_admits_its_last_byte_and_refuses_one_more) {
  const Limits limits{.request_line_bytes_max = 1024, .head_bytes_max = 4096, .body_bytes_max = 64};
  for (const auto& [name, status, within, beyond] : edges(limits)) {
    const auto good = transcribe_requests(within, {}, limits);
    EXPECT_EQ(good.find("fault"), good.npos) << name << ": " << good;
    EXPECT_NE(good.find("rest 0 idle yes"), good.npos) << name;
    EXPECT_EQ(transcribe_requests(within, every_byte(within), limits), good) << name;
    RequestParser parser(limits);
    std::size_t at = 0;
    auto used = parser.feed(beyond);
    while (used && *used > 0 && parser.stage() != Stage::Complete)
      used = parser.feed(base::Bytes(beyond).substr(at += *used));
    ASSERT_FALSE(used) << name;
    EXPECT_EQ(used.error().status, status) << name;
    const auto whole = transcribe_requests(beyond, {}, limits);
    EXPECT_EQ(transcribe_requests(beyond, every_byte(beyond), limits), whole) << name;
  }
}

TEST(Malformed, an_endless_line_is_refused_at_the_limit_without_its_end) {
  const Limits limits;
  RequestParser line(limits);
  const auto no_line = line.feed("GET /" + std::string(limits.request_line_bytes_max, 'a'));
  ASSERT_FALSE(no_line);
  EXPECT_EQ(no_line.error().status, 414);
  RequestParser field(limits);
  const auto no_field = field.feed(GET_WITH "X: " + std::string(limits.head_bytes_max, 'a'));
  ASSERT_FALSE(no_field);
  EXPECT_EQ(no_field.error().status, 431);
}

}  // namespace
}  // namespace protocols::http
