// SPDX-License-Identifier: Apache-2.0
#pragma once
// `$ref` as JSON Reference: within the file, into other files by relative path, through JSON Pointer (RFC 6901) and
// percent escapes (RFC 3986 section 2.1).
//
// A mapping is a reference if it has a member `$ref` that is a string; its other members are ignored with a warning.
// A pointer may lead through a reference ("#/channels/a/messages/b" where a is one). Nothing is fetched: http(s) is
// refused. What cannot be resolved is reported once, where the reference stands.
// Thread: one load, one thread. Lifetime: nodes live as long as the References that read them.
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "contract/load.h"
#include "contract/tree.h"

namespace contract {

// Where a reference points: a value, and the collection in which it stands, so that two members that share one value
// are told apart. No parent: the root of a file.
struct Target {
  const Node* node = nullptr;
  const Node* parent = nullptr;
  std::size_t index = 0;  // of the item or member within parent
};

// What an unusable remote reference is: an error, or a warning because nothing depends on it yet.
enum class Remote : unsigned char { Refuse, Warn };

class References final {
 public:
  References(const ReadFile&, Findings&);
  References(const References&) = delete;
  References& operator=(const References&) = delete;

  // The root of the contract, null after an error.
  const Node* open_root(const std::string& path);

  static bool is_reference(const Node&);

  // The value that `node` stands for: itself, or what its references lead to. Null after an error.
  const Node* resolve(const Node* node, Remote = Remote::Refuse);

  // One step: where the reference `node` points, itself perhaps a reference. Nothing after an error.
  std::optional<Target> follow(const Node* node, Remote = Remote::Refuse);

  std::optional<base::Error> unreadable() const { return unreadable_; }

 private:
  std::optional<Target> locate(const Node* node, Remote);
  std::optional<Target> walk(const Node* reference, const Node* root, std::string_view fragment);
  std::optional<Target> step(const Node* reference, Target from, const std::string& token);
  const Node* open(const std::string& path, const Where& named_at);
  void warn_of_siblings(const Node& node);

  const ReadFile& read_;
  Findings& findings_;
  Budget budget_;
  std::map<std::string, std::unique_ptr<Tree>> files_;  // null: tried and failed
  std::unordered_map<const Node*, std::optional<Target>> followed_;
  std::unordered_set<const Node*> being_followed_;
  std::optional<base::Error> unreadable_;
};

// The path of `relative` as seen from `file`, with "." and ".." taken out where they can be.
std::string join_path(std::string_view file, std::string_view relative);

}  // namespace contract
