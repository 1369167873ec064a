// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sim_names.h"

#include <errno.h>

#include <algorithm>
#include <set>
#include <utility>

namespace sim {
namespace {

using base::Errc;
using base::Result;

void add_files(const NodePtr& node, std::set<NodePtr>& into) {
  if (node->file) {
    into.insert(node);
    return;
  }
  for (const auto& [name, below] : node->names) add_files(below, into);
  for (const auto& [name, below] : node->durable_names) add_files(below, into);
}

void add_paths(const Node& directory, const std::string& prefix, std::map<std::string, NodePtr>& into) {
  for (const auto& [name, node] : directory.names) {
    if (node->file) {
      into.emplace(prefix + name, node);
    } else {
      add_paths(*node, prefix + name + '/', into);
    }
  }
}

void show_durable(Node& directory) {
  directory.names = directory.durable_names;
  for (const auto& [name, node] : directory.names) {
    node->named = true;
    if (!node->file) show_durable(*node);
  }
}

}  // namespace

SimNames::SimNames(NodePtr root, NodePtr working_directory)
    : root_(std::move(root)), working_directory_(std::move(working_directory)) {}

NodePtr SimNames::walk(std::string_view path, Node::Names Node::* names) const {
  if (path.empty()) return nullptr;
  NodePtr at = path.starts_with('/') ? root_ : working_directory_;
  while (!path.empty()) {
    const std::string_view name = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(path.size(), name.size() + 1));
    if (name.empty() || name == ".") continue;
    const Node::Names& here = (*at).*names;
    const auto found = here.find(name);
    if (found == here.end()) return nullptr;
    at = found->second;
  }
  return at;
}

NodePtr SimNames::find(std::string_view path) const { return walk(path, &Node::names); }
NodePtr SimNames::find_durable(std::string_view path) const { return walk(path, &Node::durable_names); }

Result<SimNames::Place> SimNames::place(std::string_view path) const {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  const std::string_view above = slash == std::string_view::npos ? "." : path.substr(0, slash + 1);
  const NodePtr directory = find(above);
  if (path.empty() || !directory) return base::fail(Errc::NotFound, "no such directory", ENOENT);
  if (directory->file) return base::fail(Errc::System, "not a directory", ENOTDIR);
  const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  const auto found = directory->names.find(name);
  return Place{directory, std::string(name), found == directory->names.end() ? nullptr : found->second};
}

void SimNames::enter(std::uint64_t stamp, const Place& place, NodePtr node) {
  place.directory->names[place.name] = node;
  changes_.push_back({stamp, What::Enter, std::move(node), nullptr, {}, place.directory, place.name});
}

void SimNames::leave(std::uint64_t stamp, const Place& place) {
  place.node->named = false;
  place.directory->names.erase(place.name);
  changes_.push_back({stamp, What::Leave, place.node, place.directory, place.name, nullptr, {}});
}

void SimNames::move(std::uint64_t stamp, const Place& from, const Place& to) {
  if (to.node) to.node->named = false;
  from.directory->names.erase(from.name);
  to.directory->names[to.name] = from.node;
  changes_.push_back({stamp, What::Move, from.node, from.directory, from.name, to.directory, to.name});
}

void SimNames::sync(const NodePtr& directory) {
  std::set<const Node*> involved = {directory.get()};
  std::vector<bool> chosen(changes_.size());
  for (std::size_t i = changes_.size(); i-- > 0;) {
    const Change& change = changes_[i];
    chosen[i] = involved.contains(change.from.get()) || involved.contains(change.to.get());
    if (!chosen[i]) continue;
    if (change.from) involved.insert(change.from.get());
    if (change.to) involved.insert(change.to.get());
    if (change.what == What::Leave) involved.insert(change.node.get());
  }
  settle(chosen);
}

void SimNames::collect_stamps(std::vector<std::uint64_t>& into) const {
  for (const Change& change : changes_) into.push_back(change.stamp);
}

void SimNames::lose(LossPlan& plan) {
  std::vector<bool> chosen;
  for (const Change& change : changes_) chosen.push_back(plan.keeps_name(change.stamp));
  for (std::size_t later = changes_.size(); later-- > 0;) {
    for (std::size_t earlier = 0; chosen[later] && earlier < later; ++earlier) {
      if (builds_on(changes_[later], changes_[earlier])) chosen[earlier] = true;
    }
  }
  settle(chosen);
  changes_.clear();
  show_durable(*root_);
  show_durable(*working_directory_);
}

// A rename left a name that was then taken, or a directory that was then removed.
bool SimNames::builds_on(const Change& later, const Change& earlier) {
  if (earlier.what != What::Move) return false;
  if (later.what == What::Leave) return later.node == earlier.from;
  return later.to == earlier.from && later.to_name == earlier.from_name;
}

void SimNames::settle(const std::vector<bool>& chosen) {
  std::vector<Change> rest;
  for (std::size_t i = 0; i < changes_.size(); ++i) {
    if (chosen[i]) {
      make_durable(changes_[i]);
    } else {
      rest.push_back(std::move(changes_[i]));
    }
  }
  changes_ = std::move(rest);
}

void SimNames::make_durable(const Change& change) {
  Node& node = *change.node;
  if (change.what == What::Leave) {
    const auto found = change.from->durable_names.find(change.from_name);
    if (found == change.from->durable_names.end() || found->second != change.node) return;
    change.from->durable_names.erase(found);
    node.durable_in.reset();
    return;
  }
  if (const NodePtr before = node.durable_in.lock()) before->durable_names.erase(node.durable_name);
  NodePtr& there = change.to->durable_names[change.to_name];
  if (there) there->durable_in.reset();
  there = change.node;
  node.durable_in = change.to;
  node.durable_name = change.to_name;
}

std::vector<NodePtr> SimNames::all_files() const {
  std::set<NodePtr> found;
  add_files(root_, found);
  add_files(working_directory_, found);
  for (const Change& change : changes_) add_files(change.node, found);
  std::vector<NodePtr> sorted(found.begin(), found.end());
  std::ranges::sort(sorted, {}, [](const NodePtr& node) { return node->inode; });
  return sorted;
}

std::map<std::string, NodePtr> SimNames::files() const {
  std::map<std::string, NodePtr> found;
  add_paths(*root_, "/", found);
  add_paths(*working_directory_, "", found);
  return found;
}

}  // namespace sim
