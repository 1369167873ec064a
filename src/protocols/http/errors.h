// SPDX-License-Identifier: Apache-2.0
#pragma once
// What an HTTP client is told about each of our errors: the one place that decides (RFC 9457, RFC 9110 section 15).
#include <string>

#include "base/result.h"
#include "codec/json_writer.h"
#include "engine/page.h"
#include "protocols/http/exchange.h"
#include "storage/lane.h"

namespace protocols::http {

Answer error_answer(const base::Error&);
// A bad value of a query parameter: 400, naming it.
Answer parameter_answer(std::string_view parameter, std::string_view what_is_wrong);
// 400: a field that can only be said once is there twice, and nobody knows which one is meant.
Answer repeated_field_answer(std::string_view name);
// A publish that did not become durable.
Answer append_answer(storage::AppendStatus);
// A static file that is not served now, or not at all.
Answer file_answer(const base::Error&);
// The members reason, cursor, earliest and latest: here, and in the control blocks of streams.
void append_reset_members(codec::json::Writer&, const engine::Reset&);
// 410: the page that was asked for cannot be complete.
Answer gone_answer(const engine::Reset&);

}  // namespace protocols::http
