// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which channel an address belongs to: a trie of template segments, so the cost follows the address, not the channels.
//
// Among the templates that match, the one that comes first by precedence() wins; a branch that leads nowhere is left
// again. Thread: build on one, then immutable and readable by all. The numbers of channels are the caller's.
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "contract/address.h"

namespace contract {

class AddressRouter final {
 public:
  struct Match {
    std::size_t channel;
    std::vector<std::string_view> values;  // in the order of the template's parameters(); views into the address
  };

  AddressRouter();
  ~AddressRouter();
  AddressRouter(AddressRouter&&) noexcept;
  AddressRouter& operator=(AddressRouter&&) noexcept;

  // Conflict if a template of the same identity is there; the first one stays.
  base::Result<void> add(const AddressTemplate&, std::size_t channel);

  // Nothing if no template matches, or the address cannot be one. With Wildcards::Allow a segment "*" stands for all
  // values of a whole parameter, and "*" is its value.
  std::optional<Match> match(std::string_view address, Wildcards = Wildcards::Refuse) const;

  // The channels, at most `count_max` of them, whose templates share an address with this one and differ in identity.
  std::vector<std::size_t> overlapping(const AddressTemplate&, std::size_t count_max) const;

 private:
  struct Node;
  std::unique_ptr<Node> root_;
};

}  // namespace contract
