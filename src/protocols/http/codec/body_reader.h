// SPDX-License-Identifier: Apache-2.0
#pragma once
// The body of one message as it arrives: by length, in chunks (RFC 9112 section 7.1), or until the connection closes.
// Holds no bytes: content is a view into what was given, and an unfinished chunk line is left with the connection.
// Trailers are checked like fields and discarded.
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "protocols/http/codec/fault.h"
#include "protocols/http/codec/framing.h"
#include "protocols/http/codec/limits.h"

namespace protocols::http {

// Where content goes as it arrives, for bodies that are not collected.
class BodySink {
 public:
  virtual void on_body(base::Bytes) = 0;

 protected:
  ~BodySink() = default;
};

class BodyReader final {
 public:
  struct Piece {
    std::size_t consumed = 0;  // 0: more bytes are needed
    base::Bytes content = {};
  };

  BodyReader() = default;
  BodyReader(Framing, const Limits&);

  // The next piece; call again with the rest until it consumes nothing or the body is complete.
  Parsed<Piece> next(base::Bytes);
  bool complete() const { return state_ == State::Complete; }

  // The end of the connection completes a body that has no other end.
  Fault on_closed();

 private:
  enum class State : std::uint8_t { Length, UntilClose, ChunkSize, ChunkContent, ChunkEnd, Trailers, Complete };

  Piece take_content(base::Bytes, State after);
  Parsed<Piece> take_until_close(base::Bytes);
  Parsed<Piece> take_chunk_size(base::Bytes);
  Parsed<Piece> take_chunk_end(base::Bytes);
  Parsed<Piece> take_trailer(base::Bytes);
  Fault begin_chunk(base::Bytes line);

  std::uint64_t remaining_ = 0;  // of the body or the chunk
  std::uint64_t allowed_ = 0;    // what may still come before the limit
  std::uint32_t extension_bytes_ = 0;
  std::uint32_t trailer_bytes_ = 0;
  State state_ = State::Complete;
};

}  // namespace protocols::http
