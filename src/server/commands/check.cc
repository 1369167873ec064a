// SPDX-License-Identifier: Apache-2.0
#include "server/commands/check.h"

#include <algorithm>

#include "server/contracts.h"
#include "server/exit_code.h"

namespace server {

namespace {

std::string summary(const LoadedContracts& loaded, const std::vector<contract::Finding>& findings) {
  const auto errors = std::ranges::count(findings, contract::Severity::Error, &contract::Finding::severity);
  const auto warnings = std::ranges::count(findings, contract::Severity::Warning, &contract::Finding::severity);
  std::size_t channels = 0;
  for (const auto& described : loaded.contracts) channels += described.contract->channels.size();
  std::string text = errors > 0 ? "not served: " : "ok: ";
  text += std::to_string(loaded.contracts.size()) + " contract(s), " + std::to_string(channels) + " channel(s), " +
          std::to_string(errors) + " error(s), " + std::to_string(warnings) +
          " warning(s); payload schemas are not checked in this version\n";
  return text;
}

}  // namespace

int run_check(const Settings& settings, FindingForm form, io::FileSystem& files, io::Stdio& stdio) {
  LoadedContracts loaded = load_contracts(files, settings);
  std::vector<contract::Finding> findings = std::move(loaded.findings);
  if (!contract::has_errors(findings)) {
    const auto selection =
        settings.ignore_servers ? engine::ServerSelection::IgnoreServers : engine::ServerSelection::AsTheContractSays;
    auto built = engine::Topics::build(loaded.contracts, selection);
    std::ranges::move(built.findings, std::back_inserter(findings));
  }
  std::string out;
  if (form == FindingForm::Json) {
    out = contract::to_json(findings) + "\n";
  } else {
    for (const contract::Finding& finding : findings) out += contract::to_text(finding) + "\n";
  }
  if (!stdio.write(io::Stdio::Stream::Output, out)) return kExitInputOutput;
  if (form == FindingForm::Text && !stdio.write(io::Stdio::Stream::Error, summary(loaded, findings)))
    return kExitInputOutput;
  if (loaded.unreadable) return kExitInputOutput;
  return contract::has_errors(findings) ? kExitFinding : kExitOk;
}

}  // namespace server
