// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/gateway.h"

#include <algorithm>
#include <utility>

#include "codec/mime.h"
#include "protocols/http/errors.h"
#include "protocols/http/page.h"
#include "protocols/http/publish.h"

namespace protocols::http {

namespace {

constexpr std::string_view kOwnPrefix = "/.tidewire";
constexpr std::string_view kJson = "application/json";

bool is_own(std::string_view path) {
  return path == kOwnPrefix || (path.starts_with(kOwnPrefix) && path[kOwnPrefix.size()] == '/');
}

void refuse_foreign(const ExchangePtr& exchange) {
  exchange->answer({.status = 403,
                    .type = "foreign-origin",
                    .detail = "pages of this origin may not use this listener: add it to `cors.origins`"});
}

}  // namespace

Match match(base::Bytes first_bytes) {
  if (first_bytes.empty()) return Match::NeedsMore;
  const unsigned char first = static_cast<unsigned char>(first_bytes[0]);
  const bool letter = (first >= 'A' && first <= 'Z') || (first >= 'a' && first <= 'z') || first == '\r';
  return letter ? Match::Yes : Match::No;
}

Gateway::Gateway(const Surface& surface, std::span<const std::unique_ptr<StreamForm>> forms)
    : surface_(surface), forms_(forms), media_types_{kJson}, static_files_(surface.settings.static_root) {
  for (const auto& form : forms_) media_types_.push_back(form->media_type());
  limits_.body_bytes_max = surface.settings.event_bytes_max;
}

// Whoever answers: streams and files put a Cache-Control of their own in the place of this one. The permission fields
// are those of the Fetch standard: problems carry them too, or the page could not read what is wrong.
AnswerFields Gateway::common_fields(const RequestHead& head) const {
  AnswerFields fields = {{"Vary", "Accept, Origin"}, {"Cache-Control", "no-store"}};
  const std::string_view origin = head.fields().field("Origin").value_or("");
  if (head.fields().count("Origin") > 1 || stranger_of(origin, head.host(), surface_.settings) != Stranger::Listed)
    return fields;
  fields.emplace_back("Access-Control-Allow-Origin", origin);
  fields.emplace_back("Access-Control-Allow-Credentials", "true");
  fields.emplace_back("Access-Control-Expose-Headers", "Tidewire-Cursor, Retry-After, Allow");
  return fields;
}

void Gateway::handle(const ExchangePtr& exchange) {
  const RequestHead& head = exchange->head();
  if (!is_known_host(head.host(), surface_.settings)) {
    return exchange->answer({.status = 421,
                             .type = "unknown-host",
                             .detail = "this loopback listener does not answer for that Host: add it to `hosts`"});
  }
  if (head.fields().count("Origin") > 1) return exchange->answer(repeated_field_answer("Origin"));
  const std::string_view origin = head.fields().field("Origin").value_or("");
  const Stranger stranger = stranger_of(origin, head.host(), surface_.settings);
  if (stranger == Stranger::Foreign && !surface_.settings.same_origin_is_enough) return refuse_foreign(exchange);
  if (head.target() == "*") return answer_options(exchange, stranger, "GET, HEAD, POST, OPTIONS");
  const auto target = Target::parse(head.target());
  if (!target) return exchange->answer(error_answer(target.error()));
  route(exchange, stranger, *target);
}

void Gateway::route(const ExchangePtr& exchange, Stranger stranger, const Target& target) {
  const std::string& path = target.path();
  if (is_own(path)) {
    return exchange->answer(
        {.status = 404, .type = "not-found", .detail = "there is nothing at this path in this version"});
  }
  const auto found = target.has_escaped_star() ? std::nullopt : surface_.engine.topics().find(path);
  if (found) return answer_channel(exchange, stranger, target, *found);
  if (surface_.engine.topics().is_mount(path) && target.count("channel") > 0)
    return exchange->answer(parameter_answer("channel", "is not in this version: read one address by its own URL"));
  if (path.find('*') != std::string::npos) {
    return exchange->answer({.status = 400, .type = "bad-address", .detail = "wildcards are not in this version"});
  }
  if (exchange->head().method() == Method::Options) return answer_options(exchange, stranger, "GET, HEAD, OPTIONS");
  if (static_files_.has_root() && !target.has_dot_segment()) return static_files_.answer(exchange, path);
  exchange->answer({.status = 404,
                    .type = "no-such-channel",
                    .detail = "no channel of the contract has this address on this listener"});
}

void Gateway::answer_channel(const ExchangePtr& exchange, Stranger stranger, const Target& target,
                             const engine::Topics::Found& found) {
  const engine::Rights& rights = found.channel->rights_of(surface_.settings.side);
  const RequestHead& head = exchange->head();
  if (head.method() == Method::Options) return answer_options(exchange, stranger, allowed_methods(*found.channel));
  if (rights.subscribe && (head.method() == Method::Get || head.method() == Method::Head))
    return read(exchange, stranger, target, found);
  if (rights.publish && head.method_text() == rights.publish_method) return publish(exchange, stranger, target, found);
  refuse_method(exchange, *found.channel);
}

void Gateway::read(const ExchangePtr& exchange, Stranger stranger, const Target& target,
                   const engine::Topics::Found& found) {
  const std::string accept = exchange->head().fields().joined("Accept");
  const auto chosen = codec::best_offered(accept, media_types_);
  const bool stream = chosen && *chosen > 0;
  if (!chosen) {
    std::string detail = "this address is served as";
    for (const std::string_view type : media_types_) detail.append(" ").append(type);
    return exchange->answer({.status = 406, .type = "not-acceptable", .detail = detail});
  }
  auto query = ReadQuery::parse(target);
  if (!query) return exchange->answer(std::move(query.error()));
  engine::Member member{found.channel, std::string(found.address)};
  if (!stream) return answer_page(exchange, surface_.engine, std::move(member), *query);
  if (stranger == Stranger::Foreign) return refuse_foreign(exchange);
  forms_[*chosen - 1]->open(exchange, {surface_.engine, std::move(member), *query});
}

void Gateway::publish(const ExchangePtr& exchange, Stranger stranger, const Target& target,
                      const engine::Topics::Found& found) {
  if (stranger == Stranger::Foreign) return refuse_foreign(exchange);
  if (!target.query().empty())
    return exchange->answer(parameter_answer(target.query().front().name, "means nothing when publishing"));
  answer_publish(exchange, surface_.engine, found, surface_.settings.side);
}

std::string Gateway::allowed_methods(const engine::Channel& channel) const {
  const engine::Rights& rights = channel.rights_of(surface_.settings.side);
  std::string methods;
  if (rights.subscribe) methods += "GET, HEAD, ";
  if (rights.publish) methods += rights.publish_method + ", ";
  return methods + "OPTIONS";
}

// RFC 9110 section 15.5.6: a 405 says what may be done here; ours also says where the rest may be.
void Gateway::refuse_method(const ExchangePtr& exchange, const engine::Channel& channel) const {
  const std::string_view method = exchange->head().method_text();
  const engine::Rights& there = channel.rights_of(engine::other(surface_.settings.side));
  const bool reads = method == "GET" || method == "HEAD";
  const bool elsewhere = reads ? there.subscribe : there.publish && method == there.publish_method;
  std::string detail = "the contract has no operation for ";
  detail.append(method).append(" on this channel for this side");
  if (elsewhere && !surface_.settings.other_listener.empty()) {
    detail += surface_.settings.side == engine::Side::Counterpart
                  ? "; the application does that on its own listener, "
                  : "; the counterpart does that on the public listener, ";
    detail += surface_.settings.other_listener;
  }
  Answer answer = problem_answer({.status = 405, .type = "no-such-operation", .detail = detail});
  answer.fields.emplace_back("Allow", allowed_methods(channel));
  exchange->answer(std::move(answer));
}

// A preflight (the Fetch standard, "CORS-preflight fetch") is answered on unknown addresses too: the real answer says
// what is wrong, and the page may read it.
void Gateway::answer_options(const ExchangePtr& exchange, Stranger stranger, const std::string& methods) const {
  Answer answer{204, {}, {}, {}};
  answer.fields.emplace_back("Allow", methods);
  if (stranger == Stranger::Listed) {
    answer.fields.emplace_back("Access-Control-Allow-Methods", methods);
    const std::string asked = exchange->head().fields().joined("Access-Control-Request-Headers");
    if (!asked.empty()) answer.fields.emplace_back("Access-Control-Allow-Headers", asked);
    answer.fields.emplace_back("Access-Control-Max-Age", "600");
  }
  exchange->answer(std::move(answer));
}

}  // namespace protocols::http
