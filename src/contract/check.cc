// SPDX-License-Identifier: Apache-2.0
#include "contract/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/result.h"
#include "contract/address.h"
#include "contract/limits.h"
#include "contract/router.h"

namespace contract {
namespace {

constexpr std::string_view kOwnSegment = ".tidewire";
constexpr std::size_t kOverlapsNamedMax = 4;      // of one channel, in one warning
constexpr std::size_t kOverlapsLookedAtMax = 64;  // of one channel, to find those on a shared server

// The address as sentences show it; that of the server's own root is empty.
std::string_view shown(const Channel& channel) {
  if (channel.address->empty()) return "/";
  return *channel.address;
}

std::optional<AddressTemplate> check_address(const Channel& channel, Findings& findings) {
  if (!channel.address) return std::nullopt;
  auto address = AddressTemplate::parse(*channel.address);
  if (!address) {
    findings.error(channel.address_where, "channel/address",
                   fmt::format("the address '{}' cannot be served: {}", shown(channel), address.error().text));
    return std::nullopt;
  }
  if (address->segments()[0].shape() == kOwnSegment) {
    findings.error(channel.address_where, "channel/reserved",
                   fmt::format("'{}' begins with '.tidewire', which belongs to the server: choose another address",
                               *channel.address));
    return std::nullopt;
  }
  return *std::move(address);
}

// AsyncAPI 3.0, Parameters Object: "This map MUST contain all the parameters used in the parent channel address."
void check_parameters(Channel& channel, const AddressTemplate& address, Findings& findings) {
  const std::vector<std::string>& used = address.parameters();
  const auto place = [&](const Parameter& parameter) {
    return std::find(used.begin(), used.end(), parameter.name) - used.begin();
  };
  for (const std::string& name : used) {
    const auto is_it = [&](const Parameter& parameter) { return parameter.name == name; };
    if (std::any_of(channel.parameters.begin(), channel.parameters.end(), is_it)) continue;
    findings.error(channel.address_where, "channel/parameter-undeclared",
                   fmt::format("the parameter '{}' is not declared: add it to 'parameters' of the channel '{}'", name,
                               channel.key));
  }
  for (const Parameter& parameter : channel.parameters) {
    if (place(parameter) < static_cast<std::ptrdiff_t>(used.size())) continue;
    findings.error(parameter.where, "channel/parameter-unused",
                   fmt::format("the address '{}' has no parameter '{}': remove it here or write {{{}}} there",
                               address.text(), parameter.name, parameter.name));
  }
  std::sort(channel.parameters.begin(), channel.parameters.end(),
            [&](const Parameter& a, const Parameter& b) { return place(a) < place(b); });
}

void check_parameter_values(const Parameter& parameter, Findings& findings) {
  const auto check_value = [&](const std::string& value) {
    if (is_parameter_value(value)) return;
    findings.error(parameter.where, "parameter/value",
                   fmt::format("'{}' can be no part of an address: a value is 1-{} bytes of UTF-8 without "
                               "/ * {{ }} ? # and not '.' or '..'",
                               value, kParameterValueBytesMax));
  };
  for (const std::string& value : parameter.enum_values) check_value(value);
  if (!parameter.default_value) return;
  const std::string& value = *parameter.default_value;
  check_value(value);
  const bool listed =
      std::find(parameter.enum_values.begin(), parameter.enum_values.end(), value) != parameter.enum_values.end();
  if (parameter.enum_values.empty() || listed) return;
  findings.error(parameter.where, "parameter/default",
                 fmt::format("the default '{}' is not in the enum of '{}': add it there", value, parameter.name));
}

// Names travel as `event:` of server-sent events, where `open` and `error` belong to the browser and a line end would
// end the field.
void check_message_names(const Channel& channel, Findings& findings) {
  std::unordered_map<std::string_view, const Message*> names;
  for (const Message& message : channel.messages) {
    const std::string& name = message.name;
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    if (name == "open" || name == "error" || name == "tidewire" || name.starts_with("tidewire.")) {
      findings.error(message.name_where, "message/name-reserved",
                     fmt::format("a message cannot be called '{}' on the wire: give it another 'name'", name));
    } else if (name.empty() || name.size() > kMessageNameBytesMax ||
               std::any_of(name.begin(), name.end(), is_control)) {
      findings.error(message.name_where, "message/name",
                     fmt::format("the name of a message has 1-{} bytes and no control characters: change 'name'",
                                 kMessageNameBytesMax));
    }
    const auto [first, is_new] = names.emplace(name, &message);
    if (is_new) continue;
    findings.error(message.name_where, "message/name-twice",
                   fmt::format("'{}' and '{}' of the channel '{}' are both called '{}' on the wire: change one 'name'",
                               first->second->key, message.key, channel.key, name));
  }
}

struct Addressed {
  std::size_t channel;
  AddressTemplate address;
};

void check_identities(const Contract& contract, const std::vector<Addressed>& all, Findings& findings) {
  std::unordered_map<std::string_view, std::vector<std::size_t>> by_identity;
  for (const Addressed& one : all) {
    const Channel& channel = contract.channels[one.channel];
    std::vector<std::size_t>& same = by_identity[one.address.identity()];
    const auto first = std::find_if(same.begin(), same.end(),
                                    [&](std::size_t other) { return share_server(channel, contract.channels[other]); });
    if (first == same.end()) {
      same.push_back(one.channel);
      continue;
    }
    const Channel& other = contract.channels[*first];
    findings.error(channel.address_where, "channel/duplicate",
                   fmt::format("'{}' is the address of the channel '{}' (line {}) already: join the two, or give them "
                               "different servers",
                               shown(channel), other.key, other.address_where.line));
  }
}

void check_overlaps(const Contract& contract, const std::vector<Addressed>& all, Findings& findings) {
  AddressRouter earlier;                         // leads to groups
  std::vector<std::vector<std::size_t>> groups;  // channels of one identity
  std::unordered_map<std::string_view, std::size_t> group_of;
  for (const Addressed& one : all) {
    const Channel& channel = contract.channels[one.channel];
    std::string names;
    std::size_t named = 0;
    for (const std::size_t group : earlier.overlapping(one.address, kOverlapsLookedAtMax)) {
      for (const std::size_t index : groups[group]) {
        const Channel& other = contract.channels[index];
        if (named == kOverlapsNamedMax || !share_server(channel, other)) continue;
        names += fmt::format("{}'{}' (line {})", named == 0 ? "" : ", ", shown(other), other.address_where.line);
        ++named;
      }
    }
    if (named > 0) {
      findings.warning(channel.address_where, "channel/overlap",
                       fmt::format("'{}' and {} match some of the same addresses: literal segments win over parameters",
                                   shown(channel), names));
    }
    const auto [group, is_new] = group_of.emplace(one.address.identity(), groups.size());
    if (is_new) {
      groups.emplace_back();
      CHECK(earlier.add(one.address, group->second).has_value(), "a new identity is not in the router yet");
    }
    groups[group->second].push_back(one.channel);
  }
}

}  // namespace

bool share_server(const Channel& a, const Channel& b) {
  if (a.servers.empty() || b.servers.empty()) return true;
  return std::find_first_of(a.servers.begin(), a.servers.end(), b.servers.begin(), b.servers.end()) != a.servers.end();
}

void check(Contract& contract, Findings& findings) {
  std::vector<Addressed> addressed;
  for (std::size_t i = 0; i < contract.channels.size(); ++i) {
    Channel& channel = contract.channels[i];
    check_message_names(channel, findings);
    for (const Parameter& parameter : channel.parameters) check_parameter_values(parameter, findings);
    auto address = check_address(channel, findings);
    if (!address) continue;
    check_parameters(channel, *address, findings);
    addressed.push_back({i, *std::move(address)});
  }
  check_identities(contract, addressed, findings);
  check_overlaps(contract, addressed, findings);
}

}  // namespace contract
