// SPDX-License-Identifier: Apache-2.0
// Any bytes as a contract, once as YAML and once as JSON; "b.yaml" beside it holds the same bytes, so references into
// another file lead somewhere. What comes back must be a contract or errors, and its addresses must route.
#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "contract/load_testing.h"
#include "contract/router.h"

namespace {

void check_outcome(const contract::LoadOutcome& outcome) {
  CHECK(outcome.contract.has_value() != contract::has_errors(outcome.findings), "a contract or errors, never both");
  if (!outcome.contract) return;
  contract::AddressRouter router;
  for (std::size_t i = 0; i < outcome.contract->channels.size(); ++i) {
    const contract::Channel& channel = outcome.contract->channels[i];
    if (!channel.address) continue;
    const auto address = contract::AddressTemplate::parse("/" + *channel.address);
    CHECK(address.has_value(), "a checked address is well-formed");
    CHECK(address->parameters().size() == channel.parameters.size(), "all parameters are declared and used");
    const auto added = router.add(*address, i);
    const std::vector<std::string_view> values(address->parameters().size(), "v");
    const auto filled = address->fill(values);
    if (filled && added) CHECK(router.match("/" + *filled).has_value(), "an address of a channel finds a channel");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  check_outcome(contract::load_files({{"a.yaml", text}, {"b.yaml", text}}));
  check_outcome(contract::load_files({{"a.json", text}, {"b.yaml", text}}));
  return 0;
}
