// SPDX-License-Identifier: Apache-2.0
#include "net/connection.h"

#include <utility>

#include "net/connections.h"

namespace net {

namespace {
// Assigning an empty text keeps the memory of the old one.
void release(std::string& bytes) { std::string().swap(bytes); }
}  // namespace

void Handler::on_end(Connection& connection) { connection.close_after_sending(); }
void Handler::on_timeout(Connection& connection) { connection.close(); }
void Handler::on_shutdown(Connection& connection) { connection.close_after_sending(); }

Connection::Connection(Connections& connections, io::Handle handle, const io::Endpoint& peer,
                       std::unique_ptr<Handler> handler)
    : connections_(connections),
      handler_(std::move(handler)),
      timer_([](void* self) { static_cast<Connection*>(self)->on_time(); }, this),
      peer_(peer),
      handle_(handle) {}

Connection::~Connection() { CHECK(handle_ == io::kNoHandle, "a connection was destroyed while it was open"); }

io::Loop& Connection::loop() { return connections_.loop_; }

void Connection::send(std::string bytes) { send(FramePtr::make(std::move(bytes), &connections_.own_output_bytes_)); }

std::size_t Connection::loop_output_bytes() const { return connections_.own_output_bytes_; }

void Connection::send(FramePtr frame) {
  if (state_ != State::Open) return;
  output_.push(connections_.pool_, std::move(frame));
  if (FlushLink::alone()) connections_.flush_.push_back(static_cast<FlushLink&>(*this));
}

void Connection::tell_when_drained() {
  wants_drained_ = true;
  if (output_.empty()) put_off();
}

void Connection::show_input() {
  wants_input_ = true;
  put_off();
}

// What is closed dies at the end of this turn and may not be in a ring of the next.
void Connection::put_off() {
  if (state_ != State::Closed) connections_.put_off(*this);
}

void Connection::upgrade(std::unique_ptr<Handler> handler) {
  loop().delete_later(std::exchange(handler_, std::move(handler)));
  handler_->on_open(*this);
  if (!input_.empty()) show_input();
}

void Connection::set_timeout(std::uint64_t delay_ns) {
  if (state_ != State::Open) return;
  if (delay_ns == 0) {
    timer_.cancel();
  } else {
    loop().set_timer(timer_, delay_ns);
  }
}

void Connection::on_time() {
  if (state_ == State::Open) return handler_->on_timeout(*this);
  // A slow reader is given the time that it needs, one that takes nothing is not.
  if (state_ == State::Closing && take_progress()) return loop().set_timer(timer_, kSendStallNs);
  close();
}

void Connection::close_after_sending() {
  if (state_ != State::Open) return;
  state_ = State::Closing;
  release(input_);
  progress_ = false;
  loop().set_timer(timer_, kSendStallNs);
  if (output_.empty()) begin_linger();
}

// Closing with unread input would make the system reset the connection, and the peer could lose the last answer:
// RFC 9112 section 9.6 asks to finish sending first, and to read until the peer has closed too.
void Connection::begin_linger() {
  state_ = State::Lingering;
  loop().set_timer(timer_, kLingerNs);
  connections_.loop_.network().finish_sending(handle_);
  if (end_told_) return close();
  can_read_ = true;
  put_off();
}

void Connection::close() {
  if (state_ == State::Closed) return;
  state_ = State::Closed;
  loop().network().close(std::exchange(handle_, io::kNoHandle));
  timer_.cancel();
  output_.clear(connections_.pool_);
  release(input_);
  connections_.bury(*this);
}

void Connection::fail(base::Error why) {
  if (state_ == State::Open) handler_->on_failed(*this, why);
  close();
}

void Connection::on_ready(io::Readiness ready) {
  if (state_ == State::Closed) return;
  end_near_ |= ready.ended;
  if (ready.writable) {
    can_write_ = true;
    if (!output_.empty() && FlushLink::alone()) connections_.flush_.push_back(static_cast<FlushLink&>(*this));
  }
  if (ready.readable || ready.ended) {
    can_read_ = true;
    read();
  }
}

void Connection::on_later() {
  if (wants_drained_ && output_.empty() && state_ == State::Open) {
    wants_drained_ = false;
    handler_->on_drained(*this);
  }
  if (wants_input_ && state_ == State::Open) {
    wants_input_ = false;
    take({});
  }
  if (can_read_ && state_ != State::Closed) read();
}

void Connection::read() {
  while (can_read_ && input_.size() < kInputBytesMax) {
    const auto got = loop().network().read(handle_, connections_.read_buffer_);
    if (!got) {
      can_read_ = false;
      if (got.error().code != base::Errc::Again) fail(got.error());
      return;
    }
    if (*got == 0) {
      can_read_ = false;
      end_told_ = true;
      if (state_ == State::Open) return handler_->on_end(*this);
      if (state_ == State::Lingering) close();
      return;
    }
    connections_.counters_.received_bytes += *got;
    // A short read has emptied the socket, and the next byte is a new edge; but an end that came with it is not.
    if (*got < connections_.read_buffer_.size() && !end_near_) can_read_ = false;
    if (state_ == State::Open) take({connections_.read_buffer_.data(), *got});
    if (state_ == State::Closed) return;
    if (can_read_ && !end_near_) return put_off();  // fair to the others: one buffer a turn
  }
}

void Connection::take(base::Bytes fresh) {
  if (!input_.empty()) input_.append(fresh);
  const base::Bytes shown = input_.empty() ? fresh : base::Bytes(input_);
  std::size_t used = 0;
  for (bool again = true; again && used < shown.size();) {
    Handler* const handler = handler_.get();
    wants_input_ = false;
    const auto consumed = handler->on_bytes(*this, shown.substr(used));
    if (state_ != State::Open) return;
    if (!consumed) return fail(consumed.error());
    used += *consumed;
    again = handler_.get() != handler || wants_input_;
  }
  if (input_.empty()) {
    input_.assign(shown.substr(used));
  } else if (used == input_.size()) {
    release(input_);
  } else {
    input_.erase(0, used);
  }
}

void Connection::flush() {
  if (!can_write_ || output_.empty() || state_ == State::Closed) return;
  const std::size_t count = output_.slices(connections_.slices_);
  std::size_t offered = 0;
  for (std::size_t i = 0; i < count; ++i) offered += connections_.slices_[i].size;
  const auto sent = loop().network().write(handle_, {connections_.slices_.data(), count});
  ++connections_.counters_.writes;
  if (!sent) {
    can_write_ = false;
    if (sent.error().code != base::Errc::Again) fail(sent.error());
    return;
  }
  connections_.counters_.sent_bytes += *sent;
  progress_ = true;
  output_.consume(connections_.pool_, *sent);
  if (*sent < offered) can_write_ = false;
  if (output_.empty() && state_ == State::Closing) return begin_linger();
  if (output_.empty() && wants_drained_) put_off();
  if (!output_.empty() && can_write_) put_off();  // more slices than one write takes
}

}  // namespace net
