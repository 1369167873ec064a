// SPDX-License-Identifier: Apache-2.0
#include "admin/admin_service.h"

#include <utility>

#include "protocols/http/origin.h"

namespace admin {

namespace http = protocols::http;

AdminService::AdminService(const protocols::Surface& surface, std::string version, Collect collect)
    : surface_(surface), version_(std::move(version)), collect_(std::move(collect)) {}

void AdminService::handle(const http::ExchangePtr& exchange) {
  const http::RequestHead& head = exchange->head();
  exchange->add_field("Cache-Control", "no-store");
  if (!http::is_known_host(head.host(), surface_.settings))
    return exchange->answer({.status = 421,
                             .type = "unknown-host",
                             .detail = "the admin listener does not answer for that Host: add it to `hosts`"});
  const std::string_view origin = head.fields().field("Origin").value_or("");
  if (http::stranger_of(origin, head.host(), surface_.settings) == http::Stranger::Foreign)
    return exchange->answer(
        {.status = 403,
         .type = "foreign-origin",
         .detail = "pages may not use the admin listener unless their origin is in `cors.origins`"});
  if (head.method() != http::Method::Get && head.method() != http::Method::Head) {
    http::Answer refusal = http::problem_answer(
        {.status = 405, .type = "no-such-operation", .detail = "the admin listener is only read in this version"});
    refusal.fields.emplace_back("Allow", "GET, HEAD");
    return exchange->answer(std::move(refusal));
  }
  const std::string_view path = head.target().substr(0, head.target().find('?'));
  if (path == "/metrics") return answer_metrics(exchange);
  if (path == "/readyz") return answer_ready(exchange);
  if (path == "/healthz") return answer_ok(exchange);
  exchange->answer({.status = 404, .type = "not-found", .detail = "here are /metrics, /healthz and /readyz"});
}

void AdminService::answer_ok(const http::ExchangePtr& exchange) {
  exchange->answer(http::Answer{200, "text/plain; charset=utf-8", "ok\n", {}});
}

// Listeners open when everything behind them is ready; what may end later is that the log takes events.
void AdminService::answer_ready(const http::ExchangePtr& exchange) {
  switch (surface_.engine.lane().condition()) {
    case storage::LaneCondition::Writable: return answer_ok(exchange);
    case storage::LaneCondition::Full:
      return exchange->answer(
          {.status = 503,
           .type = "no-space",
           .detail = "disk full, or `storage.bytes_max` reached with young events: publishing gets 507"});
    case storage::LaneCondition::ReadOnly:
      return exchange->answer({.status = 503,
                               .type = "sync-failed",
                               .detail = "a sync failed: publishing gets 503 until a restart; check the disk first"});
  }
}

void AdminService::answer_metrics(const http::ExchangePtr& exchange) {
  collect_(exchange->loop(), [this, exchange](const std::vector<LoopSnapshot>& loops) {
    const storage::Lane& lane = surface_.engine.lane();
    const ProcessSnapshot process{version_, lane.durable(), surface_.engine.topics().channels().size(),
                                  lane.condition(), lane.usage()};
    exchange->answer(http::Answer{200, "text/plain; version=0.0.4; charset=utf-8", metrics_page(process, loops), {}});
  });
}

}  // namespace admin
