// SPDX-License-Identifier: Apache-2.0
#include "net/listener.h"

#include <utility>

namespace net {

base::Result<std::unique_ptr<Listener>> Listener::open(Connections& connections, io::Handle handle,
                                                       MakeHandler make_handler) {
  std::unique_ptr<Listener> listener(new Listener(connections, handle, std::move(make_handler)));
  TRY(connections.loop().poller().watch_level(handle, *listener));
  return listener;
}

Listener::Listener(Connections& connections, io::Handle handle, MakeHandler make_handler)
    : connections_(connections),
      handle_(handle),
      make_handler_(std::move(make_handler)),
      pause_timer_([](void* self) { static_cast<Listener*>(self)->resume(); }, this) {}

Listener::~Listener() { close(); }

void Listener::close() {
  pause_timer_.cancel();
  if (handle_ != io::kNoHandle) connections_.loop().network().close(std::exchange(handle_, io::kNoHandle));
}

void Listener::on_ready(io::Readiness) {
  for (int i = 0; i < kAcceptsPerTurnMax && handle_ != io::kNoHandle; ++i) {
    io::Endpoint peer;
    const auto accepted = connections_.loop().network().accept(handle_, peer);
    if (accepted) {
      connections_.add(*accepted, peer, make_handler_());
      continue;
    }
    if (accepted.error().code == base::Errc::Overload) pause();
    return;
  }
}

void Listener::pause() {
  ++connections_.counters().accept_refusals;
  connections_.loop().poller().unwatch(handle_);
  connections_.loop().set_timer(pause_timer_, kAcceptPauseNs);
}

void Listener::resume() {
  // Out of memory for one entry in the poller as well: the next pause is as good a time as any.
  if (!connections_.loop().poller().watch_level(handle_, *this))
    connections_.loop().set_timer(pause_timer_, kAcceptPauseNs);
}

}  // namespace net
