// SPDX-License-Identifier: Apache-2.0
#include "server/contracts.h"

#include <algorithm>
#include <utility>

#include "contract/limits.h"
#include "contract/load.h"

namespace server {

namespace {

void load_one(io::FileSystem& files, const std::string& path, engine::Role role, LoadedContracts& loaded) {
  contract::LoadOutcome outcome =
      contract::load(path, [&](const std::string& file) { return files.read_file(file, contract::kFileBytesMax); });
  std::ranges::move(outcome.findings, std::back_inserter(loaded.findings));
  loaded.unreadable = loaded.unreadable || outcome.unreadable;
  if (!outcome.contract) return;
  loaded.contracts.push_back({std::make_shared<const contract::Contract>(std::move(*outcome.contract)), role});
}

bool declares_security(const contract::Contract& contract) {
  return std::ranges::any_of(contract.servers, &contract::Server::has_security) ||
         std::ranges::any_of(contract.operations, &contract::Operation::has_security);
}

void check_open(const char* listener, const std::optional<io::Endpoint>& endpoint, const Settings& settings,
                std::vector<std::string>& refused) {
  if (!endpoint || endpoint->is_loopback() || settings.access_open) return;
  refused.push_back(std::string(listener) + " listener " + endpoint->to_string() +
                    " is open to other machines, and this version has no access control: listen on 127.0.0.1, or set "
                    "`access: {open: true}` in tidewire.yaml if everybody there may use it");
}

}  // namespace

LoadedContracts load_contracts(io::FileSystem& files, const Settings& settings) {
  LoadedContracts loaded;
  for (const std::string& path : settings.contracts) load_one(files, path, engine::Role::Application, loaded);
  for (const std::string& path : settings.clients) load_one(files, path, engine::Role::Client, loaded);
  return loaded;
}

std::vector<std::string> refusals(const std::vector<engine::ContractInRole>& contracts, const Settings& settings) {
  std::vector<std::string> refused;
  check_open("public", settings.listen, settings, refused);
  check_open("application", settings.app_listen, settings, refused);
  check_open("admin", settings.admin, settings, refused);
  if (settings.data && settings.event_bytes_max > settings.storage.segment_bytes_max / kEventsPerSegmentMin) {
    refused.push_back("`limits.event_bytes_max` (" + std::to_string(settings.event_bytes_max) +
                      " bytes) is more than a quarter of `storage.segment_bytes` (" +
                      std::to_string(settings.storage.segment_bytes_max) +
                      " bytes): make segments larger or events smaller in tidewire.yaml");
  }
  const bool loopback = (!settings.listen || settings.listen->is_loopback()) &&
                        (!settings.app_listen || settings.app_listen->is_loopback());
  for (const engine::ContractInRole& described : contracts) {
    if (!declares_security(*described.contract)) continue;
    if (settings.access_unenforced_allow && loopback) continue;
    refused.push_back(described.contract->file +
                      " declares security, which this version does not enforce: set `access: {unenforced: allow}` in "
                      "tidewire.yaml to try it on loopback listeners without protection");
  }
  return refused;
}

}  // namespace server
