// SPDX-License-Identifier: Apache-2.0
#include "contract/object.h"

#include <fmt/format.h>

#include <ranges>
#include <utility>

#include "contract/nearest.h"

namespace contract {

Object::Object(References& references, Findings& findings, const Node* node, std::string what, Where where)
    : references_(&references), findings_(&findings), what_(std::move(what)), where_(std::move(where)) {
  if (node) add_layer(node, what_);
}

Object::Object(const Object& parent, std::string_view key)
    : references_(parent.references_),
      findings_(parent.findings_),
      what_(fmt::format("'{}' of {}", key, parent.what_)),
      where_(parent.where_) {
  for (const Node* layer : parent.layers_) {
    const Node* child = layer->get(key);
    if (!child) continue;
    if (layers_.empty()) where_ = child->where();
    add_layer(child, what_);
    const bool went_in = !layers_.empty() && layers_.back() == references_->resolve(child);
    if (!went_in) break;  // a value that is no mapping hides whatever lies under it
  }
}

void Object::add_layer(const Node* node, std::string_view what) {
  const Node* resolved = references_->resolve(node);
  if (!resolved) return;
  if (resolved->kind != Kind::Mapping) {
    findings_->error(resolved->where(), "asyncapi/type",
                     fmt::format("{} must be a mapping, not {}", what, name(resolved->kind)));
    return;
  }
  layers_.push_back(resolved);
}

void Object::apply_traits() {
  const Node* traits = sequence("traits");
  if (!traits) return;
  for (const Node* trait : std::views::reverse(traits->items)) add_layer(trait, fmt::format("a trait of {}", what_));
}

const Node* Object::get(std::string_view key) const {
  for (const Node* layer : layers_) {
    if (const Node* value = layer->get(key)) return value;
  }
  return nullptr;
}

std::string Object::text(std::string_view key, Need need) const {
  const Node* value = get(key);
  if (!value) {
    if (need == Need::Required) {
      findings_->error(where_, "asyncapi/required", fmt::format("{} needs '{}': add it", what_, key));
    }
    return {};
  }
  if (value->kind == Kind::String) return value->text;
  const std::string_view fix =
      value->kind == Kind::Sequence || value->kind == Kind::Mapping || value->text.empty() ? "" : ": put it in quotes";
  findings_->error(value->where(), "asyncapi/type",
                   fmt::format("'{}' of {} must be a string, not {}{}", key, what_, name(value->kind), fix));
  return {};
}

const Node* Object::of_kind(std::string_view key, Kind kind) const {
  const Node* value = get(key);
  if (value) value = references_->resolve(value);
  if (!value || value->kind == kind) return value;
  findings_->error(value->where(), "asyncapi/type",
                   fmt::format("'{}' of {} must be {}, not {}", key, what_, name(kind), name(value->kind)));
  return nullptr;
}

const Node* Object::mapping(std::string_view key) const { return of_kind(key, Kind::Mapping); }
const Node* Object::sequence(std::string_view key) const { return of_kind(key, Kind::Sequence); }
Object Object::object(std::string_view key) const { return Object(*this, key); }

void Object::only(const std::vector<std::string_view>& known) const {
  for (const Node* layer : layers_) {
    for (std::size_t i = 0; i < layer->members.size(); ++i) {
      const std::string& key = layer->members[i].key;
      bool is_known = key.starts_with("x-");
      for (const std::string_view name : known) is_known = is_known || name == key;
      if (is_known) continue;
      findings_->error(layer->key_where(i), "asyncapi/unknown-field",
                       fmt::format("'{}' is no field of {}{}: remove it, or begin its name with 'x-'", key, what_,
                                   did_you_mean(key, known)));
    }
  }
}

}  // namespace contract
