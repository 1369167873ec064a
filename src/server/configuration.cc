// SPDX-License-Identifier: Apache-2.0
#include "server/configuration.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <limits>
#include <utility>

#include "contract/nearest.h"
#include "contract/tree.h"
#include "contract/units.h"

namespace server {

io::Endpoint loopback(std::uint16_t port) { return {io::Endpoint::Family::V4, port, {127, 0, 0, 1}, {}}; }

base::Result<std::optional<io::Endpoint>> parse_listener(std::string_view text) {
  if (text == "none") return std::nullopt;
  return TRY(io::Endpoint::parse(text));
}

std::optional<std::string> parse_data(std::string_view text) {
  if (text == "none") return std::nullopt;
  return std::string(text);
}

namespace {

using contract::Kind;
using contract::Node;

struct Reading {
  Settings& settings;
  std::string folder;  // of the file, with its '/'
};

// Returns what is wrong with the value, or nothing.
using Set = std::string (*)(Reading&, const Node&);

std::string expected(const char* what, const Node& node) {
  return std::string("expected ") + what + ", not " + std::string(contract::name(node.kind));
}

std::string set_text(std::string& into, const Node& node) {
  if (node.kind != Kind::String) return expected("a string", node);
  into = node.text;
  return {};
}

std::string set_list(std::vector<std::string>& into, const Node& node) {
  if (node.kind != Kind::Sequence) return expected("a list of strings", node);
  std::vector<std::string> list;
  for (const Node* item : node.items) {
    if (item->kind != Kind::String) return expected("a list of strings", *item);
    list.push_back(item->text);
  }
  into = std::move(list);
  return {};
}

std::string set_flag(bool& into, const Node& node) {
  if (node.kind != Kind::Bool) return expected("true or false", node);
  into = node.text == "true" || node.text == "True" || node.text == "TRUE";
  return {};
}

std::string set_listener(std::optional<io::Endpoint>& into, const Node& node) {
  const auto endpoint = parse_listener(node.text);
  if (!endpoint) return endpoint.error().text;
  into = *endpoint;
  return {};
}

std::string in_folder(const Reading& reading, const std::string& path) {
  return path.empty() || path.front() == '/' ? path : reading.folder + path;
}

std::string set_paths(Reading& reading, std::vector<std::string>& into, const Node& node) {
  if (std::string wrong = set_list(into, node); !wrong.empty()) return wrong;
  for (std::string& path : into) path = in_folder(reading, path);
  return {};
}

template <class T>
std::string set_number(T& into, const Node& node, T least, T most) {
  T number = 0;
  const char* const end = node.text.data() + node.text.size();
  const auto read = std::from_chars(node.text.data(), end, number);
  if (node.kind != Kind::Int || read.ec != std::errc{} || read.ptr != end || number < least || number > most)
    return "expected a whole number from " + std::to_string(least) + " to " + std::to_string(most);
  into = number;
  return {};
}

template <class T>
std::string set_size(T& into, const Node& node, std::uint64_t least, std::uint64_t most, const char* otherwise) {
  const auto size = contract::parse_size_bytes(node.text);
  if (!size || *size < least || *size > most) return otherwise;
  into = *size;
  return {};
}

std::string set_age(std::uint64_t& into_ns, const Node& node) {
  constexpr std::uint64_t kNsPerMs = 1'000'000;
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max() / kNsPerMs - 1;
  const auto age_ms = contract::parse_duration_ms(node.text);
  const auto ms = age_ms ? static_cast<std::uint64_t>(*age_ms) : 0;
  if (ms < kAgeNsMin / kNsPerMs || ms > kMost) return "expected a duration of at least 1s, like `12h` or `7d`";
  into_ns = ms * kNsPerMs;
  return {};
}

std::string set_event_bytes_max(Reading& reading, const Node& node) {
  return set_size(reading.settings.event_bytes_max, node, 1, kEventBytesMaxMost,
                  "expected a size from 1 byte to 16MiB, like `1MiB`");
}

std::string set_segment_bytes(Reading& reading, const Node& node) {
  return set_size(reading.settings.storage.segment_bytes_max, node, kSegmentBytesMin, kSegmentBytesMost,
                  "expected a size from 1MiB to 1GiB, like `256MiB`");
}

std::string set_bytes_max(Reading& reading, const Node& node) {
  return set_size(reading.settings.storage.bytes_max, node, kLogBytesMin, std::numeric_limits<std::uint64_t>::max(),
                  "expected a size of at least 64MiB, like `10GiB`");
}

std::string set_dedup_entries_max(Reading& reading, const Node& node) {
  return set_number<std::size_t>(reading.settings.storage.repeat_entries_max, node, kDedupEntriesMin,
                                 kDedupEntriesMost);
}

std::string set_unenforced(Reading& reading, const Node& node) {
  if (node.text != "allow" && node.text != "refuse") return "expected `allow` or `refuse`";
  reading.settings.access_unenforced_allow = node.text == "allow";
  return {};
}

std::string set_data(Reading& reading, const Node& node) {
  if (node.kind != Kind::String) return expected("a directory or `none`", node);
  if (node.text.empty()) return "expected a directory or `none`";
  reading.settings.data = parse_data(node.text);
  if (reading.settings.data) reading.settings.data = in_folder(reading, *reading.settings.data);
  return {};
}

std::string set_static(Reading& reading, const Node& node) {
  if (std::string wrong = set_text(reading.settings.static_root, node); !wrong.empty()) return wrong;
  reading.settings.static_root = in_folder(reading, reading.settings.static_root);
  return {};
}

struct Key {
  std::string_view name;  // dotted
  Set set;
};

const std::vector<Key>& keys() {
  static const std::vector<Key> all = {
      {"access.open", [](Reading& r, const Node& n) { return set_flag(r.settings.access_open, n); }},
      {"access.unenforced", set_unenforced},
      {"admin", [](Reading& r, const Node& n) { return set_listener(r.settings.admin, n); }},
      {"app_listen", [](Reading& r, const Node& n) { return set_listener(r.settings.app_listen, n); }},
      {"clients", [](Reading& r, const Node& n) { return set_paths(r, r.settings.clients, n); }},
      {"contracts", [](Reading& r, const Node& n) { return set_paths(r, r.settings.contracts, n); }},
      {"cors.origins", [](Reading& r, const Node& n) { return set_list(r.settings.origins, n); }},
      {"data", set_data},
      {"hosts", [](Reading& r, const Node& n) { return set_list(r.settings.hosts, n); }},
      {"ignore_servers", [](Reading& r, const Node& n) { return set_flag(r.settings.ignore_servers, n); }},
      {"limits.event_bytes_max", set_event_bytes_max},
      {"listen", [](Reading& r, const Node& n) { return set_listener(r.settings.listen, n); }},
      {"static", set_static},
      {"storage.bytes_max", set_bytes_max},
      {"storage.dedup_entries_max", set_dedup_entries_max},
      {"storage.protect_age", [](Reading& r, const Node& n) { return set_age(r.settings.storage.protect_age_ns, n); }},
      {"storage.retention_age", [](Reading& r, const Node& n) { return set_age(r.settings.retention.age_ns, n); }},
      {"storage.segment_bytes", set_segment_bytes},
      {"threads", [](Reading& r, const Node& n) { return set_number(r.settings.threads, n, 1u, kThreadsMax); }},
  };
  return all;
}

bool is_section(const std::string& name) {
  return std::ranges::any_of(keys(), [&](const Key& key) { return key.name.starts_with(name + '.'); });
}

// Only white space and comments: a file of defaults. For a contract that would be an error.
bool is_blank(std::string_view text) {
  while (true) {
    const std::size_t next = text.find_first_not_of(" \t\r\n");
    if (next == std::string_view::npos) return true;
    if (text[next] != '#') return false;
    const std::size_t end = text.find('\n', next);
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end);
  }
}

void read_mapping(Reading& reading, const Node& mapping, const std::string& prefix, contract::Findings& findings) {
  for (std::size_t i = 0; i < mapping.members.size(); ++i) {
    const contract::Member& member = mapping.members[i];
    const std::string name = prefix + member.key;
    const auto key = std::ranges::find(keys(), name, &Key::name);
    if (key != keys().end()) {
      const std::string wrong = key->set(reading, *member.value);
      if (!wrong.empty()) findings.error(member.value->where(), "config/value", "`" + name + "`: " + wrong);
    } else if (is_section(name) && member.value->kind == Kind::Mapping) {
      read_mapping(reading, *member.value, name + '.', findings);
    } else if (is_section(name)) {
      findings.error(member.value->where(), "config/value", "`" + name + "`: " + expected("a mapping", *member.value));
    } else {
      std::vector<std::string_view> known;
      for (const Key& candidate : keys()) known.push_back(candidate.name);
      findings.error(mapping.key_where(i), "config/unknown",
                     "unknown key `" + name + "`" + contract::did_you_mean(name, known));
    }
  }
}

}  // namespace

void read_configuration(const std::string& file, std::string_view text, Settings& settings,
                        contract::Findings& findings) {
  if (is_blank(text)) return;
  contract::Budget budget;
  const auto tree = contract::read_tree(file, text, budget, findings);
  if (!tree || tree->root() == nullptr || tree->root()->kind == Kind::Null) return;
  if (tree->root()->kind != Kind::Mapping) {
    return findings.error(tree->root()->where(), "config/value",
                          "the configuration is " + expected("a mapping of settings", *tree->root()));
  }
  Reading reading{settings, file.substr(0, file.rfind('/') + 1)};
  read_mapping(reading, *tree->root(), "", findings);
}

}  // namespace server
