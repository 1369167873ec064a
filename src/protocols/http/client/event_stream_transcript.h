// SPDX-License-Identifier: Apache-2.0
#pragma once
// For tests and fuzzers: what the parser makes of bytes that arrive in pieces, as one text to compare.
//
// Each piece is shown in an allocation of exactly its size, so that a view kept too long or read too far is found by
// the address sanitizer.
#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "protocols/http/client/event_stream.h"

namespace protocols::http {

// `cuts` are offsets, ascending, where one arrival ends and the next begins.
inline std::string transcribe_stream(base::Bytes bytes, const std::vector<std::size_t>& cuts,
                                     std::size_t block_bytes_max = kStreamBlockBytesMax) {
  std::string out;
  EventStreamParser parser(block_bytes_max);
  std::size_t from = 0;
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    const std::size_t to = i < cuts.size() ? std::min(cuts[i], bytes.size()) : bytes.size();
    const std::vector<char> piece(bytes.begin() + static_cast<std::ptrdiff_t>(from),
                                  bytes.begin() + static_cast<std::ptrdiff_t>(to));
    from = to;
    base::Bytes rest(piece.data(), piece.size());
    while (true) {
      const auto block = parser.next(rest);
      if (!block) return out + "fault: " + block.error().text + "\n";
      if (!*block) break;
      const StreamBlock& found = **block;
      if (found.kind == StreamBlock::Kind::Event) out.append(found.type).append("[").append(found.data).append("]");
      out.append("@").append(found.id).append("\n");
    }
  }
  if (parser.retry_ms()) out += "retry " + std::to_string(*parser.retry_ms()) + "\n";
  return out;
}

}  // namespace protocols::http
