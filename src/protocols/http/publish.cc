// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/publish.h"

#include <utility>

#include "codec/json_writer.h"
#include "protocols/http/errors.h"

namespace protocols::http {

namespace {

Answer reply_answer(const engine::PublishReply& reply) {
  if (reply.status != storage::AppendStatus::Durable) return append_answer(reply.status);
  Answer answer{reply.duplicate ? 200 : 201, "application/json", {}, {}};
  codec::json::Writer(answer.body)
      .begin_object()
      .member("id", reply.id)
      .member("cursor", reply.cursor.token())
      .end_object();
  answer.fields.emplace_back("Tidewire-Cursor", reply.cursor.token());
  return answer;
}

}  // namespace

void answer_publish(const ExchangePtr& exchange, engine::Engine& engine, const engine::Topics::Found& found,
                    engine::Side side) {
  const RequestHead& head = exchange->head();
  const std::string_view content_type = head.fields().field("Content-Type").value_or("");
  if (content_type.starts_with("application/cloudevents") || head.fields().field("ce-specversion")) {
    return exchange->answer(problem_answer({.status = 415,
                                            .type = "content-type-not-served",
                                            .detail = "CloudEvents envelopes are not in this version: send the payload "
                                                      "alone, and Idempotency-Key for a safe repeat"}));
  }
  const std::string_view key = head.fields().field("Idempotency-Key").value_or("");
  if (key.size() > kIdempotencyKeyBytesMax) {
    return exchange->answer(
        problem_answer({.status = 400, .type = "malformed", .detail = "Idempotency-Key is longer than 256 bytes"}));
  }
  engine::Publication publication{*found.channel, found.address, side, {}, key};
  publication.content.datacontenttype = content_type;
  publication.content.data = exchange->body();
  const auto accepted = engine.publish(
      publication, [exchange](const engine::PublishReply& reply) { exchange->answer(reply_answer(reply)); });
  if (!accepted) exchange->answer(error_answer(accepted.error()));
}

}  // namespace protocols::http
