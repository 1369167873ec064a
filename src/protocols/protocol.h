// SPDX-License-Identifier: Apache-2.0
#pragma once
// The seam of protocols: how a fresh connection is recognised, and who then gives its bytes meaning. A folder offers
// `match` and an Acceptor; server/protocols.cc lists them.
#include <memory>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "net/handler.h"

namespace protocols {

enum class Match : std::uint8_t { No, Yes, NeedsMore };

// One loop's part of a protocol on one listener: makes the handlers of connections.
class Acceptor {
 public:
  virtual ~Acceptor() = default;
  virtual std::unique_ptr<net::Handler> open() = 0;
};

// A protocol as one listener of one loop offers it.
struct Offered {
  std::string_view name;
  Match (*match)(base::Bytes first_bytes);
  std::unique_ptr<Acceptor> acceptor;
};

// Reads the first bytes of a connection and installs the handler of the first protocol that matches. What none
// recognises is closed. The protocols outlive the handler.
std::unique_ptr<net::Handler> detect(std::span<const Offered>);

}  // namespace protocols
