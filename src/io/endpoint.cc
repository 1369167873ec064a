// SPDX-License-Identifier: Apache-2.0
#include "io/endpoint.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>

namespace io {
namespace {

using base::Bytes;
using base::Errc;
using base::fail;
using base::Result;

constexpr Bytes kUnixPrefix = "unix:";
constexpr std::size_t kUnixPathBytesMax = sizeof(sockaddr_un::sun_path) - 1;
constexpr std::size_t kPortDigitsMax = 5;
constexpr const char* kForms = "an endpoint is 127.0.0.1:8080, [::1]:8080, localhost:8080 or unix:/run/tidewire.sock";

Result<std::uint16_t> parse_port(Bytes text) {
  const bool digits = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (text.empty() || text.size() > kPortDigitsMax || !digits) return fail(Errc::BadInput, kForms);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{}) return fail(Errc::BadInput, "a port is a number from 0 to 65535");
  return port;
}

Result<Endpoint> parse_unix(Bytes path) {
  if (path.empty() || path.find('\0') != Bytes::npos) return fail(Errc::BadInput, kForms);
  if (path.size() > kUnixPathBytesMax) return fail(Errc::BadInput, "the path of a Unix socket has at most 107 bytes");
  Endpoint endpoint;
  endpoint.family = Endpoint::Family::Unix;
  endpoint.path = path;
  return endpoint;
}

Result<Endpoint> parse_address(Bytes host, Endpoint::Family family) {
  Endpoint endpoint;
  endpoint.family = family;
  // inet_pton stops at a NUL, so a host with one inside would be read in part.
  if (host.find('\0') != Bytes::npos) return fail(Errc::BadInput, kForms);
  const std::string text(host);
  const int system_family = family == Endpoint::Family::V4 ? AF_INET : AF_INET6;
  if (inet_pton(system_family, text.c_str(), endpoint.address.data()) != 1) return fail(Errc::BadInput, kForms);
  return endpoint;
}

}  // namespace

Result<Endpoint> Endpoint::parse(Bytes text) {
  if (text.starts_with(kUnixPrefix)) return parse_unix(text.substr(kUnixPrefix.size()));
  const std::size_t colon = text.rfind(':');
  if (colon == Bytes::npos) return fail(Errc::BadInput, kForms);
  Bytes host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (host == "localhost") host = "127.0.0.1";
  Endpoint endpoint = bracketed ? TRY(parse_address(host.substr(1, host.size() - 2), Family::V6))
                                : TRY(parse_address(host, Family::V4));
  endpoint.port = TRY(parse_port(text.substr(colon + 1)));
  return endpoint;
}

std::string Endpoint::to_string() const {
  if (family == Family::Unix) return std::string(kUnixPrefix) + path;
  char text[INET6_ADDRSTRLEN];
  inet_ntop(family == Family::V4 ? AF_INET : AF_INET6, address.data(), text, sizeof text);
  const std::string host = family == Family::V4 ? std::string(text) : '[' + std::string(text) + ']';
  return host + ':' + std::to_string(port);
}

bool Endpoint::is_loopback() const {
  switch (family) {
    case Family::Unix: return true;
    case Family::V4: return address[0] == 127;
    case Family::V6:
      return address[15] == 1 && std::all_of(address.begin(), address.end() - 1, [](auto b) { return b == 0; });
  }
  return false;
}

}  // namespace io
