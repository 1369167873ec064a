// SPDX-License-Identifier: Apache-2.0
#pragma once
// POST (or the operation's http binding method) to an address: the body is the payload of one event, or one CloudEvent
// in structured mode. 201 once it is durable, 200 for a repeat. WIRE.md section 6.
#include "engine/engine.h"
#include "protocols/http/exchange.h"

namespace protocols::http {

inline constexpr std::size_t kIdempotencyKeyBytesMax = 256;

void answer_publish(const ExchangePtr&, engine::Engine&, const engine::Topics::Found&, engine::Side);

}  // namespace protocols::http
