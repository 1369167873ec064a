// SPDX-License-Identifier: Apache-2.0
#pragma once
// GET with `Accept: application/json`: one page of CloudEvents, which waits for the first event if asked to (long
// poll). WIRE.md section 6.
#include "engine/page.h"
#include "protocols/http/exchange.h"
#include "protocols/http/query.h"

namespace protocols::http {

// Answers the exchange, now or later.
void answer_page(const ExchangePtr&, engine::Engine&, engine::Member, const ReadQuery&);

}  // namespace protocols::http
