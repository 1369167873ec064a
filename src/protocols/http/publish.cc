// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/publish.h"

#include <utility>

#include "codec/json_writer.h"
#include "codec/mime.h"
#include "protocols/http/binary_event.h"
#include "protocols/http/errors.h"
#include "protocols/http/structured_event.h"

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

// What a request says of its event, and the text that this borrows.
class Content final {
 public:
  std::expected<void, Answer> read(const Fields& fields, base::Bytes body) {
    const std::string_view content_type = fields.field("Content-Type").value_or("");
    const auto media_type = codec::parse_media_type(content_type);
    const std::string essence = media_type ? media_type->essence() : std::string();
    if (essence == kStructuredMediaType) return structured_.read(body);
    if (essence.starts_with("application/cloudevents")) {
      return std::unexpected(problem_answer({.status = 415,
                                             .type = "content-type-not-served",
                                             .detail = "batches of CloudEvents are not in this version: send one "
                                                       "event, as application/cloudevents+json or with ce-* fields"}));
    }
    event.datacontenttype = content_type;
    event.data = body;
    if (!is_binary_event(fields)) return {};
    return read_binary_event(fields, attributes_);
  }

  codec::CloudEvent event;

 private:
  EventAttributes attributes_{event, kBinaryPrefix};
  StructuredEvent structured_{event};
};

std::expected<void, Answer> check_fields(const Fields& fields) {
  for (const std::string_view name : {"Content-Type", "Idempotency-Key"})
    if (fields.count(name) > 1) return std::unexpected(repeated_field_answer(name));
  if (fields.field("Idempotency-Key").value_or("").size() <= kIdempotencyKeyBytesMax) return {};
  return std::unexpected(
      problem_answer({.status = 400, .type = "malformed", .detail = "Idempotency-Key is longer than 256 bytes"}));
}

}  // namespace

void answer_publish(const ExchangePtr& exchange, engine::Engine& engine, const engine::Topics::Found& found,
                    engine::Side side) {
  const Fields& fields = exchange->head().fields();
  if (auto checked = check_fields(fields); !checked) return exchange->answer(std::move(checked.error()));
  Content content;
  if (auto read = content.read(fields, exchange->body()); !read) return exchange->answer(std::move(read.error()));
  const std::string_view key = fields.field("Idempotency-Key").value_or("");
  const engine::Publication publication{*found.channel, found.address, side, content.event, key};
  const auto accepted = engine.publish(
      publication, [exchange](const engine::PublishReply& reply) { exchange->answer(reply_answer(reply)); });
  if (!accepted) exchange->answer(refusal_answer(accepted.error(), *found.channel, side));
}

}  // namespace protocols::http
