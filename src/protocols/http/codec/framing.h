// SPDX-License-Identifier: Apache-2.0
#pragma once
// How long the body of a message is (RFC 9112 section 6.3), read so that no recipient can come to another answer:
// one Content-Length at most, never beside Transfer-Encoding, and `chunked` as the only transfer coding.
#include <cstdint>

#include "protocols/http/codec/fault.h"
#include "protocols/http/codec/fields.h"
#include "protocols/http/codec/head_reader.h"

namespace protocols::http {

enum class BodyKind : std::uint8_t { None, Length, Chunked, UntilClose };

struct Framing {
  BodyKind kind = BodyKind::None;
  std::uint64_t length = 0;  // of kind Length, never 0
};

// What a response answers decides whether it has a body.
enum class Answers : std::uint8_t { Head, Other };

Parsed<Framing> request_framing(const Fields&, Version);
Parsed<Framing> response_framing(const Fields&, Version, int status, Answers);

// RFC 9112 section 9.3.
bool keeps_alive(const Fields&, Version);

}  // namespace protocols::http
