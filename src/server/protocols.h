// SPDX-License-Identifier: Apache-2.0
#pragma once
// The explicit list of what this program speaks. A new protocol is one folder and one line in protocols.cc.
#include <memory>
#include <vector>

#include "protocols/http/form.h"

namespace server {

using StreamForms = std::vector<std::unique_ptr<protocols::http::StreamForm>>;

// The streaming forms of GET, fresh ones for one loop.
StreamForms make_stream_forms();

}  // namespace server
