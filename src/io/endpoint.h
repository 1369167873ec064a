// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where a socket listens or connects to: `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080` (means 127.0.0.1), or
// `unix:/run/tidewire.sock`. Numeric addresses only: nothing here resolves a name.
#include <array>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace io {

struct Endpoint {
  enum class Family : std::uint8_t { V4, V6, Unix };

  Family family = Family::V4;
  std::uint16_t port = 0;                     // host byte order; 0 asks the system for one
  std::array<std::uint8_t, 16> address = {};  // network byte order; V4 uses the first four
  std::string path;                           // Unix only

  // Errc::BadInput with a sentence that shows the accepted forms.
  static base::Result<Endpoint> parse(base::Bytes text);
  std::string to_string() const;
  bool is_loopback() const;  // 127.0.0.0/8, ::1, or a Unix socket
  bool operator==(const Endpoint&) const = default;
};

}  // namespace io
