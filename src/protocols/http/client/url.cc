// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/client/url.h"

#include <algorithm>

#include "codec/percent.h"
#include "protocols/http/codec/grammar.h"
#include "protocols/http/codec/target.h"

namespace protocols::http {
namespace {

using base::Bytes;
using base::Errc;
using base::fail;

constexpr Bytes kDefaultPort = ":80";

base::Result<Bytes> after_scheme(Bytes text) {
  const std::size_t end = text.find("://");
  if (end == Bytes::npos) return fail(Errc::BadInput, "a URL begins with `http://`");
  const Bytes scheme = text.substr(0, end);
  if (equals_ignoring_case(scheme, "https")) {
    return fail(Errc::Unsupported, "`https` is not among the schemes of this command; use the server's `http` address");
  }
  if (!equals_ignoring_case(scheme, "http")) return fail(Errc::BadInput, "a URL begins with `http://`");
  return text.substr(end + 3);
}

base::Result<io::Endpoint> endpoint_of(Bytes authority) {
  if (authority.find('@') != Bytes::npos) return fail(Errc::BadInput, "a URL with a user name is not accepted");
  if (!is_host(authority)) return fail(Errc::BadInput, "the host of the URL is malformed");
  const bool has_port = authority.find(':', authority.rfind(']') + 1) != Bytes::npos;
  const auto endpoint =
      io::Endpoint::parse(has_port ? std::string(authority) : std::string(authority).append(kDefaultPort));
  if (!endpoint) {
    return fail(Errc::Unsupported,
                "the host of the URL must be a numeric address or `localhost`, as in http://127.0.0.1:8080/");
  }
  if (endpoint->port == 0) return fail(Errc::BadInput, "the port of the URL is a number from 1 to 65535");
  return endpoint;
}

// What a shell lets a person type and a request line may not contain.
base::Result<std::string> escaped(Bytes text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const Bytes octet = text.substr(at, 1);
    const auto value = static_cast<unsigned char>(octet.front());
    if (value < 0x20 || value == 0x7F) return fail(Errc::BadInput, "the URL contains a control character");
    if (is_target(octet)) {
      out += octet;
    } else {
      codec::append_percent_encoded(out, octet, codec::PercentKeep::Unreserved);
    }
  }
  return out;
}

}  // namespace

base::Result<Url> Url::parse(Bytes text) {
  const Bytes rest = TRY(after_scheme(text));
  const Bytes authority = rest.substr(0, rest.find_first_of("/?#"));
  Bytes target = rest.substr(authority.size());
  target = target.substr(0, target.find('#'));
  Url url;
  url.endpoint = TRY(endpoint_of(authority));
  url.authority = authority;
  url.target = TRY(escaped(target));
  if (!url.target.starts_with('/')) url.target.insert(0, 1, '/');
  TRY(Target::parse(url.target));
  return url;
}

bool Url::has_parameter(std::string_view name) const {
  const auto parsed = Target::parse(target);
  return parsed && parsed->find(name).has_value();
}

void Url::add_parameter(std::string_view name, std::string_view value) {
  target += target.find('?') == std::string::npos ? '?' : '&';
  target.append(name).append(1, '=');
  codec::append_percent_encoded(target, value, codec::PercentKeep::Unreserved);
}

}  // namespace protocols::http
