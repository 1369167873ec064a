// SPDX-License-Identifier: Apache-2.0
#include "contract/load.h"

#include <utility>

#include "contract/check.h"
#include "contract/read.h"

namespace contract {
namespace {

void read_document(Reading& reading, const Node& root) {
  if (!read_version(reading, root)) return;
  const Object document = reading.object(&root, "the document", root.where());
  if (!document) return;
  read_info(reading, document);
  read_servers(reading, document);
  read_channels(reading, document);
  read_operations(reading, document);
  check(reading.contract, reading.findings);
}

}  // namespace

LoadOutcome load(const std::string& path, const ReadFile& read) {
  LoadOutcome outcome;
  Findings findings;
  References references(read, findings);
  SchemaReferences schemas(references);
  Contract contract;
  contract.file = path;
  Reading reading{references, findings, schemas, contract};
  if (const Node* root = references.open_root(path)) read_document(reading, *root);

  outcome.unreadable = references.unreadable();
  outcome.findings = findings.take();
  if (has_errors(outcome.findings)) return outcome;
  contract.warnings = outcome.findings;
  outcome.contract = std::move(contract);
  return outcome;
}

}  // namespace contract
