// SPDX-License-Identifier: Apache-2.0
#pragma once
// The world of sockets: non-blocking stream sockets and the readiness of them.
//
// Thread: a Network is shared by all loops and has no state that needs a lock; a Poller belongs to one loop, except
// wake(). A call that can do nothing now says Errc::Again, and a readiness event follows.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/result.h"
#include "io/endpoint.h"

namespace io {

using Handle = int;
inline constexpr Handle kNoHandle = -1;

// One piece of a gathered write; laid out as the system's iovec.
struct Slice {
  const void* data;
  std::size_t size;
};
inline constexpr std::size_t kSlicesPerWriteMax = 512;  // below every system's IOV_MAX

struct Readiness {
  bool readable = false;
  bool writable = false;
  bool ended = false;  // the peer has finished sending, or the connection failed: read() until it says so
};

class Watcher {
 public:
  virtual void on_ready(Readiness) = 0;

 protected:
  ~Watcher() = default;
};

class Poller {
 public:
  virtual ~Poller() = default;
  // A connection: reports edges of both directions until it is closed. The watcher must outlive the turn in which
  // the handle is closed: Loop::delete_later sees to that.
  virtual base::Result<void> watch_edges(Handle, Watcher&) = 0;
  // A listener: reported again in every turn while a connection waits.
  virtual base::Result<void> watch_level(Handle, Watcher&) = 0;
  virtual void unwatch(Handle) = 0;

  // Waits until something is ready, wake() was called or `timeout_ns` passed (0: not at all, ~0: no limit).
  virtual void wait(std::uint64_t timeout_ns) = 0;
  virtual void dispatch() = 0;  // calls on_ready of each that wait() found
  virtual void wake() = 0;      // any thread
};

class Network {
 public:
  virtual ~Network() = default;
  virtual std::unique_ptr<Poller> make_poller() = 0;

  // Finds out whether this process may have the endpoint, and which port when it asks for 0: a trial bind without
  // port sharing, so that a second server is refused (Errc::System, EADDRINUSE) and a restarted one is not.
  virtual base::Result<Endpoint> reserve(const Endpoint&) = 0;
  // A listening socket that shares its port with those of this process's other loops. Unix sockets: mode 0600, a
  // stale file (nobody accepts there) is replaced.
  virtual base::Result<Handle> listen(const Endpoint&) = 0;
  // Errc::Again: nobody waits. Errc::Overload: out of descriptors or memory; the connection stays queued.
  virtual base::Result<Handle> accept(Handle listener, Endpoint& peer) = 0;

  // Begins to connect. Writable means the attempt has ended: ask connected().
  virtual base::Result<Handle> connect(const Endpoint&) = 0;
  virtual base::Result<void> connected(Handle) = 0;

  virtual base::Result<std::size_t> read(Handle, std::span<char> into) = 0;     // 0: the peer finished sending
  virtual base::Result<std::size_t> write(Handle, std::span<const Slice>) = 0;  // one gathered write
  virtual void finish_sending(Handle) = 0;                                      // shutdown(SHUT_WR)
  virtual void close(Handle) = 0;
};

}  // namespace io
