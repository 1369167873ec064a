// SPDX-License-Identifier: Apache-2.0
#pragma once
// The explicit list of what this program speaks. A new protocol, or a new form of an HTTP stream, is one folder and one
// line in protocols.cc.
#include <memory>
#include <vector>

#include "protocols/http/form.h"
#include "protocols/protocol.h"
#include "protocols/surface.h"

namespace server {

using StreamForms = std::vector<std::unique_ptr<protocols::http::StreamForm>>;

// The streaming forms of GET, fresh ones for one loop.
StreamForms make_stream_forms();

// Every protocol, for one listener of the loop. The forms outlive them.
std::vector<protocols::Offered> offer_protocols(const protocols::Surface&, const StreamForms&);

}  // namespace server
