// SPDX-License-Identifier: Apache-2.0
#pragma once
// Frames of a chunked body as a sender writes them (RFC 9112 section 7.1). Never an empty chunk by accident: that would
// end the body.
#include <array>
#include <cstddef>
#include <string>

#include "base/bytes.h"

namespace protocols::http {

inline constexpr base::Bytes kLineEnd = "\r\n";
inline constexpr base::Bytes kLastChunk = "0\r\n\r\n";

// `1a\r\n`, in place: for a sender that passes head, data and kLineEnd to one writev without copying the data.
class ChunkHead final {
 public:
  explicit ChunkHead(std::size_t data_bytes);  // not 0
  base::Bytes bytes() const { return base::Bytes(text_.data() + begin_, text_.size() - begin_); }

 private:
  static constexpr std::size_t kBytesMax = 18;
  std::array<char, kBytesMax> text_;
  std::size_t begin_ = kBytesMax;
};

// Head, data and CRLF behind `out`; nothing if there is no data.
void append_chunk(std::string& out, base::Bytes data);

}  // namespace protocols::http
