// SPDX-License-Identifier: Apache-2.0
#pragma once
// Whom a listener answers: the names that Host may have, against DNS rebinding, and the foreign origins of browsers.
// WIRE.md, "Browsers and strangers" and "Fields". Pure; settings are the listener's.
#include <string_view>

#include "protocols/surface.h"

namespace protocols::http {

// On a loopback listener Host must be a loopback name or one of `hosts`; elsewhere any name will do. Else 421.
bool is_known_host(std::string_view host, const SurfaceSettings&);

enum class Stranger : std::uint8_t {
  NoOrigin,  // not a browser's cross-origin request
  Same,      // the page came from here
  Listed,    // from an origin in `cors.origins`: gets permission fields
  Foreign,   // anything else, `null` included
};

// `origin` and `host` are the fields' values; an empty origin is none.
Stranger stranger_of(std::string_view origin, std::string_view host, const SurfaceSettings&);

}  // namespace protocols::http
