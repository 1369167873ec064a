// SPDX-License-Identifier: Apache-2.0
#pragma once
// An HTTP/1.1 connection between its requests (RFC 9112): one exchange at a time, in the order of arrival; pipelined
// requests wait in the connection's input.
//
// Thread: one loop. Time limits: kHeadNs for a head, kIdleNs between requests, and a body must bring
// kBodyBytesPerPeriodMin in every kBodyPeriodNs.
#include <cstdint>
#include <memory>
#include <string>

#include "net/handler.h"
#include "protocols/http/codec/request_parser.h"
#include "protocols/http/exchange.h"
#include "protocols/surface.h"

namespace protocols::http {

inline constexpr std::uint64_t kHeadNs = 10'000'000'000;
inline constexpr std::uint64_t kIdleNs = 75'000'000'000;
inline constexpr std::uint64_t kBodyPeriodNs = 10'000'000'000;
inline constexpr std::uint64_t kBodyBytesPerPeriodMin = 4'096;

// What answers the requests of a listener, on one loop. It outlives the sessions.
class Service {
 public:
  virtual ~Service() = default;
  virtual void handle(const ExchangePtr&) = 0;  // answers during the call or later
  virtual const Limits& limits() const = 0;
  // Of answers that wait for slow readers on this loop: beyond it requests are 503.
  virtual std::size_t loop_output_bytes_max() const { return kLoopOutputBytesMax; }
  // Fields that every answer to this request carries, and a refusal of its body too.
  virtual AnswerFields common_fields(const RequestHead&) const { return {}; }
  // What was wrong before there was a request to answer.
  virtual void on_refused(const ParseFailure&) {}
};

class Session final : public net::Handler {
 public:
  explicit Session(Service& service) : service_(service), parser_(service.limits()) {}
  ~Session() override;

  void on_open(net::Connection& connection) override { set_clock(connection, Clock::Idle); }
  base::Result<std::size_t> on_bytes(net::Connection&, base::Bytes) override;
  void on_drained(net::Connection&) override;
  void on_end(net::Connection&) override;
  void on_timeout(net::Connection&) override;
  void on_shutdown(net::Connection&) override;

 private:
  friend class Exchange;
  enum class Clock : std::uint8_t { None, Idle, Head, Body };  // which time limit runs

  void begin_exchange(net::Connection&);
  void on_answered(net::Connection&);  // from the exchange
  void refuse(net::Connection&, const ParseFailure&);
  void set_clock(net::Connection&, Clock);
  void watch_progress(net::Connection&, std::size_t body_bytes, Clock before_body);

  Service& service_;
  RequestParser parser_;
  ExchangePtr exchange_;
  std::uint64_t body_bytes_ = 0;  // in this period
  Clock clock_ = Clock::None;
  bool in_on_bytes_ = false;
  bool continue_sent_ = false;
  bool full_ = false;   // requests wait until the client has taken earlier answers
  bool ended_ = false;  // the client has finished sending
  bool last_ = false;   // the connection closes behind the answer under way
};

}  // namespace protocols::http
