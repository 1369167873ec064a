// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/client/client.h"

#include <cerrno>
#include <deque>
#include <memory>

namespace protocols::http {

void append_request(std::string& out, const ClientRequest& request) {
  out.append(request.method).append(" ").append(request.target).append(" HTTP/1.1\r\nHost: ").append(request.host);
  for (const auto& [name, value] : request.fields) out.append("\r\n").append(name).append(": ").append(value);
  if (request.body) out.append("\r\nContent-Length: ").append(std::to_string(request.body->size()));
  out.append("\r\n\r\n").append(request.body.value_or(base::Bytes()));
}

// The connection's handler. It outlives its client until the end of the turn, so a client may end in any call.
class Client::Link final : public net::Handler, private BodySink {
 public:
  Link(Client& client, const ClientLimits& limits) : client_(&client), limits_(limits) {}
  ~Link() override {
    if (client_ == nullptr) return;
    client_->link_ = nullptr;
    client_->over_ = true;
  }

  void bind(net::Connection& connection) { connection_ = &connection; }
  void send(const ClientRequest&);
  void abandon();
  bool can_send() const { return !last_ && !connection_->is_closing(); }
  std::size_t backlog_bytes() const { return connection_->backlog_bytes(); }

  base::Result<std::size_t> on_bytes(net::Connection&, base::Bytes) override;
  void on_end(net::Connection&) override;
  void on_drained(net::Connection&) override;
  void on_failed(net::Connection&, base::Error) override;
  void on_timeout(net::Connection&) override;
  void on_shutdown(net::Connection&) override;

 private:
  enum class Clock : std::uint8_t { None, Connect, Head, Silence };

  void on_body(base::Bytes) override;
  void begin_response() { parser_.emplace(parser_limits_, expected_.front()); }
  void take_head();
  void complete();
  void set_clock(Clock);
  void report(base::Error);
  std::uint64_t taken_bytes() const { return queued_bytes_ - connection_->backlog_bytes(); }

  Client* client_;
  net::Connection* connection_ = nullptr;
  ClientLimits limits_;
  // on_body() bounds a body that is collected: only its head tells whether it is.
  Limits parser_limits_{.body_bytes_max = kBodyBytesUnbounded};
  std::optional<ResponseParser> parser_;  // of the response to expected_.front()
  std::deque<Answers> expected_;          // one for each request without a complete response
  std::string collected_;
  std::uint64_t queued_bytes_ = 0;
  std::uint64_t taken_at_start_ = 0;  // of them, when the clock was set
  Body body_to_ = Body::Collect;
  Clock clock_ = Clock::None;
  bool connected_ = false;
  bool has_begun_ = false;  // the receiver knows the head of the current response
  bool too_large_ = false;
  bool last_ = false;  // the connection ends with the response under way
};

void Client::Link::send(const ClientRequest& request) {
  expected_.push_back(request.method == "HEAD" ? Answers::Head : Answers::Other);
  if (expected_.size() == 1) begin_response();
  std::string bytes;
  append_request(bytes, request);
  queued_bytes_ += bytes.size();
  connection_->send(std::move(bytes));
  if (clock_ != Clock::None) return;
  set_clock(connected_ ? Clock::Head : Clock::Connect);
  if (!connected_) connection_->tell_when_drained();
}

void Client::Link::abandon() {
  client_ = nullptr;
  if (connection_ != nullptr) connection_->close();
}

base::Result<std::size_t> Client::Link::on_bytes(net::Connection& connection, base::Bytes bytes) {
  connected_ = true;
  std::size_t consumed = 0;
  while (client_ != nullptr && !last_ && !expected_.empty()) {
    const std::size_t fed = TRY(parser_->feed(bytes.substr(consumed)));
    consumed += fed;
    if (too_large_) return base::fail(base::Errc::TooLarge, "the body of the response is larger than its limit");
    if (parser_->has_head() && !has_begun_) take_head();
    if (client_ == nullptr) break;
    if (parser_->stage() == Stage::Complete) {
      complete();
    } else if (fed == 0) {
      return consumed;
    } else if (parser_->stage() == Stage::Body && body_to_ == Body::Stream) {
      set_clock(Clock::Silence);
    }
  }
  // Whatever comes that no request asked for, or behind the last response, ends the connection.
  if (client_ != nullptr && consumed < bytes.size()) connection.close();
  return bytes.size();
}

void Client::Link::take_head() {
  has_begun_ = true;
  body_to_ = client_->receiver_.on_head(parser_->head());
  if (client_ == nullptr || parser_->stage() != Stage::Body) return;
  parser_->stream_body_to(*this);
  set_clock(Clock::Silence);
}

void Client::Link::on_body(base::Bytes content) {
  if (client_ == nullptr) return;
  if (body_to_ == Body::Stream) return client_->receiver_.on_body(content);
  too_large_ |= content.size() > limits_.collected_bytes_max - collected_.size();
  if (!too_large_) collected_ += content;
}

void Client::Link::complete() {
  last_ |= !parser_->head().keep_alive();
  expected_.pop_front();
  client_->receiver_.on_response(parser_->head(), std::exchange(collected_, {}));
  if (client_ == nullptr) return;
  if (last_) return connection_->close();
  has_begun_ = false;
  if (!expected_.empty()) begin_response();
  set_clock(expected_.empty() ? Clock::None : Clock::Head);
}

void Client::Link::on_end(net::Connection& connection) {
  last_ = true;
  if (client_ != nullptr && !expected_.empty()) {
    if (const auto closed = parser_->on_closed(); !closed) {
      report(has_begun_ ? closed.error()
                        : base::Error{base::Errc::Closed, "the server closed the connection without an answer"});
    } else {
      complete();
    }
  }
  connection.close();
}

void Client::Link::on_drained(net::Connection&) {
  connected_ = true;
  if (clock_ == Clock::Connect) set_clock(Clock::Head);
}

void Client::Link::on_failed(net::Connection&, base::Error error) {
  // What the first call on a socket says after a refusal depends on which call it is.
  const bool refused = !connected_ && (error.sys_errno == ECONNREFUSED || error.sys_errno == ENOTCONN);
  report(refused ? base::Error{base::Errc::System, "cannot connect", ECONNREFUSED} : error);
}

void Client::Link::on_timeout(net::Connection& connection) {
  const bool moves = clock_ != Clock::Silence && taken_bytes() > taken_at_start_;
  if (moves) {
    connected_ = true;
    return set_clock(Clock::Head);
  }
  const char* const slow = clock_ == Clock::Connect ? "no connection came about in time"
                           : clock_ == Clock::Head  ? "the server does not answer in time"
                                                    : "the server went silent";
  report({base::Errc::TimedOut, slow});
  connection.close();
}

void Client::Link::on_shutdown(net::Connection& connection) {
  report({base::Errc::Stopped, "the program stops"});
  connection.close();
}

void Client::Link::set_clock(Clock clock) {
  clock_ = clock;
  taken_at_start_ = taken_bytes();
  switch (clock) {
    case Clock::None: return connection_->set_timeout(0);
    case Clock::Connect: return connection_->set_timeout(limits_.connect_ns);
    case Clock::Head: return connection_->set_timeout(limits_.head_ns);
    case Clock::Silence: return connection_->set_timeout(limits_.silence_ns);
  }
}

void Client::Link::report(base::Error error) {
  if (client_ == nullptr) return;
  Client& client = *std::exchange(client_, nullptr);
  client.link_ = nullptr;
  client.over_ = true;
  if (!expected_.empty()) client.receiver_.on_failed(error);
}

Client::Client(net::Connections& connections, const io::Endpoint& endpoint, Receiver& receiver,
               const ClientLimits& limits)
    : connections_(connections),
      endpoint_(endpoint),
      receiver_(receiver),
      limits_(limits),
      failure_timer_(
          [](void* self) {
            Client& client = *static_cast<Client*>(self);
            client.receiver_.on_failed(client.failure_);
          },
          this) {}

Client::~Client() {
  if (link_ != nullptr) link_->abandon();
}

bool Client::can_send() const { return !over_ && (link_ == nullptr || link_->can_send()); }

std::size_t Client::backlog_bytes() const { return link_ == nullptr ? 0 : link_->backlog_bytes(); }

void Client::send(const ClientRequest& request) {
  if (link_ == nullptr && !over_) connect();
  if (link_ != nullptr) link_->send(request);
}

void Client::connect() {
  over_ = true;  // one attempt; the link tells from here on
  const auto handle = connections_.loop().network().connect(endpoint_);
  if (!handle) return fail_later(handle.error());
  auto owned = std::make_unique<Link>(*this, limits_);
  Link* const link = owned.get();
  net::Connection* const connection = connections_.add(*handle, endpoint_, std::move(owned));
  if (connection == nullptr) {
    link->abandon();
    return fail_later({base::Errc::Overload, "out of descriptors or memory for sockets"});
  }
  link->bind(*connection);
  link_ = link;
  over_ = false;
}

void Client::fail_later(base::Error error) {
  failure_ = error;
  connections_.loop().set_timer(failure_timer_, 0);
}

}  // namespace protocols::http
