// SPDX-License-Identifier: Apache-2.0
#pragma once
// For tests and fuzzers: what the parsers make of bytes that arrive in pieces, as one text to compare.
//
// Each turn shows the unconsumed bytes in a new allocation of exactly their size, so that a view kept too long or read
// too far is found by the address sanitizer.
#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "protocols/http/codec/request_parser.h"
#include "protocols/http/codec/response_parser.h"

namespace protocols::http {

// Shows `pending` to the parser until it wants more; true while the parser can go on.
template <class Parser, class OnComplete, class OnFault>
bool drain(Parser& parser, std::string& pending, OnComplete on_complete, OnFault on_fault) {
  while (true) {
    const std::vector<char> shown(pending.begin(), pending.end());
    const auto used = parser.feed(base::Bytes(shown.data(), shown.size()));
    if (!used) return on_fault(used.error()), false;
    pending.erase(0, *used);
    if (parser.stage() == Stage::Complete) {
      on_complete();
    } else if (*used == 0) {
      return true;
    }
  }
}

inline void record_fields(std::string& out, const Fields& fields) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    out.append(fields.at(i).name).append("=").append(fields.at(i).value).append("\n");
  }
}

// `cuts` are offsets, ascending, where one arrival ends and the next begins.
inline std::string transcribe_requests(base::Bytes bytes, const std::vector<std::size_t>& cuts, const Limits& limits) {
  std::string out;
  std::string pending;
  RequestParser parser(limits);
  const auto on_complete = [&] {
    const auto& head = parser.head();
    out.append(head.method_text()).append(" ").append(head.target()).append(" at ").append(head.host());
    out += head.version() == Version::Http11 ? " 1.1" : " 1.0";
    out += head.keep_alive() ? " keep" : " close";
    out += head.expects_continue() ? " continue\n" : "\n";
    record_fields(out, head.fields());
    out += "[" + parser.take_body() + "]\n";
    parser.next();
  };
  const auto on_fault = [&](const ParseFailure& failure) { out += "fault: " + std::string(failure.text) + "\n"; };
  std::size_t from = 0;
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    const auto to = i < cuts.size() ? std::min(cuts[i], bytes.size()) : bytes.size();
    pending += bytes.substr(from, to - from);
    from = to;
    if (!drain(parser, pending, on_complete, on_fault)) return out;
  }
  out += "rest " + std::to_string(pending.size()) + " idle " + (parser.idle() ? "yes" : "no") + "\n";
  return out;
}

// `answers` is what every response of the stream answers; the server closes behind the last byte.
inline std::string transcribe_responses(base::Bytes bytes, const std::vector<std::size_t>& cuts, const Limits& limits,
                                        Answers answers = Answers::Other) {
  std::string out;
  std::string pending;
  ResponseParser parser(limits, answers);
  const auto on_complete = [&] {
    const auto& head = parser.head();
    out += std::to_string(head.status()) + " " + std::string(head.reason()) + (head.keep_alive() ? " keep\n" : "\n");
    record_fields(out, head.fields());
    out += "[" + parser.take_body() + "]\n";
    parser.next(answers);
  };
  const auto on_fault = [&](const base::Error& error) { out += "fault: " + std::string(error.text) + "\n"; };
  std::size_t from = 0;
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    const auto to = i < cuts.size() ? std::min(cuts[i], bytes.size()) : bytes.size();
    pending += bytes.substr(from, to - from);
    from = to;
    if (!drain(parser, pending, on_complete, on_fault)) return out;
  }
  if (const auto closed = parser.on_closed(); closed) {
    on_complete();
  } else {
    out += "closed: " + std::string(closed.error().text) + "\n";
  }
  return out;
}

inline std::vector<std::size_t> every_byte(base::Bytes bytes) {
  std::vector<std::size_t> cuts;
  for (std::size_t at = 1; at < bytes.size(); ++at) cuts.push_back(at);
  return cuts;
}

}  // namespace protocols::http
