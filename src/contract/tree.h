// SPDX-License-Identifier: Apache-2.0
#pragma once
// A file as a tree in which every value, and every key, knows its place. From YAML or JSON; the reader does not care.
//
// Scalars keep their text as written (quotes and escapes resolved); `kind` says what the YAML 1.2 core schema, or JSON,
// makes of it. A YAML anchor is one node with several parents, never a copy, so a walk over a whole tree must remember
// what it has seen. There are no cycles. Thread: immutable once read.
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "contract/findings.h"

namespace contract {

enum class Kind : std::uint8_t { Null, Bool, Int, Float, String, Sequence, Mapping };

std::string_view name(Kind);  // with its article: "a mapping"

struct Node;

struct Member {
  std::string key;
  std::uint32_t key_line = 0;
  std::uint32_t key_column = 0;
  const Node* value = nullptr;
};

struct Node {
  const std::string* file = nullptr;  // of the tree that holds this node
  Kind kind = Kind::Null;
  std::uint8_t height = 0;  // 0 for a scalar, else one more than the highest child
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string text;                   // of a scalar
  std::vector<const Node*> items;     // of a sequence
  std::vector<Member> members;        // of a mapping, in the order of the file, keys unique
  std::vector<std::uint32_t> by_key;  // members in order of their keys, if there are many

  Where where() const { return {*file, line, column}; }
  Where key_where(std::size_t member) const { return {*file, members[member].key_line, members[member].key_column}; }
  const Member* find(std::string_view key) const;  // null if this is no mapping or has no such key
  const Node* get(std::string_view key) const;     // likewise, the value
  std::vector<std::string_view> keys() const;      // the first kNearestKnownMax, for suggestions
};

// What all files of one contract may use together.
struct Budget {
  std::size_t bytes = 0;
  std::size_t files = 0;
  std::size_t nodes = 0;
};

class Tree final {
 public:
  explicit Tree(std::string file) : file_(std::move(file)) {}
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  const std::string& file() const { return file_; }
  const Node* root() const { return root_; }

  // For the two readers.
  Node& add(Kind, std::uint32_t line, std::uint32_t column);
  void seal(Node& collection, Findings&);  // after its last child: height, index, duplicate keys
  void set_root(const Node* root) { root_ = root; }

 private:
  const std::string file_;
  std::deque<Node> nodes_;
  const Node* root_ = nullptr;
};

enum class Syntax : std::uint8_t { Yaml, Json };

// By extension, else by the first character.
Syntax syntax_of(std::string_view file, std::string_view text);

// The line and column of a byte; costs a walk over the text, so it is for errors.
Where where_of(const std::string& file, std::string_view text, std::size_t offset);

// The first byte that begins no well-formed character; the size of the text if there is none.
std::size_t first_bad_utf8(std::string_view text);

// Null after an error, which is among the findings. `text` may begin with a byte order mark.
std::unique_ptr<Tree> read_tree(const std::string& file, std::string_view text, Budget&, Findings&);
std::unique_ptr<Tree> read_yaml(const std::string& file, std::string_view text, Budget&, Findings&);
std::unique_ptr<Tree> read_json(const std::string& file, std::string_view text, Budget&, Findings&);

}  // namespace contract
