// SPDX-License-Identifier: Apache-2.0
#include "contract/router.h"

#include <algorithm>
#include <functional>
#include <unordered_map>
#include <utility>

namespace contract {
namespace {

struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

template <class Value>
using StringMap = std::unordered_map<std::string, Value, StringHash, std::equal_to<>>;

struct EndLengths {
  std::size_t leading;
  std::size_t trailing;
  bool operator==(const EndLengths&) const = default;
};

// The segment that ends with `slash`, and what is behind it; no rest when this is the last one.
struct Split {
  std::string_view first;
  std::optional<std::string_view> rest;
};

Split split(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return {text, std::nullopt};
  return {text.substr(0, slash), text.substr(slash + 1)};
}

// Mixed segments with the same ends share an entry; '*' occurs in no literal.
std::string ends_key(std::string_view leading, std::string_view trailing) {
  std::string key(leading);
  key += '*';
  key += trailing;
  return key;
}

}  // namespace

struct AddressRouter::Node {
  struct Mixed {
    Segment segment;
    std::unique_ptr<Node> node;
  };

  StringMap<std::unique_ptr<Node>> literals;
  std::vector<EndLengths> ends;         // the lengths that occur, longest leading first, then longest trailing
  StringMap<std::vector<Mixed>> mixed;  // by ends_key, each list by precedence()
  std::unique_ptr<Node> whole;
  std::optional<std::size_t> channel;  // a template ends here
  std::string identity;                // of that template

  Node& child(const Segment& segment);
  Node& mixed_child(const Segment& segment);
  const Node* match(std::string_view text, Wildcards wildcards, std::vector<std::string_view>& values) const;
  const Node* match_mixed(const Split& at, Wildcards wildcards, std::vector<std::string_view>& values) const;
  void overlapping(const AddressTemplate& address, std::size_t depth, std::size_t count_max,
                   std::vector<std::size_t>& found) const;

 private:
  const Node* descend(const Split& at, Wildcards wildcards, std::vector<std::string_view>& values) const {
    if (at.rest) return match(*at.rest, wildcards, values);
    return channel ? this : nullptr;
  }
};

AddressRouter::Node& AddressRouter::Node::mixed_child(const Segment& segment) {
  const EndLengths lengths{segment.literals().front().size(), segment.literals().back().size()};
  const auto longer = [](const EndLengths& a, const EndLengths& b) {
    return std::pair(b.leading, b.trailing) < std::pair(a.leading, a.trailing);
  };
  const auto place = std::lower_bound(ends.begin(), ends.end(), lengths, longer);
  if (place == ends.end() || *place != lengths) ends.insert(place, lengths);

  std::vector<Mixed>& list = mixed[ends_key(segment.literals().front(), segment.literals().back())];
  const auto at = std::lower_bound(list.begin(), list.end(), segment,
                                   [](const Mixed& m, const Segment& s) { return precedence(m.segment, s) < 0; });
  if (at != list.end() && at->segment.shape() == segment.shape()) return *at->node;
  return *list.insert(at, Mixed{segment, std::make_unique<Node>()})->node;
}

AddressRouter::Node& AddressRouter::Node::child(const Segment& segment) {
  if (segment.kind() == Segment::Kind::Mixed) return mixed_child(segment);
  std::unique_ptr<Node>& slot = segment.kind() == Segment::Kind::Literal ? literals[segment.literals()[0]] : whole;
  if (!slot) slot = std::make_unique<Node>();
  return *slot;
}

// Each node is visited at most once per address, since its depth says which segment it stands for.
const AddressRouter::Node* AddressRouter::Node::match(std::string_view text, Wildcards wildcards,
                                                      std::vector<std::string_view>& values) const {
  const Split at = split(text);
  if (const auto literal = literals.find(at.first); literal != literals.end()) {
    if (const Node* found = literal->second->descend(at, wildcards, values)) return found;
  }
  if (const Node* found = match_mixed(at, wildcards, values)) return found;
  if (!whole) return nullptr;
  const bool is_wildcard = wildcards == Wildcards::Allow && at.first == "*";
  if (!is_wildcard && !is_parameter_value(at.first)) return nullptr;
  values.push_back(at.first);
  if (const Node* found = whole->descend(at, wildcards, values)) return found;
  values.pop_back();
  return nullptr;
}

const AddressRouter::Node* AddressRouter::Node::match_mixed(const Split& at, Wildcards wildcards,
                                                            std::vector<std::string_view>& values) const {
  const std::size_t values_before = values.size();
  for (const EndLengths& lengths : ends) {
    if (lengths.leading + 1 + lengths.trailing > at.first.size()) continue;
    const std::string key =
        ends_key(at.first.substr(0, lengths.leading), at.first.substr(at.first.size() - lengths.trailing));
    const auto list = mixed.find(key);
    if (list == mixed.end()) continue;
    for (const Mixed& candidate : list->second) {
      if (!candidate.segment.match(at.first, wildcards, values)) continue;
      if (const Node* found = candidate.node->descend(at, wildcards, values)) return found;
      values.resize(values_before);
    }
  }
  return nullptr;
}

void AddressRouter::Node::overlapping(const AddressTemplate& address, std::size_t depth, std::size_t count_max,
                                      std::vector<std::size_t>& found) const {
  if (found.size() >= count_max) return;
  if (depth == address.segments().size()) {
    if (channel && identity != address.identity()) found.push_back(*channel);
    return;
  }
  const Segment& segment = address.segments()[depth];
  if (segment.kind() == Segment::Kind::Literal) {
    if (const auto literal = literals.find(segment.literals()[0]); literal != literals.end()) {
      literal->second->overlapping(address, depth + 1, count_max, found);
    }
  } else {
    std::vector<std::string_view> values;
    for (const auto& [text, node] : literals) {
      if (!segment.match(text, Wildcards::Refuse, values)) continue;
      node->overlapping(address, depth + 1, count_max, found);
    }
  }
  for (const auto& [key, list] : mixed) {
    for (const Mixed& candidate : list) {
      if (overlap(segment, candidate.segment)) candidate.node->overlapping(address, depth + 1, count_max, found);
    }
  }
  const bool fits_whole = segment.kind() != Segment::Kind::Literal || is_parameter_value(segment.literals()[0]);
  if (whole && fits_whole) whole->overlapping(address, depth + 1, count_max, found);
}

AddressRouter::AddressRouter() : root_(std::make_unique<Node>()) {}
AddressRouter::~AddressRouter() = default;
AddressRouter::AddressRouter(AddressRouter&&) noexcept = default;
AddressRouter& AddressRouter::operator=(AddressRouter&&) noexcept = default;

base::Result<void> AddressRouter::add(const AddressTemplate& address, std::size_t channel) {
  Node* node = root_.get();
  for (const Segment& segment : address.segments()) node = &node->child(segment);
  if (node->channel) return base::fail(base::Errc::Conflict, "the same address is there already");
  node->channel = channel;
  node->identity = address.identity();
  return {};
}

std::optional<AddressRouter::Match> AddressRouter::match(std::string_view address, Wildcards wildcards) const {
  const auto text = normalised(address);
  if (!text) return std::nullopt;
  Match match{0, {}};
  const Node* found = root_->match(*text, wildcards, match.values);
  if (!found) return std::nullopt;
  match.channel = *found->channel;
  return match;
}

std::vector<std::size_t> AddressRouter::overlapping(const AddressTemplate& address, std::size_t count_max) const {
  std::vector<std::size_t> found;
  root_->overlapping(address, 0, count_max, found);
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace contract
