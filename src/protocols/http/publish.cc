// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/publish.h"

#include <utility>

#include "codec/json_writer.h"
#include "protocols/http/binary_event.h"
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

// What does not fit a message of the contract is told which ones there are.
Answer refusal_answer(const base::Error& error, const engine::Channel& channel, engine::Side side) {
  if (error.code != base::Errc::Unsupported) return error_answer(error);
  std::string detail(error.text);
  detail += "; send";
  std::string_view before = " ";
  for (const std::size_t index : channel.rights_of(side).messages) {
    const contract::Message& message = channel.messages[index];
    detail.append(before).append("`Content-Type: ").append(message.content_type).append("` for ").append(message.name);
    before = ", or ";
  }
  return problem_answer({.status = 415, .type = "content-type-not-served", .detail = detail});
}

}  // namespace

void answer_publish(const ExchangePtr& exchange, engine::Engine& engine, const engine::Topics::Found& found,
                    engine::Side side) {
  const Fields& fields = exchange->head().fields();
  const std::string_view content_type = fields.field("Content-Type").value_or("");
  if (content_type.starts_with("application/cloudevents")) {
    return exchange->answer({.status = 415,
                             .type = "content-type-not-served",
                             .detail = "structured and batched CloudEvents are not in this version: send the payload, "
                                       "with ce-* fields for its attributes"});
  }
  const std::string_view key = fields.field("Idempotency-Key").value_or("");
  if (key.size() > kIdempotencyKeyBytesMax) {
    return exchange->answer({.status = 400, .type = "malformed", .detail = "Idempotency-Key is longer than 256 bytes"});
  }
  engine::Publication publication{*found.channel, found.address, side, {}, key};
  BinaryEvent attributes;
  if (BinaryEvent::is_in(fields)) {
    if (auto read = attributes.read(fields, publication.content); !read)
      return exchange->answer(std::move(read.error()));
  }
  publication.content.datacontenttype = content_type;
  publication.content.data = exchange->body();
  const auto accepted = engine.publish(
      publication, [exchange](const engine::PublishReply& reply) { exchange->answer(reply_answer(reply)); });
  if (!accepted) exchange->answer(refusal_answer(accepted.error(), *found.channel, side));
}

}  // namespace protocols::http
