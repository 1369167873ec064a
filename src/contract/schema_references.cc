// SPDX-License-Identifier: Apache-2.0
#include "contract/schema_references.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace contract {
namespace {

template <std::size_t N>
bool one_of(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Keywords whose value is not a schema, whatever it looks like.
constexpr std::array<std::string_view, 5> kValues{"const", "enum", "default", "example", "examples"};

// Keywords whose value maps names of the user's choice to schemas.
constexpr std::array<std::string_view, 6> kMaps{"properties", "patternProperties", "definitions",
                                                "$defs",      "dependencies",      "dependentSchemas"};

// The schema formats of AsyncAPI 3.0 that are JSON Schema or nearly so.
constexpr std::array<std::string_view, 4> kFormats{"application/vnd.aai.asyncapi", "application/schema+",
                                                   "application/vnd.oai.openapi", "application/json"};

// A fragment that is no pointer names an anchor, which belongs to the schema language.
bool names_anchor(const Node& node) {
  const std::string_view text = node.get("$ref")->text;
  return text.size() > 1 && text[0] == '#' && text[1] != '/' && text[1] != '%';
}

}  // namespace

void SchemaReferences::check(const Node* payload) {
  const Node* node = references_.resolve(payload, Remote::Warn);
  if (!node) return;
  const Node* format = node->get("schemaFormat");
  const Node* schema = node->get("schema");
  if (format && schema) {
    const bool known = std::any_of(kFormats.begin(), kFormats.end(),
                                   [&](std::string_view prefix) { return format->text.starts_with(prefix); });
    const Node* resolved = references_.resolve(schema, Remote::Warn);
    if (!known || !resolved) return;
    node = resolved;
  }
  push(node);
  while (!waiting_.empty()) {
    const Node* next = waiting_.back();
    waiting_.pop_back();
    if (seen_.insert(next).second) visit(next);
  }
}

void SchemaReferences::visit(const Node* schema) {
  if (References::is_reference(*schema)) {
    if (names_anchor(*schema)) return;
    if (const auto target = references_.follow(schema, Remote::Warn)) push(target->node);
    return;
  }
  for (const Node* item : schema->items) push(item);
  for (const Member& member : schema->members) {
    if (one_of(member.key, kValues) || member.key.starts_with("x-")) continue;
    if (!one_of(member.key, kMaps)) {
      push(member.value);
      continue;
    }
    for (const Member& named : member.value->members) push(named.value);
  }
}

}  // namespace contract
