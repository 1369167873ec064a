// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/codec/response_writer.h"

#include <array>
#include <charconv>

#include "base/result.h"
#include "protocols/http/codec/grammar.h"

namespace protocols::http {
namespace {

void append_number(std::string& out, std::uint64_t number) {
  constexpr std::size_t kDigitsMax = 20;
  std::array<char, kDigitsMax> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

}  // namespace

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100: return "Continue";
    case 101: return "Switching Protocols";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Content";
    case 426: return "Upgrade Required";
    case 428: return "Precondition Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    case 507: return "Insufficient Storage";
    default: return "";
  }
}

ResponseWriter::ResponseWriter(std::string& out, int status) : out_(out) {
  CHECK(status / 100 >= 1, "the first digit of a status is 1 to 5");
  CHECK(status / 100 <= 5, "the first digit of a status is 1 to 5");
  out_ += "HTTP/1.1 ";
  append_number(out_, static_cast<std::uint64_t>(status));
  out_ += ' ';
  out_ += reason_phrase(status);
  out_ += kLineEnd;
}

ResponseWriter& ResponseWriter::field(std::string_view name, std::string_view value) {
  CHECK(is_token(name), "a field name is a token");
  out_ += name;
  out_ += ": ";
  const auto begin = out_.size();
  out_ += value;
  if (!is_field_value(value)) {
    for (auto at = begin; at < out_.size(); ++at) {
      if (!is_field_value(std::string_view(out_).substr(at, 1))) out_[at] = ' ';
    }
  }
  out_ += kLineEnd;
  return *this;
}

ResponseWriter& ResponseWriter::content_length(std::uint64_t bytes) {
  CHECK(framed_ == Framed::No, "a response has one framing");
  framed_ = Framed::Yes;
  out_ += "Content-Length: ";
  append_number(out_, bytes);
  out_ += kLineEnd;
  return *this;
}

ResponseWriter& ResponseWriter::chunked() {
  CHECK(framed_ == Framed::No, "a response has one framing");
  framed_ = Framed::Yes;
  out_ += "Transfer-Encoding: chunked\r\n";
  return *this;
}

void ResponseWriter::end() { out_ += kLineEnd; }

}  // namespace protocols::http
