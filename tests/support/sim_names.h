// SPDX-License-Identifier: Apache-2.0
#pragma once
// The names of a simulated disk: directories with the entries that programs see, those that are durable, and the
// changes between them, in order.
//
// SyncDirectory of a directory makes the changes of its entries durable, and before them those of other directories
// that they build on. A loss keeps or loses each of the others, but a rename is one change: its file is never under
// both names, nor under none if it was durable; who took the name that a rename left keeps that rename.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/files.h"
#include "tests/support/sim_file.h"
#include "tests/support/sim_loss.h"

namespace sim {

struct Node;
using NodePtr = std::shared_ptr<Node>;

// A file or a directory, whatever it is called.
struct Node {
  using Names = std::map<std::string, NodePtr, std::less<>>;
  std::uint64_t inode = 0;
  std::uint64_t birth_ns = 0;
  std::int64_t modified_ms = 0;
  std::optional<SimFile> file = {};  // none: a directory
  int opens = 0;                     // of a file: handles
  bool named = true;                 // of a file: it has a name that programs see
  io::FileHandle locked_by = -1;
  // Of a directory.
  Names names = {};
  Names durable_names = {};
  // Where it is durable.
  std::weak_ptr<Node> durable_in = {};
  std::string durable_name = {};
};

class SimNames final {
 public:
  struct Place {
    NodePtr directory;
    std::string name;
    NodePtr node;  // null: nothing is there
  };
  SimNames(NodePtr root, NodePtr working_directory);

  NodePtr find(std::string_view path) const;  // null: nothing is there
  NodePtr find_durable(std::string_view path) const;
  base::Result<Place> place(std::string_view path) const;  // its directory must exist

  // Changes that programs see at once.
  void enter(std::uint64_t stamp, const Place&, NodePtr);
  void leave(std::uint64_t stamp, const Place&);
  void move(std::uint64_t stamp, const Place& from, const Place& to);  // replaces what is there

  void sync(const NodePtr& directory);
  void sync_all();

  void collect_stamps(std::vector<std::uint64_t>& into) const;
  std::size_t pending() const { return changes_.size(); }
  void lose(LossPlan&);

  // All files that have a name, had one or may have one after a loss, by inode.
  std::vector<NodePtr> all_files() const;
  // Those that programs see, with their paths.
  std::map<std::string, NodePtr> files() const;

 private:
  enum class What : std::uint8_t { Enter, Leave, Move };
  struct Change {
    std::uint64_t stamp;
    What what;
    NodePtr node;
    NodePtr from;  // Leave, Move
    std::string from_name;
    NodePtr to;  // Enter, Move
    std::string to_name;
  };
  NodePtr walk(std::string_view path, Node::Names Node::* names) const;
  static bool builds_on(const Change& later, const Change& earlier);
  static void make_durable(const Change&);
  void settle(const std::vector<bool>& chosen);

  NodePtr root_;
  NodePtr working_directory_;
  std::vector<Change> changes_;
};

}  // namespace sim
