// SPDX-License-Identifier: Apache-2.0
#include "server/protocols.h"

#include "protocols/sse/form.h"

namespace server {

namespace {
constexpr protocols::http::MakeStreamForm kStreamForms[] = {
    protocols::sse::make_form,
};
}  // namespace

StreamForms make_stream_forms() {
  StreamForms forms;
  for (const auto make : kStreamForms) forms.push_back(make());
  return forms;
}

}  // namespace server
