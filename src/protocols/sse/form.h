// SPDX-License-Identifier: Apache-2.0
#pragma once
// Server-Sent Events: the streaming form that every browser has built in (WIRE.md section 6, `text/event-stream`).
#include <memory>

#include "protocols/http/form.h"

namespace protocols::sse {

std::unique_ptr<http::StreamForm> make_form();

}  // namespace protocols::sse
