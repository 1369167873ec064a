// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the sockets of real_network.cc are made of: a fresh one, and an endpoint as the system writes it.
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/result.h"
#include "io/network.h"
#include "io/owned_descriptor.h"

namespace io {

struct SocketAddress {
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
    sockaddr_un local;
  };
  socklen_t size;

  SocketAddress();  // room for any family, to be filled by the system
  explicit SocketAddress(const Endpoint&);
  Endpoint endpoint() const;
};

// A stream socket of the endpoint's family. Errc::Overload: out of descriptors or memory; Errc::Unsupported: no such
// family on this machine.
base::Result<OwnedDescriptor> make_socket(const Endpoint&);

base::Result<void> set_option(int socket, int level, int name, int value);

// Errc::Again, Errc::Closed, Errc::Overload or Errc::System, as the errno of a socket's call says.
std::unexpected<base::Error> socket_failure(int error, const char* text);

// Makes the path of a Unix endpoint free: removes a socket at which nobody accepts. Errc::System with EADDRINUSE if
// somebody does, or if something else than a socket is there.
base::Result<void> remove_stale_socket(const Endpoint&);

}  // namespace io
