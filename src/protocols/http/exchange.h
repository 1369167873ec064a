// SPDX-License-Identifier: Apache-2.0
#pragma once
// One request and its answer. Whoever answers later keeps the shared pointer; when the connection has gone meanwhile,
// answering does nothing.
//
// Thread: one loop. Exactly one of answer() and take_over() is called, once.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/connection.h"
#include "protocols/http/codec/problem.h"
#include "protocols/http/codec/request_parser.h"
#include "protocols/http/codec/target.h"

namespace protocols::http {

class Session;

using AnswerFields = std::vector<std::pair<std::string_view, std::string>>;

struct Answer {
  enum class Content : std::uint8_t { Body, Stream };

  int status = 200;
  std::string content_type = {};  // empty: no such field
  std::string body = {};
  AnswerFields fields = {};
  Content content = Content::Body;  // Stream: the head of one, for HEAD; nobody knows its length
};

Answer problem_answer(const Problem&);

// Something that goes on while the client waits; it dies with the exchange, at the end of that turn.
class Operation {
 public:
  virtual ~Operation() = default;
  virtual void on_peer_ended() {}  // the client will send no more, and may be gone
  virtual void on_shutdown() {}    // the program ends: answer now
};

class Exchange final : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(Session&, net::Connection&, const RequestHead&, std::string body);

  const RequestHead& head() const { return *head_; }  // until answered
  const std::string& body() const { return body_; }   // only during Service::handle
  // Fields that every answer to this request carries, whoever gives it; one of the same name of the answer's own wins.
  void add_field(std::string_view name, std::string value) { fields_.emplace_back(name, std::move(value)); }

  bool is_open() const { return session_ != nullptr; }  // a client still waits for the answer
  void answer(Answer);
  void answer(const Problem& problem) { answer(problem_answer(problem)); }

  // A stream instead of an answer, framed as `chunked` where the version allows: the connection is the new handler's
  // from now on, and the handler sends the head, which still lacks its last fields and the empty line. Only while
  // is_open().
  enum class Framing : std::uint8_t { Chunked, UntilClose };
  Framing stream_framing() const;
  std::string stream_head(const Answer&) const;  // its body is not used
  net::Connection& connection();
  void take_over(std::unique_ptr<net::Handler>);

  void keep(std::unique_ptr<Operation> operation);
  Operation* operation() { return operation_.get(); }
  io::Loop& loop() { return loop_; }

 private:
  friend class Session;
  std::string head_of(const Answer&) const;
  void end();

  Session* session_;
  net::Connection* connection_;
  io::Loop& loop_;
  const RequestHead* head_;
  std::string body_;
  AnswerFields fields_;
  std::unique_ptr<Operation> operation_;
};

using ExchangePtr = std::shared_ptr<Exchange>;

}  // namespace protocols::http
