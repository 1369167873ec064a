// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/exchange.h"

#include <algorithm>

#include "codec/http_date.h"
#include "protocols/http/codec/response_writer.h"
#include "protocols/http/session.h"

namespace protocols::http {

namespace {
constexpr std::size_t kCopiedBodyBytesMax = 4'096;  // beyond it a frame of its own costs less
}

Answer problem_answer(const Problem& problem) {
  return {problem.status, std::string(kProblemMediaType), problem_document(problem), {}};
}

Exchange::Exchange(Session& session, net::Connection& connection, const RequestHead& head, std::string body)
    : session_(&session), connection_(&connection), loop_(connection.loop()), head_(&head), body_(std::move(body)) {}

void Exchange::keep(std::unique_ptr<Operation> operation) { operation_ = std::move(operation); }

std::string Exchange::head_of(const Answer& answer) const {
  std::string out;
  ResponseWriter head(out, answer.status);
  std::string date;
  codec::append_http_date(date, loop_.wall_ms() / 1000);
  head.date(date);
  if (!answer.content_type.empty()) head.content_type(answer.content_type);
  for (const auto& [name, value] : answer.fields) head.field(name, value);
  for (const auto& [name, value] : fields_)
    if (std::ranges::find(answer.fields, name, &AnswerFields::value_type::first) == answer.fields.end())
      head.field(name, value);
  return out;
}

// RFC 9110 section 8.6: no length on 204 and 304, and on HEAD the one that GET would have.
void Exchange::answer(Answer answer) {
  if (session_ == nullptr) return;
  std::string out = head_of(answer);
  if (session_->last_) {
    out += "Connection: close\r\n";
  } else if (head_->version() == Version::Http10) {
    out += "Connection: keep-alive\r\n";
  }
  if (answer.status != 204 && answer.status != 304 && answer.content == Answer::Content::Body) {
    out += "Content-Length: ";
    out += std::to_string(answer.body.size());
    out += "\r\n";
  }
  out += "\r\n";
  const bool has_body = head_->method() != Method::Head;
  if (has_body && answer.body.size() <= kCopiedBodyBytesMax) out += answer.body;
  connection_->send(std::move(out));
  // One gathered write takes both, so a large body is not copied behind its head.
  if (has_body && answer.body.size() > kCopiedBodyBytesMax) connection_->send(std::move(answer.body));
  end();
}

Exchange::Framing Exchange::stream_framing() const {
  return head_->version() == Version::Http11 ? Framing::Chunked : Framing::UntilClose;
}

std::string Exchange::stream_head(const Answer& answer) const {
  CHECK(session_ != nullptr, "a stream began after its client had gone");
  return head_of(answer) +
         (stream_framing() == Framing::Chunked ? "Transfer-Encoding: chunked\r\n" : "Connection: close\r\n");
}

net::Connection& Exchange::connection() {
  CHECK(session_ != nullptr, "a stream began after its client had gone");
  return *connection_;
}

void Exchange::take_over(std::unique_ptr<net::Handler> handler) {
  CHECK(session_ != nullptr, "a stream began after its client had gone");
  net::Connection& connection = *connection_;
  Session& session = *std::exchange(session_, nullptr);
  session.exchange_.reset();
  session.last_ = true;  // it reads no further request
  connection.set_timeout(0);
  connection.upgrade(std::move(handler));
}

void Exchange::end() {
  if (operation_) loop_.delete_later(std::move(operation_));
  std::exchange(session_, nullptr)->on_answered(*connection_);
}

}  // namespace protocols::http
