// SPDX-License-Identifier: Apache-2.0
#pragma once
// Sockets of this machine: TCP over IPv4 and IPv6, and Unix stream sockets. Stateless, so any thread.
//
// Every socket is non-blocking, closed on exec and, for TCP, without Nagle's delay. Nothing here raises SIGPIPE.
// A failed attempt to connect is Errc::System with its errno (ECONNREFUSED, ETIMEDOUT, ENOENT ...), at once or from
// connected(). A Unix endpoint can be listened to once: loops cannot share it as they share a TCP port.
#include "io/network.h"

namespace io {

class RealNetwork final : public Network {
 public:
  static constexpr int kBacklogConnections = 4096;  // the system's somaxconn may lower it

  std::unique_ptr<Poller> make_poller() override;
  base::Result<Endpoint> reserve(const Endpoint&) override;
  base::Result<Handle> listen(const Endpoint&) override;
  base::Result<Handle> accept(Handle listener, Endpoint& peer) override;
  base::Result<Handle> connect(const Endpoint&) override;
  base::Result<void> connected(Handle) override;
  base::Result<std::size_t> read(Handle, std::span<char> into) override;
  base::Result<std::size_t> write(Handle, std::span<const Slice>) override;
  void finish_sending(Handle) override;
  void close(Handle) override;
};

}  // namespace io
