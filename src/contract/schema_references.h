// SPDX-License-Identifier: Apache-2.0
#pragma once
// Follows the references within payload and header schemas, so that a broken one is found when the contract is read.
//
// Cycles are legal in schemas. Remote references are a warning: payloads are not enforced by them. A schema in another
// language than JSON Schema (`schemaFormat`) is resolved itself and not looked into.
#include <unordered_set>
#include <vector>

#include "contract/reference.h"

namespace contract {

class SchemaReferences final {
 public:
  explicit SchemaReferences(References& references) : references_(references) {}

  // `payload` is a schema, a Multi Format Schema Object, or a reference to either.
  void check(const Node* payload);

 private:
  void visit(const Node* schema);
  void push(const Node* node) { waiting_.push_back(node); }

  References& references_;
  std::unordered_set<const Node*> seen_;
  std::vector<const Node*> waiting_;
};

}  // namespace contract
