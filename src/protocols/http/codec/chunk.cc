// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/codec/chunk.h"

#include "base/result.h"

namespace protocols::http {

ChunkHead::ChunkHead(std::size_t data_bytes) {
  CHECK(data_bytes > 0, "an empty chunk would end the body");
  text_[--begin_] = '\n';
  text_[--begin_] = '\r';
  for (; data_bytes > 0; data_bytes >>= 4) text_[--begin_] = "0123456789abcdef"[data_bytes & 0xF];
}

void append_chunk(std::string& out, base::Bytes data) {
  if (data.empty()) return;
  const ChunkHead head(data.size());
  out.reserve(out.size() + head.bytes().size() + data.size() + kLineEnd.size());
  out += head.bytes();
  out += data;
  out += kLineEnd;
}

}  // namespace protocols::http
