// SPDX-License-Identifier: Apache-2.0
#pragma once
// The URL of a server that the outbound client can reach: absolute, `http`, and a host that needs no resolution (RFC
// 9110 section 4.2.1, RFC 3986 section 3). Pure.
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "io/endpoint.h"

namespace protocols::http {

struct Url {
  io::Endpoint endpoint;
  std::string authority;  // host and port as they were written: the Host field
  std::string target;     // origin-form, begins with `/`

  // Errc::BadInput or, for https and for names, Errc::Unsupported, each with a sentence that says what to write.
  // What a target may not have as it is (space, quotes, octets above 127) is escaped; a fragment is dropped.
  static base::Result<Url> parse(base::Bytes text);

  bool has_parameter(std::string_view name) const;
  void add_parameter(std::string_view name, std::string_view value);
};

}  // namespace protocols::http
