// SPDX-License-Identifier: Apache-2.0
#include "protocols/sse/form.h"

#include <optional>
#include <utility>

#include "protocols/http/errors.h"
#include "protocols/sse/stream.h"

namespace protocols::sse {

namespace {

constexpr std::string_view kMediaType = "text/event-stream";

class Form final : public http::StreamForm {
 public:
  std::string_view media_type() const override { return kMediaType; }

  void open(const http::ExchangePtr& exchange, http::StreamRequest request) override {
    auto start = start_of(*exchange, request.query);
    if (!start) return exchange->answer(std::move(start.error()));
    http::Answer head{200, std::string(kMediaType), {}, {}};
    head.fields.emplace_back("Cache-Control", "no-store, no-transform");
    head.fields.emplace_back("X-Accel-Buffering", "no");
    if (exchange->head().method() == http::Method::Head) {
      head.content = http::Answer::Content::Stream;
      return exchange->answer(std::move(head));
    }
    const Framing framing{request.query.format.value_or(http::Format::Payload), request.query.events,
                          exchange->stream_framing()};
    auto stream = std::make_unique<Stream>(exchange->connection(), encoder_, request, *start, framing);
    stream->set_head(exchange->stream_head(head));
    Stream& started = *stream;
    exchange->take_over(std::move(stream));
    started.start();
  }

 private:
  // Last-Event-ID is what a browser repeats by itself, so it wins; empty is absent (WHATWG HTML section 9.2.2).
  static std::expected<engine::Start, http::Answer> start_of(const http::Exchange& exchange,
                                                             const http::ReadQuery& query) {
    if (exchange.head().fields().count("Last-Event-ID") > 1)
      return std::unexpected(http::repeated_field_answer("Last-Event-ID"));
    const std::string_view last_id = exchange.head().fields().field("Last-Event-ID").value_or("");
    if (last_id.empty()) return query.after.value_or(engine::Start(engine::Latest{}));
    const auto cursor = engine::parse_start(last_id);
    if (cursor) return *cursor;
    return std::unexpected(
        http::problem_answer({.status = 400,
                              .type = "bad-cursor",
                              .detail = "Last-Event-ID is no cursor: expected the `id` of an event of this server"}));
  }

  Encoder encoder_;
};

}  // namespace

std::unique_ptr<http::StreamForm> make_form() { return std::make_unique<Form>(); }

}  // namespace protocols::sse
