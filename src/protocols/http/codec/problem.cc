// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/codec/problem.h"

#include <algorithm>

#include "codec/json_writer.h"
#include "codec/utf8.h"
#include "protocols/http/codec/response_writer.h"

namespace protocols::http {
namespace {

// A detail may quote what a peer sent, and a document must be UTF-8 whatever that was.
std::string as_utf8(std::string_view text) {
  constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";
  std::string out;
  while (!text.empty()) {
    const auto size = codec::utf8_character_size(text);
    out += size == 0 ? kReplacementCharacter : text.substr(0, size);
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

}  // namespace

std::string problem_document(const Problem& problem) {
  std::string out;
  codec::json::Writer json(out);
  json.begin_object();
  json.member("type", problem.type.empty() ? "about:blank" : "urn:tidewire:problem:" + std::string(problem.type));
  json.member("title", problem.title.empty() ? reason_phrase(problem.status) : problem.title);
  json.key("status").integer(problem.status);
  if (!problem.detail.empty()) json.member("detail", as_utf8(problem.detail));
  if (!problem.members.empty()) out.append(",").append(problem.members);
  json.end_object();
  return out;
}

}  // namespace protocols::http
