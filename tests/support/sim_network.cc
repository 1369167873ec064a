// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sim_network.h"

#include <errno.h>

#include <algorithm>
#include <utility>

#include "tests/support/sim_connection.h"

namespace sim {
namespace {

using base::Errc;
using base::fail;
using base::Result;
using io::Endpoint;
using io::Handle;

constexpr Handle kFirstHandle = 3;  // as in a process with its three standard streams
constexpr std::size_t kBacklogConnections = 4096;
constexpr std::uint64_t kConnectAgainNs = 1'000'000'000;  // after a full backlog

bool is_any_address(const Endpoint& endpoint) {
  return std::ranges::all_of(endpoint.address, [](std::uint8_t byte) { return byte == 0; });
}

bool serves(const Endpoint& listener, const Endpoint& target) {
  if (listener.family != target.family) return false;
  if (listener.family == Endpoint::Family::Unix) return listener.path == target.path;
  return listener.port == target.port && (is_any_address(listener) || listener.address == target.address);
}

bool collide(const Endpoint& a, const Endpoint& b) { return serves(a, b) || serves(b, a); }

}  // namespace

SimNetwork::SimNetwork(Core& core, Options options) : core_(core), options_(options) {}

SimNetwork::~SimNetwork() = default;

std::unique_ptr<io::Poller> SimNetwork::make_poller() { return std::make_unique<SimPoller>(*this); }

// Handles.

Result<Handle> SimNetwork::take_handle() {
  if (open_handles_ >= options_.handles_max) return fail(Errc::Overload, "out of descriptors", EMFILE);
  ++open_handles_;
  if (free_.empty()) {
    slots_.emplace_back();
    return kFirstHandle + static_cast<Handle>(slots_.size()) - 1;
  }
  const Handle handle = free_.top();
  free_.pop();
  return handle;
}

void SimNetwork::release_handle(Handle handle) {
  Slot& closed = slot(handle);
  if (closed.watch.poller != nullptr) closed.watch.poller->drop_level(handle);
  closed = {};
  free_.push(handle);
  --open_handles_;
}

SimNetwork::Slot& SimNetwork::slot(Handle handle) { return slots_[static_cast<std::size_t>(handle - kFirstHandle)]; }

const SimNetwork::Slot& SimNetwork::slot(Handle handle) const {
  return slots_[static_cast<std::size_t>(handle - kFirstHandle)];
}

bool SimNetwork::is_open(Handle handle) const {
  if (handle < kFirstHandle || handle - kFirstHandle >= static_cast<Handle>(slots_.size())) return false;
  return slot(handle).listener != nullptr || slot(handle).connection != nullptr;
}

Connection& SimNetwork::connection_at(Handle handle) {
  CHECK(is_open(handle) && slot(handle).connection != nullptr, "a program uses only connections that it has open");
  return *slot(handle).connection;
}

SimNetwork::Watch& SimNetwork::watch_of(Handle handle) { return slot(handle).watch; }

void SimNetwork::forget_poller(const SimPoller& poller) {
  for (Slot& each : slots_) {
    if (each.watch.poller == &poller) each.watch = {};
  }
}

// Listeners.

std::vector<Handle> SimNetwork::listeners_at(const Endpoint& target) const {
  std::vector<Handle> found;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].listener && serves(slots_[i].listener->endpoint, target)) {
      found.push_back(kFirstHandle + static_cast<Handle>(i));
    }
  }
  return found;
}

Result<Endpoint> SimNetwork::reserve(const Endpoint& endpoint) {
  const auto taken = [this](const Endpoint& wanted) {
    return std::ranges::any_of(
        slots_, [&](const Slot& each) { return each.listener != nullptr && collide(each.listener->endpoint, wanted); });
  };
  Endpoint reserved = endpoint;
  if (endpoint.family != Endpoint::Family::Unix && endpoint.port == 0) {
    do {
      reserved.port = next_port_++;
    } while (taken(reserved));
  }
  if (taken(reserved)) return fail(Errc::System, "cannot listen at this address", EADDRINUSE);
  return reserved;
}

Result<Handle> SimNetwork::listen(const Endpoint& endpoint) {
  const bool shareable = endpoint.family != Endpoint::Family::Unix;
  if (!shareable) TRY(reserve(endpoint));
  const Handle handle = TRY(take_handle());
  slot(handle).listener = std::make_unique<Listener>(Listener{endpoint, {}});
  return handle;
}

Result<Handle> SimNetwork::accept(Handle listener, Endpoint& peer) {
  CHECK(is_open(listener) && slot(listener).listener != nullptr, "a program accepts only at its listeners");
  if (slot(listener).listener->backlog.empty()) return fail(Errc::Again, "nobody waits");
  if (accepts_to_fail_ > 0) {
    --accepts_to_fail_;
    return fail(Errc::Overload, "out of descriptors", EMFILE);
  }
  const Handle handle = TRY(take_handle());
  std::deque<Connection*>& backlog = slot(listener).listener->backlog;
  Connection& connection = *backlog.front();
  backlog.pop_front();
  slot(handle).connection = &connection;
  slot(handle).side = 1;
  connection.end[1].handle = handle;
  peer = connection.from;
  return handle;
}

// Connecting.

std::size_t SimNetwork::random_capacity() {
  // Half of them are tiny: partial writes are what programs forget.
  const std::size_t bound =
      core_.choices.one_in(2) ? std::min<std::size_t>(256, options_.pipe_bytes_max) : options_.pipe_bytes_max;
  return 1 + core_.choices.below(bound);
}

Result<Handle> SimNetwork::connect(const Endpoint& endpoint) {
  // A refusal may come at once or later, as on a real machine.
  if (listeners_at(endpoint).empty() && core_.choices.one_in(2)) {
    return fail(Errc::System, "cannot connect", ECONNREFUSED);
  }
  const Handle handle = TRY(take_handle());
  auto connection = std::make_unique<Connection>();
  connection->number = ++connections_made_;
  connection->place = connections_.size();
  connection->to = endpoint;
  connection->from.family = endpoint.family;
  if (endpoint.family == Endpoint::Family::V4) connection->from.address = {127, 0, 0, 1};
  if (endpoint.family == Endpoint::Family::V6) connection->from.address[15] = 1;
  if (endpoint.family != Endpoint::Family::Unix) {
    connection->from.port = static_cast<std::uint16_t>(32'768 + connections_made_ % 28'000);
  }
  for (Pipe& pipe : connection->pipe) pipe.capacity = random_capacity();
  connection->end[0].handle = handle;
  connection->end[1].open = false;  // until it is there
  slot(handle).connection = connection.get();
  slot(handle).side = 0;
  travel(*connection, Travel::kConnect, core_.choices.below(options_.latency_ns_max));
  connections_.push_back(std::move(connection));
  return handle;
}

Result<void> SimNetwork::connected(Handle handle) {
  const Connection& connection = connection_at(handle);
  switch (connection.state) {
    case Connection::State::Connecting: return fail(Errc::Again, "the attempt to connect has not ended", ENOTCONN);
    case Connection::State::Refused: return fail(Errc::System, "cannot connect", ECONNREFUSED);
    case Connection::State::Open: break;
  }
  if (connection.end[slot(handle).side].reset) return fail(Errc::System, "cannot connect", ECONNRESET);
  return {};
}

void SimNetwork::finish_connect(Connection& connection) {
  if (!connection.end[0].open) return;
  const std::vector<Handle> listeners = listeners_at(connection.to);
  if (listeners.empty()) {
    connection.state = Connection::State::Refused;
    return edge(connection, 0);
  }
  Listener& listener = *slot(listeners[core_.choices.below(listeners.size())]).listener;
  if (listener.backlog.size() >= kBacklogConnections) return travel(connection, Travel::kConnect, kConnectAgainNs);
  connection.state = Connection::State::Open;
  connection.end[1].open = true;
  listener.backlog.push_back(&connection);
  edge(connection, 0);
}

// Bytes.

io::Readiness SimNetwork::readiness(Handle handle) const {
  const Slot& at = slot(handle);
  if (at.listener) return {.readable = !at.listener->backlog.empty(), .writable = false};
  const Connection& connection = *at.connection;
  if (connection.state == Connection::State::Connecting) return {};
  if (connection.state == Connection::State::Refused || connection.end[at.side].reset) return {true, true, true};
  const Pipe& in = connection.pipe[1 - at.side];
  const Pipe& out = connection.pipe[at.side];
  return {.readable = in.readable() > 0 || in.fin_arrived,
          .writable = out.writable() || out.fin_sent,
          .ended = in.fin_arrived};
}

Result<std::size_t> SimNetwork::read(Handle handle, std::span<char> into) {
  Connection& connection = connection_at(handle);
  const int side = slot(handle).side;
  Pipe& in = connection.pipe[1 - side];
  if (connection.state == Connection::State::Connecting) return fail(Errc::Again, "not connected yet");
  if (in.readable() == 0) {
    if (connection.end[side].reset) return fail(Errc::Closed, "the connection is gone", ECONNRESET);
    if (connection.state == Connection::State::Refused) return fail(Errc::Closed, "the connection is gone", ENOTCONN);
    if (in.fin_arrived) return std::size_t{0};
    return fail(Errc::Again, "nothing can be done now");
  }
  const std::size_t got = in.read(into);
  core_.trace.note(core_.now_ns, "read", {}, static_cast<std::uint64_t>(handle), got);
  if (in.writer_waits && in.writable()) {
    in.writer_waits = false;
    edge(connection, 1 - side);
  }
  return got;
}

Result<std::size_t> SimNetwork::write(Handle handle, std::span<const io::Slice> slices) {
  Connection& connection = connection_at(handle);
  const int side = slot(handle).side;
  Pipe& out = connection.pipe[side];
  if (connection.state == Connection::State::Connecting) return fail(Errc::Again, "not connected yet");
  if (connection.end[side].reset || out.fin_sent || connection.state == Connection::State::Refused) {
    return fail(Errc::Closed, "the connection is gone", EPIPE);
  }
  std::size_t sent = 0;
  std::size_t wanted = 0;
  for (const io::Slice& slice : slices.first(std::min(slices.size(), io::kSlicesPerWriteMax))) {
    const base::Bytes part(static_cast<const char*>(slice.data), std::min(slice.size, out.room()));
    wanted += slice.size;
    sent += part.size();
    out.write(part);
    core_.trace.note_bytes(part);
    if (part.size() < slice.size) break;
  }
  core_.trace.note(core_.now_ns, "write", {}, static_cast<std::uint64_t>(handle), sent);
  if (sent < wanted) out.writer_waits = true;
  if (sent == 0 && wanted > 0) return fail(Errc::Again, "nothing can be done now");
  send_on(connection, side);
  return sent;
}

void SimNetwork::finish_sending(Handle handle) {
  Connection& connection = connection_at(handle);
  const int side = slot(handle).side;
  if (connection.state != Connection::State::Open) return;
  connection.pipe[side].fin_sent = true;
  send_on(connection, side);
}

void SimNetwork::close(Handle handle) {
  CHECK(is_open(handle), "a program closes a handle once");
  core_.trace.note(core_.now_ns, "close", {}, static_cast<std::uint64_t>(handle));
  const std::unique_ptr<Listener> listener = std::move(slot(handle).listener);
  Connection* const connection = slot(handle).connection;
  const int side = slot(handle).side;
  release_handle(handle);
  if (listener) {
    for (Connection* waiting : listener->backlog) {
      reset_end(*waiting, 0);
      close_end(*waiting, 1);
    }
    return;
  }
  close_end(*connection, side);
}

void SimNetwork::close_end(Connection& connection, int side) {
  End& end = connection.end[side];
  Pipe& in = connection.pipe[1 - side];
  Pipe& out = connection.pipe[side];
  const bool unread = in.readable() > 0;
  end.open = false;
  end.handle = io::kNoHandle;
  if (connection.state == Connection::State::Open && !end.reset) {
    // RFC 1122 section 4.2.2.13: closing with unread bytes sends a RST, and what was not sent yet is lost.
    if (unread) out.lose_in_flight(core_.choices.below(out.in_flight() + 1));
    if (unread) out.reset_sent = true;
    if (!unread) out.fin_sent = true;
    send_on(connection, side);
  }
  release_if_over(connection);
}

void SimNetwork::reset(Handle handle) {
  Connection& connection = connection_at(handle);
  reset_end(connection, 0);
  reset_end(connection, 1);
}

void SimNetwork::reset_end(Connection& connection, int side) {
  End& end = connection.end[side];
  if (!end.open || end.reset) return;
  end.reset = true;
  connection.pipe[side].drop_all();
  edge(connection, side);
}

void SimNetwork::edge(const Connection& connection, int side) {
  const Handle handle = connection.end[side].handle;
  if (handle == io::kNoHandle) return;
  Watch& watch = slot(handle).watch;
  if (watch.poller == nullptr || watch.level || watch.pending) return;
  watch.pending = true;
  watch.poller->edge(handle);
}

// What travels.

void SimNetwork::travel(Connection& connection, int what, std::uint64_t delay_ns) {
  ++connection.travels;
  travelling_.push({core_.now_ns + delay_ns, ++travels_, &connection, what});
}

void SimNetwork::send_on(Connection& connection, int from) {
  Pipe& pipe = connection.pipe[from];
  const bool end_to_tell = (pipe.fin_sent && !pipe.fin_arrived) || pipe.reset_sent;
  if (pipe.travelling || (pipe.in_flight() == 0 && !end_to_tell)) return;
  pipe.travelling = true;
  travel(connection, from, core_.choices.below(options_.latency_ns_max));
}

std::size_t SimNetwork::find_deliverable() {
  while (!travelling_.empty() && travelling_.top().due_ns <= core_.now_ns) {
    deliverable_.push_back(travelling_.top());
    travelling_.pop();
  }
  return deliverable_.size();
}

void SimNetwork::deliver(std::size_t index) {
  const Travel arrived = deliverable_[index];
  deliverable_[index] = deliverable_.back();
  deliverable_.pop_back();
  Connection& connection = *arrived.connection;
  --connection.travels;
  if (arrived.what == Travel::kConnect) {
    core_.trace.note(core_.now_ns, "connect", {}, connection.number);
    finish_connect(connection);
  } else {
    arrive(connection, arrived.what);
  }
  release_if_over(connection);
}

void SimNetwork::arrive(Connection& connection, int from) {
  Pipe& pipe = connection.pipe[from];
  pipe.travelling = false;
  End& receiver = connection.end[1 - from];
  const std::size_t in_flight = pipe.in_flight();
  const std::size_t size =
      core_.choices.one_in(2) ? in_flight : std::min(in_flight, 1 + core_.choices.below(in_flight));
  core_.trace.note(core_.now_ns, "deliver", {}, connection.number * 2 + static_cast<std::uint64_t>(from), size);
  if (core_.choices.one_in(options_.reset_one_in)) {
    reset_end(connection, 0);
    return reset_end(connection, 1);
  }
  if (!receiver.open || receiver.reset) {
    // RFC 9293 section 3.10.7.1: what arrives where nothing is open is answered by a reset.
    pipe.drop_all();
    if (in_flight > 0) reset_end(connection, from);
    return;
  }
  pipe.arrive(size);
  if (pipe.in_flight() == 0 && (size == 0 || core_.choices.one_in(2))) {
    if (pipe.reset_sent) return reset_end(connection, 1 - from);
    if (pipe.fin_sent) pipe.fin_arrived = true;
  }
  edge(connection, 1 - from);
  send_on(connection, from);
}

void SimNetwork::release_if_over(Connection& connection) {
  if (connection.end[0].open || connection.end[1].open || connection.travels > 0) return;
  const std::size_t place = connection.place;
  std::swap(connections_[place], connections_.back());
  connections_[place]->place = place;
  connections_.pop_back();
}

std::uint64_t SimNetwork::next_due_ns() const {
  return travelling_.empty() ? ~std::uint64_t{0} : travelling_.top().due_ns;
}

}  // namespace sim
