// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/origin.h"

#include <algorithm>
#include <cctype>

namespace protocols::http {

namespace {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

// `[::1]:80` and `name:80` without their port.
std::string_view without_port(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  if (colon == std::string_view::npos || host.find(']', colon) != std::string_view::npos) return host;
  return host.substr(0, colon);
}

bool is_loopback_name(std::string_view name) {
  if (equal_ignoring_case(name, "localhost") || name == "[::1]") return true;
  return name.starts_with("127.") && name.find_first_not_of("0123456789.") == std::string_view::npos;
}

bool is_listed(std::string_view host, const std::vector<std::string>& hosts) {
  return std::ranges::any_of(hosts, [&](const std::string& listed) { return equal_ignoring_case(host, listed); });
}

}  // namespace

bool is_known_host(std::string_view host, const SurfaceSettings& settings) {
  const std::string_view name = without_port(host);
  return !settings.is_loopback || is_loopback_name(name) || is_listed(host, settings.hosts) ||
         is_listed(name, settings.hosts);
}

Stranger stranger_of(std::string_view origin, std::string_view host, const SurfaceSettings& settings) {
  if (origin.empty()) return Stranger::NoOrigin;
  if (std::ranges::find(settings.origins, origin) != settings.origins.end()) return Stranger::Listed;
  if (!settings.same_origin_is_enough) return Stranger::Foreign;
  const std::size_t scheme = origin.find("://");
  if (scheme == std::string_view::npos) return Stranger::Foreign;
  const std::string_view place = origin.substr(scheme + 3);
  // Another port of a known host is another origin. Without a port it is the default one, in an entry as in an Origin.
  const bool same = equal_ignoring_case(place, host) || is_listed(place, settings.hosts);
  return same ? Stranger::Same : Stranger::Foreign;
}

}  // namespace protocols::http
