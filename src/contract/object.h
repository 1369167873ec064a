// SPDX-License-Identifier: Apache-2.0
#pragma once
// One object of the document with its traits laid under it, read field by field; what does not fit is reported.
//
// AsyncAPI 3.0, "Traits Merge Mechanism": JSON Merge Patch (RFC 7386) of the traits in order, after references are
// resolved; what the target itself says wins. Nothing is copied: the layers are asked from the top.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "contract/reference.h"

namespace contract {

enum class Need : unsigned char { Optional, Required };

class Object final {
 public:
  // `node` may be a reference. `what` names the object in sentences ("the channel 'x'"); `where` is where it is named.
  Object(References&, Findings&, const Node* node, std::string what, Where where);

  // False if the node is missing, unresolved or no mapping, which was reported (a missing one was not).
  explicit operator bool() const { return !layers_.empty(); }
  const Node* node() const { return layers_.front(); }
  const Where& where() const { return where_; }
  const std::string& what() const { return what_; }

  // Reads the traits that the sequence `traits` of this object lists.
  void apply_traits();

  // The winning value of the field as it stands, perhaps a reference; null if there is none.
  const Node* get(std::string_view key) const;

  // The field as a string: empty if it is absent or was reported.
  std::string text(std::string_view key, Need = Need::Optional) const;

  // The field, resolved, if it is of this kind; null if it is absent or was reported.
  const Node* mapping(std::string_view key) const;
  const Node* sequence(std::string_view key) const;

  // The field as an object with all layers that have it.
  Object object(std::string_view key) const;

  // Reports each field that is neither known nor an extension ("x-...").
  void only(const std::vector<std::string_view>& known) const;

 private:
  Object(const Object& parent, std::string_view key);
  void add_layer(const Node* node, std::string_view what);
  const Node* of_kind(std::string_view key, Kind kind) const;

  References* references_;
  Findings* findings_;
  std::vector<const Node*> layers_;  // the object itself, then its traits, the last one first
  std::string what_;
  Where where_;
};

}  // namespace contract
