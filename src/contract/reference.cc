// SPDX-License-Identifier: Apache-2.0
#include "contract/reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "codec/percent.h"
#include "codec/utf8.h"
#include "contract/limits.h"
#include "contract/nearest.h"

namespace contract {
namespace {

constexpr std::string_view kRule = "reference/unresolved";

// RFC 3986 section 3.1: a letter, then letters, digits, '+', '-', '.'; empty if the text has no scheme.
std::string_view scheme_of(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) return {};
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto is_other = [](char c) { return (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'; };
  const std::string_view scheme = text.substr(0, colon);
  const bool legal = is_letter(scheme[0]) &&
                     std::all_of(scheme.begin(), scheme.end(), [&](char c) { return is_letter(c) || is_other(c); });
  return legal ? scheme : std::string_view();
}

// RFC 6901 section 4: "~1" is '/', "~0" is '~', and no other '~' may occur.
std::optional<std::string> unescape_token(std::string_view token) {
  std::string out;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] != '~') {
      out += token[i];
      continue;
    }
    if (i + 1 == token.size() || (token[i + 1] != '0' && token[i + 1] != '1')) return std::nullopt;
    out += token[++i] == '0' ? '~' : '/';
  }
  return out;
}

// RFC 6901 section 4: "0", or digits without a leading zero.
std::optional<std::size_t> array_index(std::string_view token) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
  const bool whole = error == std::errc() && end == token.data() + token.size();
  if (!whole || (token.size() > 1 && token[0] == '0')) return std::nullopt;
  return index;
}

}  // namespace

std::string join_path(std::string_view file, std::string_view relative) {
  const std::size_t slash = file.rfind('/');
  std::string path(slash == std::string_view::npos ? std::string_view() : file.substr(0, slash + 1));
  path += relative;
  const bool absolute = path.starts_with('/');
  std::vector<std::string_view> parts;
  std::string_view rest = path;
  while (!rest.empty()) {
    const std::size_t end = rest.find('/');
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (part.empty() || part == ".") continue;
    if (part == ".." && !parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else if (part != ".." || !absolute) {
      parts.push_back(part);
    }
  }
  std::string normal = absolute ? "/" : "";
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) normal += '/';
    normal += parts[i];
  }
  return normal;
}

References::References(const ReadFile& read, Findings& findings) : read_(read), findings_(findings) {}

const Node* References::open_root(const std::string& path) { return open(path, {path, 0, 0}); }

const Node* References::open(const std::string& path, const Where& named_at) {
  const std::string key = join_path("", path);  // "./a.yaml" and "a.yaml" are one file
  if (const auto known = files_.find(key); known != files_.end()) {
    return known->second ? known->second->root() : nullptr;
  }
  auto text = read_(path);
  if (!text) {
    if (!unreadable_) unreadable_ = text.error();
    findings_.error(named_at, "file/unreadable", fmt::format("'{}' cannot be read: {}", path, text.error().text));
    files_.emplace(key, nullptr);
    return nullptr;
  }
  const auto& tree = files_.emplace(key, read_tree(path, *text, budget_, findings_)).first->second;
  return tree ? tree->root() : nullptr;
}

bool References::is_reference(const Node& node) {
  const Node* ref = node.get("$ref");
  return ref && ref->kind == Kind::String;
}

const Node* References::resolve(const Node* node, Remote remote) {
  std::size_t hops = 0;
  const Node* start = node;
  while (node && is_reference(*node)) {
    if (++hops > kReferenceHopsMax) {
      findings_.error(start->where(), "reference/cycle",
                      fmt::format("'{}' leads through more than {} references, or round in a circle: break the chain",
                                  start->get("$ref")->text, kReferenceHopsMax));
      return nullptr;
    }
    const auto target = follow(node, remote);
    node = target ? target->node : nullptr;
  }
  return node;
}

std::optional<Target> References::follow(const Node* node, Remote remote) {
  if (const auto known = followed_.find(node); known != followed_.end()) return known->second;
  if (being_followed_.size() >= kReferenceHopsMax || !being_followed_.insert(node).second) {
    findings_.error(node->get("$ref")->where(), "reference/cycle",
                    fmt::format("'{}' can only be found by following itself, or through too many references: "
                                "break the chain",
                                node->get("$ref")->text));
    return std::nullopt;
  }
  warn_of_siblings(*node);
  auto target = locate(node, remote);
  being_followed_.erase(node);
  followed_.emplace(node, target);
  return target;
}

void References::warn_of_siblings(const Node& node) {
  for (std::size_t i = 0; i < node.members.size(); ++i) {
    const std::string& key = node.members[i].key;
    if (key == "$ref") continue;
    findings_.warning(node.key_where(i), "reference/siblings",
                      fmt::format("'{}' is ignored beside '$ref': move it to where the reference points", key));
  }
}

std::optional<Target> References::locate(const Node* node, Remote remote) {
  const Node* ref = node->get("$ref");
  const std::string_view text = ref->text;
  if (const std::string_view scheme = scheme_of(text); !scheme.empty() || text.starts_with("//")) {
    if (remote == Remote::Warn) {
      findings_.warning(ref->where(), "reference/remote",
                        fmt::format("'{}' is not loaded and accepts everything: copy it beside the contract", text));
    } else {
      findings_.error(ref->where(), "reference/remote",
                      fmt::format("'{}' is not loaded: copy it beside the contract and refer to the file", text));
    }
    return std::nullopt;
  }
  const std::size_t hash = text.find('#');
  std::string path;
  const bool decoded = codec::decode_percent(path, text.substr(0, hash)).has_value();
  if (!decoded || !codec::is_utf8(path) || path.find('\0') != std::string::npos || path.starts_with('/')) {
    findings_.error(ref->where(), kRule, fmt::format("'{}' names no file: write a path relative to this file", text));
    return std::nullopt;
  }
  const std::string_view fragment = hash == std::string_view::npos ? std::string_view() : text.substr(hash + 1);
  const std::string file = path.empty() ? *node->file : join_path(*node->file, path);
  const Node* root = open(file, ref->where());
  if (!root) {
    findings_.error(ref->where(), kRule, fmt::format("'{}' was not read: mend that file first", file));
    return std::nullopt;
  }
  return walk(node, root, fragment);
}

std::optional<Target> References::walk(const Node* reference, const Node* root, std::string_view fragment) {
  const Where at = reference->get("$ref")->where();
  std::string pointer;
  const bool decoded = codec::decode_percent(pointer, fragment).has_value() && codec::is_utf8(pointer);
  if (!decoded || (!pointer.empty() && pointer[0] != '/')) {
    findings_.error(at, "reference/pointer",
                    fmt::format("'#{}' is no JSON Pointer: write it like #/components/messages/x", fragment));
    return std::nullopt;
  }
  Target target{root, nullptr, 0};
  std::string_view rest = pointer;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::size_t end = std::min(rest.find('/'), rest.size());
    const auto token = unescape_token(rest.substr(0, end));
    rest.remove_prefix(end);
    if (!token) {
      findings_.error(at, "reference/pointer", "in a JSON Pointer '~' is written '~0' and '/' within a name '~1'");
      return std::nullopt;
    }
    const auto next = step(reference, target, *token);
    if (!next) return std::nullopt;
    target = *next;
  }
  return target;
}

std::optional<Target> References::step(const Node* reference, Target from, const std::string& token) {
  const Node* ref = reference->get("$ref");
  const Node* node = from.node;
  if (is_reference(*node) && token != "$ref") node = resolve(node);
  if (!node) {
    findings_.error(ref->where(), kRule, fmt::format("'{}' leads through a reference that is not resolved", ref->text));
    return std::nullopt;
  }
  if (const Member* member = node->find(token)) {
    return Target{member->value, node, static_cast<std::size_t>(member - node->members.data())};
  }
  if (const auto index = array_index(token); index && *index < node->items.size()) {
    return Target{node->items[*index], node, *index};
  }
  findings_.error(
      ref->where(), kRule,
      fmt::format("'{}' points at nothing: there is no '{}'{}", ref->text, token, did_you_mean(token, node->keys())));
  return std::nullopt;
}

}  // namespace contract
