// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/codec/body_reader.h"

#include <algorithm>
#include <optional>

#include "protocols/http/codec/fields.h"
#include "protocols/http/codec/grammar.h"

namespace protocols::http {
namespace {

// A line of at most `bytes_max` octets without its CRLF; nothing until its line feed is there.
Parsed<std::optional<base::Bytes>> line_of(base::Bytes bytes, std::size_t bytes_max, Fault too_long) {
  const auto found = bytes.find('\n');
  const auto end = found == bytes.npos ? bytes.size() : found;
  if (end > bytes_max + 1) return std::unexpected(too_long);
  if (found == bytes.npos) return std::optional<base::Bytes>{};
  if (end == 0 || bytes[end - 1] != '\r') return std::unexpected(Fault::BareLineFeed);
  return std::optional{bytes.substr(0, end - 1)};
}

constexpr std::size_t kLineEndBytes = 2;

}  // namespace

BodyReader::BodyReader(Framing framing, const Limits& limits)
    : remaining_(framing.length), allowed_(limits.body_bytes_max) {
  switch (framing.kind) {
    case BodyKind::None: state_ = State::Complete; break;
    case BodyKind::Length: state_ = State::Length; break;
    case BodyKind::Chunked: state_ = State::ChunkSize; break;
    case BodyKind::UntilClose: state_ = State::UntilClose; break;
  }
}

Parsed<BodyReader::Piece> BodyReader::next(base::Bytes bytes) {
  if (bytes.empty()) return Piece{};
  switch (state_) {
    case State::Length: return take_content(bytes, State::Complete);
    case State::UntilClose: return take_until_close(bytes);
    case State::ChunkSize: return take_chunk_size(bytes);
    case State::ChunkContent: return take_content(bytes, State::ChunkEnd);
    case State::ChunkEnd: return take_chunk_end(bytes);
    case State::Trailers: return take_trailer(bytes);
    case State::Complete: break;
  }
  return Piece{};
}

Fault BodyReader::on_closed() {
  if (state_ == State::UntilClose) state_ = State::Complete;
  return complete() ? Fault::None : Fault::CutShort;
}

BodyReader::Piece BodyReader::take_content(base::Bytes bytes, State after) {
  const auto content = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, bytes.size())));
  remaining_ -= content.size();
  if (remaining_ == 0) state_ = after;
  return {.consumed = content.size(), .content = content};
}

Parsed<BodyReader::Piece> BodyReader::take_until_close(base::Bytes bytes) {
  if (bytes.size() > allowed_) return std::unexpected(Fault::BodyTooLarge);
  if (allowed_ != kBodyBytesUnbounded) allowed_ -= bytes.size();
  return Piece{.consumed = bytes.size(), .content = bytes};
}

Parsed<BodyReader::Piece> BodyReader::take_chunk_size(base::Bytes bytes) {
  const auto line = line_of(bytes, kChunkLineBytesMax, Fault::ChunkLineTooLong);
  if (!line) return std::unexpected(line.error());
  if (!*line) return Piece{};
  if (const Fault fault = begin_chunk(**line); fault != Fault::None) return std::unexpected(fault);
  return Piece{.consumed = (*line)->size() + kLineEndBytes};
}

// chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF. Extensions mean nothing to us; white space before the `;`
// is refused although section 7.1.1 calls it merely bad, because front ends were seen to read past it.
Fault BodyReader::begin_chunk(base::Bytes line) {
  const auto semicolon = line.find(';');
  const auto size = hexadecimal(line.substr(0, semicolon));
  if (!size) return Fault::BadChunkSize;
  if (semicolon != line.npos) {
    const auto extension = line.substr(semicolon);
    if (!is_field_value(extension)) return Fault::BadChunkExtension;
    extension_bytes_ += static_cast<std::uint32_t>(extension.size());
    if (extension_bytes_ > kChunkExtensionBytesMax) return Fault::BadChunkExtension;
  }
  if (*size > allowed_) return Fault::BodyTooLarge;
  if (allowed_ != kBodyBytesUnbounded) allowed_ -= *size;
  remaining_ = *size;
  state_ = *size == 0 ? State::Trailers : State::ChunkContent;
  return Fault::None;
}

Parsed<BodyReader::Piece> BodyReader::take_chunk_end(base::Bytes bytes) {
  constexpr base::Bytes kLineEnd = "\r\n";
  const auto seen = bytes.substr(0, kLineEndBytes);
  if (!kLineEnd.starts_with(seen)) return std::unexpected(Fault::BadChunkEnd);
  if (seen.size() < kLineEndBytes) return Piece{};
  state_ = State::ChunkSize;
  return Piece{.consumed = kLineEndBytes};
}

Parsed<BodyReader::Piece> BodyReader::take_trailer(base::Bytes bytes) {
  const auto line = line_of(bytes, kTrailerBytesMax - trailer_bytes_, Fault::TrailersTooLarge);
  if (!line) return std::unexpected(line.error());
  if (!*line) return Piece{};
  if ((*line)->empty()) {
    state_ = State::Complete;
    return Piece{.consumed = kLineEndBytes};
  }
  if (const auto field = parse_field_line(**line); !field) return std::unexpected(field.error());
  trailer_bytes_ += static_cast<std::uint32_t>((*line)->size());
  return Piece{.consumed = (*line)->size() + kLineEndBytes};
}

}  // namespace protocols::http
