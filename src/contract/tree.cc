// SPDX-License-Identifier: Apache-2.0
#include "contract/tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "codec/utf8.h"
#include "contract/limits.h"
#include "contract/nearest.h"

namespace contract {
namespace {

constexpr std::size_t kLinearMembersMax = 8;  // up to here a scan beats an index
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

}  // namespace

std::string_view name(Kind kind) {
  switch (kind) {
    case Kind::Null: return "null";
    case Kind::Bool: return "a boolean";
    case Kind::Int: return "an integer";
    case Kind::Float: return "a number";
    case Kind::String: return "a string";
    case Kind::Sequence: return "a sequence";
    case Kind::Mapping: return "a mapping";
  }
  return "null";
}

const Member* Node::find(std::string_view key) const {
  if (by_key.empty()) {
    const auto found = std::find_if(members.begin(), members.end(), [&](const Member& m) { return m.key == key; });
    return found == members.end() ? nullptr : &*found;
  }
  const auto found = std::lower_bound(by_key.begin(), by_key.end(), key,
                                      [&](std::uint32_t index, std::string_view k) { return members[index].key < k; });
  return found == by_key.end() || members[*found].key != key ? nullptr : &members[*found];
}

const Node* Node::get(std::string_view key) const {
  const Member* member = find(key);
  return member ? member->value : nullptr;
}

std::vector<std::string_view> Node::keys() const {
  std::vector<std::string_view> all;
  const std::size_t count = std::min(members.size(), kNearestKnownMax);
  for (std::size_t i = 0; i < count; ++i) all.push_back(members[i].key);
  return all;
}

Node& Tree::add(Kind kind, std::uint32_t line, std::uint32_t column) {
  Node& node = nodes_.emplace_back();
  node.file = &file_;
  node.kind = kind;
  node.line = line;
  node.column = column;
  return node;
}

void Tree::seal(Node& node, Findings& findings) {
  std::uint8_t highest = 0;
  for (const Node* item : node.items) highest = std::max(highest, item->height);
  for (const Member& member : node.members) highest = std::max(highest, member.value->height);
  node.height = static_cast<std::uint8_t>(highest + 1);
  if (node.kind != Kind::Mapping) return;

  std::vector<std::uint32_t> order(node.members.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    const int compared = node.members[a].key.compare(node.members[b].key);
    return compared != 0 ? compared < 0 : a < b;
  });
  for (std::size_t i = 1; i < order.size(); ++i) {
    const Member& first = node.members[order[i - 1]];
    const Member& second = node.members[order[i]];
    if (first.key != second.key) continue;
    findings.error({file_, second.key_line, second.key_column}, "file/duplicate-key",
                   fmt::format("'{}' stands here already, on line {}: remove or rename one of the two", second.key,
                               first.key_line));
  }
  if (order.size() > kLinearMembersMax) node.by_key = std::move(order);
}

Syntax syntax_of(std::string_view file, std::string_view text) {
  if (file.ends_with(".json")) return Syntax::Json;
  if (file.ends_with(".yaml") || file.ends_with(".yml")) return Syntax::Yaml;
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  const bool opens = first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
  return opens ? Syntax::Json : Syntax::Yaml;
}

Where where_of(const std::string& file, std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  const std::string_view in_line = before.substr(line_start);
  const auto column = std::count_if(in_line.begin(), in_line.end(),
                                    [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
  return {file, static_cast<std::uint32_t>(line), static_cast<std::uint32_t>(column + 1)};
}

std::size_t first_bad_utf8(std::string_view text) {
  std::size_t offset = 0;
  while (offset < text.size()) {
    const std::size_t size = codec::utf8_character_size(text.substr(offset));
    if (size == 0) break;
    offset += size;
  }
  return offset;
}

std::unique_ptr<Tree> read_tree(const std::string& file, std::string_view text, Budget& budget, Findings& findings) {
  const Where whole{file, 0, 0};
  if (text.size() > kFileBytesMax) {
    findings.error(whole, "file/size",
                   fmt::format("the file has {} bytes; at most {} are read: split it", text.size(), kFileBytesMax));
    return nullptr;
  }
  budget.bytes += text.size();
  budget.files += 1;
  if (budget.bytes > kContractBytesMax || budget.files > kFilesMax) {
    findings.error(whole, "contract/size",
                   fmt::format("with this file the contract has more than {} bytes or {} files: split it",
                               kContractBytesMax, kFilesMax));
    return nullptr;
  }
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  return syntax_of(file, text) == Syntax::Json ? read_json(file, text, budget, findings)
                                               : read_yaml(file, text, budget, findings);
}

}  // namespace contract
