// SPDX-License-Identifier: Apache-2.0
#pragma once
// Why a message is refused, and what its sender is told. After any of these the position in the byte stream is no
// longer certain, so the session answers with the status and closes (RFC 9112 section 9.3).
#include <cstdint>
#include <expected>

#include "base/result.h"

namespace protocols::http {

enum class Fault : std::uint8_t {
  None,
  BadRequestLine,
  BadMethod,
  MethodTooLong,
  ConnectRefused,
  BadTarget,
  TargetTooLong,
  BadVersion,
  VersionNotServed,
  BadStatusLine,
  BareLineFeed,
  HeadTooLarge,
  TooManyFields,
  FoldedField,
  SpaceBeforeColon,
  BadFieldName,
  BadFieldValue,
  MissingHost,
  RepeatedHost,
  BadHost,
  RepeatedLength,
  BadLength,
  LengthAndCoding,
  CodingBeforeHttp11,
  BadCoding,
  CodingNotServed,
  UnknownExpectation,
  BodyTooLarge,
  BadChunkSize,
  BadChunkExtension,
  ChunkLineTooLong,
  BadChunkEnd,
  TrailersTooLarge,
  CutShort,
};

// What a session answers: an HTTP status, and one static sentence without a full stop for the problem's detail.
struct ParseFailure {
  Fault fault;
  int status;
  const char* text;
};

template <class T>
using Parsed = std::expected<T, Fault>;

ParseFailure failure_of(Fault);

// The same for a client, which has nobody to answer: TooLarge, Unsupported, Closed or BadInput.
base::Error error_of(Fault);

}  // namespace protocols::http
