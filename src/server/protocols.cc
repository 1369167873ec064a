// SPDX-License-Identifier: Apache-2.0
#include "server/protocols.h"

#include "protocols/http/gateway.h"
#include "protocols/sse/form.h"

namespace server {

namespace {

std::unique_ptr<protocols::Acceptor> make_http(const protocols::Surface& surface, const StreamForms& forms) {
  return std::make_unique<protocols::http::Gateway>(surface, forms);
}

struct Protocol {
  std::string_view name;
  protocols::Match (*match)(base::Bytes first_bytes);
  std::unique_ptr<protocols::Acceptor> (*make)(const protocols::Surface&, const StreamForms&);
};

constexpr Protocol kProtocols[] = {
    {"http", protocols::http::match, make_http},
};

constexpr protocols::http::MakeStreamForm kStreamForms[] = {
    protocols::sse::make_form,
};

}  // namespace

StreamForms make_stream_forms() {
  StreamForms forms;
  for (const auto make : kStreamForms) forms.push_back(make());
  return forms;
}

std::vector<protocols::Offered> offer_protocols(const protocols::Surface& surface, const StreamForms& forms) {
  std::vector<protocols::Offered> offered;
  for (const Protocol& protocol : kProtocols)
    offered.push_back({protocol.name, protocol.match, protocol.make(surface, forms)});
  return offered;
}

}  // namespace server
