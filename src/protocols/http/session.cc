// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/session.h"

#include <utility>

#include "codec/http_date.h"
#include "protocols/http/codec/response_writer.h"

namespace protocols::http {

namespace {

Answer overload_answer() {
  Answer answer = problem_answer({.status = 503,
                                  .type = "overload",
                                  .detail = "too many answers wait for slow readers; nothing was done, try again"});
  answer.fields.emplace_back("Retry-After", "1");
  return answer;
}

}  // namespace

Session::~Session() {
  if (!exchange_) return;
  exchange_->session_ = nullptr;
  exchange_->operation_.reset();
}

base::Result<std::size_t> Session::on_bytes(net::Connection& connection, base::Bytes bytes) {
  in_on_bytes_ = true;
  std::size_t consumed = 0;
  while (!exchange_ && !last_) {
    // Who does not take answers gets no further ones: pipelined requests wait until the queue is empty.
    full_ = connection.is_full();
    if (full_) {
      connection.tell_when_drained();
      break;
    }
    const auto fed = parser_.feed(bytes.substr(consumed));
    if (!fed) {
      refuse(connection, fed.error());
      return bytes.size();
    }
    consumed += *fed;
    if (parser_.stage() == Stage::Complete) {
      begin_exchange(connection);
      continue;
    }
    // An unfinished request line is still the connection's input, and the client's time runs.
    const bool begun = consumed < bytes.size() || !parser_.idle();
    watch_progress(connection, *fed, begun ? Clock::Head : Clock::Idle);
    if (*fed == 0) break;
  }
  in_on_bytes_ = false;
  // What is left is no whole request, and the rest of it will not come.
  if (ended_ && !exchange_ && !full_) connection.close_after_sending();
  return consumed;
}

void Session::watch_progress(net::Connection& connection, std::size_t body_bytes, Clock before_body) {
  if (parser_.stage() == Stage::Head) return set_clock(connection, before_body);
  body_bytes_ += body_bytes;
  set_clock(connection, Clock::Body);
  if (!continue_sent_ && parser_.head().expects_continue()) {
    continue_sent_ = true;
    connection.send("HTTP/1.1 100 Continue\r\n\r\n");
  }
}

void Session::set_clock(net::Connection& connection, Clock clock) {
  if (clock == clock_) return;
  clock_ = clock;
  switch (clock) {
    case Clock::None: return connection.set_timeout(0);
    case Clock::Idle: return connection.set_timeout(kIdleNs);
    case Clock::Head: return connection.set_timeout(kHeadNs);
    case Clock::Body: return connection.set_timeout(kBodyPeriodNs);
  }
}

void Session::begin_exchange(net::Connection& connection) {
  set_clock(connection, Clock::None);
  last_ = !parser_.head().keep_alive();
  exchange_ = std::make_shared<Exchange>(*this, connection, parser_.head(), parser_.take_body());
  const ExchangePtr exchange = exchange_;  // it may end while it is handled
  for (auto& [name, value] : service_.common_fields(exchange->head())) exchange->add_field(name, std::move(value));
  if (connection.loop_output_bytes() > service_.loop_output_bytes_max()) return exchange->answer(overload_answer());
  service_.handle(exchange);
  std::string().swap(exchange->body_);  // a long poll or a slow log keeps no body
}

void Session::on_answered(net::Connection& connection) {
  exchange_.reset();
  if (last_) return connection.close_after_sending();
  parser_.next();
  continue_sent_ = false;
  body_bytes_ = 0;
  set_clock(connection, Clock::Idle);
  if (in_on_bytes_) return;
  if (ended_ && !connection.has_input()) return connection.close_after_sending();
  connection.show_input();
}

void Session::refuse(net::Connection& connection, const ParseFailure& failure) {
  service_.on_refused(failure);
  const std::string body =
      problem_document({.status = failure.status, .type = "malformed-request", .detail = failure.text});
  std::string out, date;
  codec::append_http_date(date, connection.loop().wall_ms() / 1000);
  ResponseWriter head(out, failure.status);
  head.date(date).content_type(kProblemMediaType).connection("close");
  if (parser_.has_head())
    for (const auto& [name, value] : service_.common_fields(parser_.head())) head.field(name, value);
  head.content_length(body.size()).end();
  connection.send(out + body);
  connection.close_after_sending();
}

void Session::on_drained(net::Connection& connection) {
  full_ = false;
  if (ended_ && !exchange_ && !connection.has_input()) return connection.close_after_sending();
  connection.show_input();
}

// Requests that came whole are answered; a client may finish sending behind the last one.
void Session::on_end(net::Connection& connection) {
  ended_ = true;
  if (full_) return;
  if (!exchange_) return connection.close_after_sending();
  if (Operation* operation = exchange_->operation()) operation->on_peer_ended();
}

void Session::on_timeout(net::Connection& connection) {
  // A slow reader of the last answer is not idle.
  const bool reads = connection.backlog_bytes() > 0 && connection.take_progress();
  if (clock_ == Clock::Idle && reads) return connection.set_timeout(kIdleNs);
  if (clock_ == Clock::Idle || clock_ == Clock::None) return connection.close();
  if (clock_ == Clock::Body && body_bytes_ >= kBodyBytesPerPeriodMin) {
    body_bytes_ = 0;
    return connection.set_timeout(kBodyPeriodNs);
  }
  const char* const slow = clock_ == Clock::Head ? "the head of the request did not arrive within 10 seconds"
                                                 : "the body arrives too slowly: send at least 4 KiB in 10 seconds";
  refuse(connection, {Fault::CutShort, 408, slow});
}

void Session::on_shutdown(net::Connection& connection) {
  last_ = true;
  if (!exchange_) return connection.close_after_sending();
  if (Operation* operation = exchange_->operation()) operation->on_shutdown();
}

}  // namespace protocols::http
