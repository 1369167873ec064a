// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/client/sentence.h"

#include <cstring>

#include "codec/json.h"
#include "protocols/http/codec/response_writer.h"

namespace protocols::http {
namespace {

std::string text_member(const codec::json::Value& object, std::string_view name) {
  const auto member = object.member(name);
  return printable(member ? member->string().value_or("") : "");
}

void append_faults(std::string& out, const codec::json::Value& problem) {
  const auto errors = problem.member("errors");
  if (!errors) return;
  std::size_t shown = 0;
  std::size_t left_out = 0;
  errors->for_each_item([&](const codec::json::Value& fault) {
    if (shown == kProblemFaultsShownMax) return void(++left_out);
    const std::string pointer = text_member(fault, "pointer");
    const std::string detail = text_member(fault, "detail");
    if (pointer.empty() && detail.empty()) return;
    ++shown;
    out.append("\n  ").append(pointer.empty() ? "(the whole)" : pointer).append(": ").append(detail);
  });
  if (left_out > 0) out.append("\n  and ").append(std::to_string(left_out)).append(" more");
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto octet = static_cast<unsigned char>(text[at]);
    const auto next = static_cast<unsigned char>(at + 1 < text.size() ? text[at + 1] : 0);
    const bool c1 = octet == 0xC2 && next >= 0x80 && next <= 0x9F;  // U+0080 to U+009F
    at += c1 ? 1 : 0;
    out += octet < 0x20 || octet == 0x7F || c1 ? ' ' : text[at];
  }
  return out;
}

std::string problem_sentence(const ResponseHead& head, base::Bytes body) {
  std::string title;
  std::string detail;
  std::string faults;
  codec::json::Parser parser;
  const bool is_json = head.fields().field("Content-Type").value_or("").find("json") != std::string_view::npos;
  if (is_json) {
    if (const auto problem = parser.parse(body)) {
      title = text_member(*problem, "title");
      detail = text_member(*problem, "detail");
      append_faults(faults, *problem);
    }
  }
  if (title.empty()) title = printable(head.reason());
  if (title.empty()) title = reason_phrase(head.status());
  if (title.empty()) title = "refused";
  title.append(" (").append(std::to_string(head.status())).append(")");
  if (!detail.empty()) title.append(": ").append(detail);
  return title + faults;
}

std::string failure_sentence(const base::Error& error) {
  std::string out = error.text;
  const char* const reason = error.sys_errno == 0 ? nullptr : strerrordesc_np(error.sys_errno);
  if (reason != nullptr) out.append(": ").append(reason);
  return out;
}

}  // namespace protocols::http
