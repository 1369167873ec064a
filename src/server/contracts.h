// SPDX-License-Identifier: Apache-2.0
#pragma once
// From contract files to what is served: load, check, unite, and refuse what this version must not serve.
#include <memory>
#include <string>
#include <vector>

#include "contract/finding.h"
#include "engine/topics.h"
#include "io/files.h"
#include "server/settings.h"

namespace server {

struct LoadedContracts {
  std::vector<engine::ContractInRole> contracts;
  std::vector<contract::Finding> findings;
  bool unreadable = false;  // a file could not be read: exit 74 rather than 78
};

LoadedContracts load_contracts(io::FileSystem&, const Settings&);

// What the settings do not allow with these contracts, as sentences; empty if they may be served.
std::vector<std::string> refusals(const std::vector<engine::ContractInRole>&, const Settings&);

}  // namespace server
