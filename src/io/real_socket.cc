// SPDX-License-Identifier: Apache-2.0
#include "io/real_socket.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace io {

using base::Errc;
using base::fail;
using base::Result;

SocketAddress::SocketAddress() : local{}, size(sizeof local) {}

SocketAddress::SocketAddress(const Endpoint& endpoint) : local{}, size(0) {
  switch (endpoint.family) {
    case Endpoint::Family::V4:
      v4 = {};
      v4.sin_family = AF_INET;
      v4.sin_port = htons(endpoint.port);
      std::memcpy(&v4.sin_addr, endpoint.address.data(), sizeof v4.sin_addr);
      size = sizeof v4;
      return;
    case Endpoint::Family::V6:
      v6 = {};
      v6.sin6_family = AF_INET6;
      v6.sin6_port = htons(endpoint.port);
      std::memcpy(&v6.sin6_addr, endpoint.address.data(), sizeof v6.sin6_addr);
      size = sizeof v6;
      return;
    case Endpoint::Family::Unix:
      CHECK(endpoint.path.size() < sizeof local.sun_path, "Endpoint::parse bounds the path of a Unix socket");
      local.sun_family = AF_UNIX;
      std::memcpy(local.sun_path, endpoint.path.data(), endpoint.path.size());
      size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + endpoint.path.size() + 1);
      return;
  }
}

Endpoint SocketAddress::endpoint() const {
  Endpoint endpoint;
  if (any.sa_family == AF_INET) {
    endpoint.family = Endpoint::Family::V4;
    endpoint.port = ntohs(v4.sin_port);
    std::memcpy(endpoint.address.data(), &v4.sin_addr, sizeof v4.sin_addr);
  } else if (any.sa_family == AF_INET6) {
    endpoint.family = Endpoint::Family::V6;
    endpoint.port = ntohs(v6.sin6_port);
    std::memcpy(endpoint.address.data(), &v6.sin6_addr, sizeof v6.sin6_addr);
  } else {
    endpoint.family = Endpoint::Family::Unix;
    const std::size_t room = size > offsetof(sockaddr_un, sun_path) ? size - offsetof(sockaddr_un, sun_path) : 0;
    endpoint.path.assign(local.sun_path, strnlen(local.sun_path, std::min(room, sizeof local.sun_path)));
  }
  return endpoint;
}

std::unexpected<base::Error> socket_failure(int error, const char* text) {
  switch (error) {
    case EAGAIN:
    case EINPROGRESS: return fail(Errc::Again, "nothing can be done now", error);
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN:
    case ETIMEDOUT: return fail(Errc::Closed, "the connection is gone", error);
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM: return fail(Errc::Overload, "out of descriptors or memory for sockets", error);
    default: return fail(Errc::System, text, error);
  }
}

Result<OwnedDescriptor> make_socket(const Endpoint& endpoint) {
  const SocketAddress address(endpoint);
  OwnedDescriptor socket(::socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0 && errno == EAFNOSUPPORT) {
    return fail(Errc::Unsupported, "this machine has no sockets of that family", errno);
  }
  if (socket.get() < 0) return socket_failure(errno, "cannot make a socket");
  if (endpoint.family == Endpoint::Family::V6) TRY(set_option(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1));
  if (endpoint.family != Endpoint::Family::Unix) TRY(set_option(socket.get(), IPPROTO_TCP, TCP_NODELAY, 1));
  return socket;
}

Result<void> set_option(int socket, int level, int name, int value) {
  if (setsockopt(socket, level, name, &value, sizeof value) == 0) return {};
  return fail(Errc::System, "cannot set an option of a socket", errno);
}

Result<void> remove_stale_socket(const Endpoint& endpoint) {
  struct stat found{};
  if (lstat(endpoint.path.c_str(), &found) != 0) {
    if (errno == ENOENT) return {};
    return fail(Errc::System, "cannot look at the path of a Unix socket", errno);
  }
  if (!S_ISSOCK(found.st_mode)) return fail(Errc::System, "the path exists and is not a socket", EADDRINUSE);
  const OwnedDescriptor trial = TRY(make_socket(endpoint));
  const SocketAddress address(endpoint);
  if (::connect(trial.get(), &address.any, address.size) == 0 || errno != ECONNREFUSED) {
    // Also when its backlog is full or it is not ours to connect to: somebody has it.
    return fail(Errc::System, "another program accepts connections at this Unix socket", EADDRINUSE);
  }
  if (unlink(endpoint.path.c_str()) != 0 && errno != ENOENT) {
    return fail(Errc::System, "cannot remove a stale Unix socket", errno);
  }
  return {};
}

}  // namespace io
