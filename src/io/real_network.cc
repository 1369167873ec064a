// SPDX-License-Identifier: Apache-2.0
#include "io/real_network.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>

#include "io/real_poller.h"
#include "io/real_socket.h"

namespace io {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr mode_t kUnixSocketMode = 0600;

// A Slice is handed to the system as it is.
static_assert(sizeof(Slice) == sizeof(iovec) && alignof(Slice) == alignof(iovec));
static_assert(offsetof(Slice, data) == offsetof(iovec, iov_base) && offsetof(Slice, size) == offsetof(iovec, iov_len));

Result<void> bind_to(int socket, const Endpoint& endpoint) {
  const SocketAddress address(endpoint);
  if (::bind(socket, &address.any, address.size) == 0) return {};
  return fail(Errc::System, "cannot listen at this address", errno);
}

Result<OwnedDescriptor> bind_unix(const Endpoint& endpoint) {
  TRY(remove_stale_socket(endpoint));
  OwnedDescriptor socket = TRY(make_socket(endpoint));
  // The mode of the descriptor becomes that of the file (socket(7) is silent, unix(7) and Linux say so); the umask is
  // the process's and would be changed for all threads. chmod follows, for file systems that ignore the former.
  if (fchmod(socket.get(), kUnixSocketMode) != 0) return fail(Errc::System, "cannot protect a Unix socket", errno);
  TRY(bind_to(socket.get(), endpoint));
  if (chmod(endpoint.path.c_str(), kUnixSocketMode) != 0) {
    return fail(Errc::System, "cannot protect a Unix socket", errno);
  }
  return socket;
}

Result<OwnedDescriptor> bind_shared(const Endpoint& endpoint) {
  OwnedDescriptor socket = TRY(make_socket(endpoint));
  TRY(set_option(socket.get(), SOL_SOCKET, SO_REUSEADDR, 1));
  TRY(set_option(socket.get(), SOL_SOCKET, SO_REUSEPORT, 1));
  TRY(bind_to(socket.get(), endpoint));
  return socket;
}

}  // namespace

std::unique_ptr<Poller> RealNetwork::make_poller() { return std::make_unique<RealPoller>(); }

Result<Endpoint> RealNetwork::reserve(const Endpoint& endpoint) {
  if (endpoint.family == Endpoint::Family::Unix) {
    TRY(remove_stale_socket(endpoint));
    return endpoint;
  }
  // With SO_REUSEADDR alone the connections of a former process do not stand in the way, a listening socket does.
  const OwnedDescriptor trial = TRY(make_socket(endpoint));
  TRY(set_option(trial.get(), SOL_SOCKET, SO_REUSEADDR, 1));
  TRY(bind_to(trial.get(), endpoint));
  SocketAddress bound;
  if (getsockname(trial.get(), &bound.any, &bound.size) != 0) {
    return fail(Errc::System, "cannot read the address of a socket", errno);
  }
  return bound.endpoint();
}

Result<Handle> RealNetwork::listen(const Endpoint& endpoint) {
  OwnedDescriptor socket =
      endpoint.family == Endpoint::Family::Unix ? TRY(bind_unix(endpoint)) : TRY(bind_shared(endpoint));
  if (::listen(socket.get(), kBacklogConnections) != 0) {
    return fail(Errc::System, "cannot listen at this address", errno);
  }
  return socket.release();
}

Result<Handle> RealNetwork::accept(Handle listener, Endpoint& peer) {
  while (true) {
    SocketAddress address;
    // TCP_NODELAY comes with the connection: Linux copies it from the listener.
    const int handle = accept4(listener, &address.any, &address.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (handle >= 0) {
      peer = address.endpoint();
      return handle;
    }
    switch (errno) {
      // accept(2): these errors belong to a connection that failed while it waited, so the next one is tried.
      case EINTR:
      case ECONNABORTED:
      case EPROTO:
      case ENETDOWN:
      case ENOPROTOOPT:
      case EHOSTDOWN:
      case ENONET:
      case EHOSTUNREACH:
      case ENETUNREACH:
      case ETIMEDOUT: continue;
      default: return socket_failure(errno, "cannot accept a connection");
    }
  }
}

Result<Handle> RealNetwork::connect(const Endpoint& endpoint) {
  OwnedDescriptor socket = TRY(make_socket(endpoint));
  const SocketAddress address(endpoint);
  if (::connect(socket.get(), &address.any, address.size) == 0 || errno == EINPROGRESS || errno == EINTR) {
    return socket.release();
  }
  // unix(7): EAGAIN means that the backlog is full; no event would ever follow.
  if (errno == EAGAIN) return fail(Errc::Overload, "the other end accepts no more connections now", EAGAIN);
  return fail(Errc::System, "cannot connect", errno);
}

Result<void> RealNetwork::connected(Handle handle) {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(handle, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) return fail(Errc::System, "cannot connect", error);
  SocketAddress peer;
  if (getpeername(handle, &peer.any, &peer.size) == 0) return {};
  if (errno == ENOTCONN) return fail(Errc::Again, "the attempt to connect has not ended", ENOTCONN);
  return fail(Errc::System, "cannot connect", errno);
}

Result<std::size_t> RealNetwork::read(Handle handle, std::span<char> into) {
  while (true) {
    const ssize_t got = recv(handle, into.data(), into.size(), 0);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return socket_failure(errno, "cannot read from a socket");
  }
}

namespace {

// One piece needs no vector: the system then copies no description of it, which a fan-out notices.
ssize_t send_all(Handle handle, std::span<const Slice> slices) {
  if (slices.size() == 1) return ::send(handle, slices[0].data, slices[0].size, MSG_NOSIGNAL);
  msghdr message{};
  message.msg_iov = reinterpret_cast<iovec*>(const_cast<Slice*>(slices.data()));
  message.msg_iovlen = std::min(slices.size(), kSlicesPerWriteMax);
  return ::sendmsg(handle, &message, MSG_NOSIGNAL);
}

}  // namespace

Result<std::size_t> RealNetwork::write(Handle handle, std::span<const Slice> slices) {
  while (true) {
    const ssize_t sent = send_all(handle, slices);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (errno != EINTR) return socket_failure(errno, "cannot write to a socket");
  }
}

void RealNetwork::finish_sending(Handle handle) { ::shutdown(handle, SHUT_WR); }

void RealNetwork::close(Handle handle) { ::close(handle); }

}  // namespace io
