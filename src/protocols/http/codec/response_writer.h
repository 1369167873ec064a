// SPDX-License-Identifier: Apache-2.0
#pragma once
// The head of a response, written behind what a string already holds (RFC 9112 section 4), so that heads, bodies and
// pipelined answers share one buffer:
//
//   ResponseWriter(out, 200).date(now).content_type("application/json").content_length(body.size()).end();
//   out += body;
//
// Field values may repeat what a peer sent: controls, which would begin a line of their own, are written as spaces
// (RFC 9110 section 5.5). Status and names are ours, and wrong ones stop the process.
#include <cstdint>
#include <string>
#include <string_view>

#include "protocols/http/codec/chunk.h"

namespace protocols::http {

// "Not Found"; empty for a status that RFC 9110 and its registry do not name.
std::string_view reason_phrase(int status);

class ResponseWriter final {
 public:
  ResponseWriter(std::string& out, int status);

  ResponseWriter& field(std::string_view name, std::string_view value);
  ResponseWriter& date(std::string_view imf_fixdate) { return field("Date", imf_fixdate); }
  ResponseWriter& content_type(std::string_view value) { return field("Content-Type", value); }
  ResponseWriter& connection(std::string_view options) { return field("Connection", options); }

  // One of these at most: a recipient would have to choose.
  ResponseWriter& content_length(std::uint64_t bytes);
  ResponseWriter& chunked();

  // The empty line; nothing may follow but the body.
  void end();

 private:
  enum class Framed : unsigned char { No, Yes };
  std::string& out_;
  Framed framed_ = Framed::No;
};

}  // namespace protocols::http
