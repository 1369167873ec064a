// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/codec/fault.h"

namespace protocols::http {
namespace {

const char* text_of(Fault fault) {
  switch (fault) {
    case Fault::None: return "no fault";
    case Fault::BadRequestLine: return "the request line is not `method SP target SP version`";
    case Fault::BadMethod: return "the method is not a token";
    case Fault::MethodTooLong: return "the method is longer than any that exists";
    case Fault::ConnectRefused: return "CONNECT is not served";
    case Fault::BadTarget: return "the request target is neither a path nor an http URI, or has a forbidden character";
    case Fault::TargetTooLong: return "the request line is too long";
    case Fault::BadVersion: return "the protocol version is not of the form HTTP/1.1";
    case Fault::VersionNotServed: return "only HTTP/1.0 and HTTP/1.1 are served here";
    case Fault::BadStatusLine: return "the status line is not `version SP status SP reason`";
    case Fault::BareLineFeed: return "a line ends with LF instead of CRLF";
    case Fault::HeadTooLarge: return "the head of the message is too large";
    case Fault::TooManyFields: return "the message has too many fields";
    case Fault::FoldedField: return "a line begins with white space (obs-fold)";
    case Fault::SpaceBeforeColon: return "white space stands between a field name and its colon";
    case Fault::BadFieldName: return "a field name is empty or not a token, or its colon is missing";
    case Fault::BadFieldValue: return "a field value has a control character";
    case Fault::MissingHost: return "the Host field is missing";
    case Fault::RepeatedHost: return "there is more than one Host field";
    case Fault::BadHost: return "the host is not a name or address with an optional port";
    case Fault::RepeatedLength: return "there is more than one Content-Length";
    case Fault::BadLength: return "the Content-Length is not a decimal number";
    case Fault::LengthAndCoding: return "Content-Length and Transfer-Encoding exclude each other";
    case Fault::CodingBeforeHttp11: return "HTTP/1.0 has no Transfer-Encoding";
    case Fault::BadCoding: return "chunked must be the last transfer coding, and only once";
    case Fault::CodingNotServed: return "the only transfer coding served is chunked";
    case Fault::UnknownExpectation: return "the only expectation served is 100-continue";
    case Fault::BodyTooLarge: return "the body is too large";
    case Fault::BadChunkSize: return "a chunk size is not a hexadecimal number of at most 16 digits";
    case Fault::BadChunkExtension: return "a chunk extension has a control character, or there are too many";
    case Fault::ChunkLineTooLong: return "the line of a chunk size is too long";
    case Fault::BadChunkEnd: return "the content of a chunk is not followed by CRLF";
    case Fault::TrailersTooLarge: return "the trailers are too large";
    case Fault::CutShort: return "the connection was closed within a message";
  }
  return "unknown fault";
}

int status_of(Fault fault) {
  switch (fault) {
    case Fault::BodyTooLarge: return 413;
    case Fault::TargetTooLong: return 414;
    case Fault::UnknownExpectation: return 417;
    case Fault::HeadTooLarge:
    case Fault::TooManyFields:
    case Fault::TrailersTooLarge: return 431;
    case Fault::MethodTooLong:  // RFC 9112 section 3: longer than any that the server implements
    case Fault::ConnectRefused:
    case Fault::CodingNotServed: return 501;
    case Fault::VersionNotServed: return 505;
    default: return 400;
  }
}

}  // namespace

ParseFailure failure_of(Fault fault) { return {.fault = fault, .status = status_of(fault), .text = text_of(fault)}; }

base::Error error_of(Fault fault) {
  switch (fault) {
    case Fault::CutShort: return {base::Errc::Closed, text_of(fault)};
    case Fault::CodingNotServed:
    case Fault::VersionNotServed: return {base::Errc::Unsupported, text_of(fault)};
    case Fault::BodyTooLarge:
    case Fault::HeadTooLarge:
    case Fault::TooManyFields:
    case Fault::TrailersTooLarge: return {base::Errc::TooLarge, text_of(fault)};
    default: return {base::Errc::BadInput, text_of(fault)};
  }
}

}  // namespace protocols::http
