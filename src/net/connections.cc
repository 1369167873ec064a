// SPDX-License-Identifier: Apache-2.0
#include "net/connections.h"

#include <utility>

namespace net {

Connections::Connections(io::Loop& loop) : loop_(loop) {
  loop_.at_end_of_turn([](void* self) { static_cast<Connections*>(self)->flush_all(); }, this);
}

Connections::~Connections() { close_all(); }

Connection* Connections::add(io::Handle handle, const io::Endpoint& peer, std::unique_ptr<Handler> handler) {
  auto connection = std::make_unique<Connection>(*this, handle, peer, std::move(handler));
  if (const auto watched = loop_.poller().watch_edges(handle, *connection); !watched) {
    connection->close();
    (void)connection.release();  // buried by close()
    return nullptr;
  }
  all_.push_back(static_cast<AllLink&>(*connection));
  ++open_;
  ++counters_.accepted;
  connection->handler_->on_open(*connection);
  return connection.release();
}

void Connections::close_all() {
  while (!all_.alone()) static_cast<Connection*>(static_cast<AllLink*>(all_.next))->close();
}

void Connections::shut_down() {
  AllLink seen;  // a handler may close others: each is moved over before it is told
  while (!all_.alone()) {
    auto* link = static_cast<AllLink*>(all_.next);
    link->unlink();
    seen.push_back(*link);
    auto* connection = static_cast<Connection*>(link);
    if (connection->state_ == Connection::State::Open) connection->handler_->on_shutdown(*connection);
  }
  all_.take_all(seen);
}

void Connections::bury(Connection& connection) {
  if (!connection.AllLink::alone()) {
    --open_;
    ++counters_.closed;
  }
  connection.AllLink::unlink();
  connection.FlushLink::unlink();
  connection.LaterLink::unlink();
  loop_.delete_later(std::unique_ptr<Connection>(&connection));
}

void Connections::put_off(LaterLink& connection) {
  if (connection.alone()) later_.push_back(connection);
  if (std::exchange(later_asked_, true)) return;
  loop_.defer([this] { run_later(); });
}

void Connections::run_later() {
  later_asked_ = false;
  LaterLink now;
  now.take_all(later_);
  while (!now.alone()) {
    auto* link = static_cast<LaterLink*>(now.next);
    link->unlink();
    auto* connection = static_cast<Connection*>(link);
    if (!connection->output_.empty() && connection->FlushLink::alone())
      flush_.push_back(static_cast<FlushLink&>(*connection));
    connection->on_later();
  }
}

void Connections::flush_all() {
  FlushLink now;
  now.take_all(flush_);
  while (!now.alone()) {
    auto* link = static_cast<FlushLink*>(now.next);
    link->unlink();
    static_cast<Connection*>(link)->flush();
  }
}

}  // namespace net
