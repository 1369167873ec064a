// SPDX-License-Identifier: Apache-2.0
#pragma once
// The bounds that a message of a peer is held to. One object serves a whole listener; parsers keep a reference to it.
//
// RFC 9112 section 3 asks for a request line of at least 8,000 octets; RFC 9110 section 5.4 leaves the rest to us.
#include <cstddef>
#include <cstdint>

namespace protocols::http {

struct Limits {
  std::uint32_t request_line_bytes_max = 8 * 1024;  // at most head_bytes_max; beyond it 414
  std::uint32_t head_bytes_max = 32 * 1024;         // start line, fields and the empty line; beyond it 431
  std::uint32_t fields_max = 100;                   // beyond it 431
  std::uint64_t body_bytes_max = 1024 * 1024;       // content, without its chunk framing; beyond it 413
};

// For a stream that never ends and is handed on as it comes.
inline constexpr std::uint64_t kBodyBytesUnbounded = UINT64_MAX;

inline constexpr std::size_t kMethodBytesMax = 32;
inline constexpr std::size_t kChunkLineBytesMax = 256;            // one size and its extensions
inline constexpr std::size_t kChunkExtensionBytesMax = 4 * 1024;  // all extensions of one message
inline constexpr std::size_t kTrailerBytesMax = 4 * 1024;         // all trailers of one message

}  // namespace protocols::http
