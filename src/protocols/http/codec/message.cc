// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/codec/message.h"

namespace protocols::http {

Fault Message::begin_body(Framing framing, const Limits& limits) {
  if (framing.length > limits.body_bytes_max) return Fault::BodyTooLarge;
  body_ = BodyReader(framing, limits);
  return Fault::None;
}

Parsed<std::size_t> Message::take_body(base::Bytes bytes) {
  std::size_t used = 0;
  while (!body_.complete()) {
    const auto piece = body_.next(bytes.substr(used));
    if (!piece) return std::unexpected(piece.error());
    if (piece->consumed == 0) break;
    used += piece->consumed;
    if (piece->content.empty()) continue;
    if (sink != nullptr) {
      sink->on_body(piece->content);
    } else {
      content += piece->content;
    }
  }
  return used;
}

}  // namespace protocols::http
