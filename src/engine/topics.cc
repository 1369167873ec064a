// SPDX-License-Identifier: Apache-2.0
#include "engine/topics.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "contract/address.h"

namespace engine {

Side other(Side side) { return side == Side::Application ? Side::Counterpart : Side::Application; }

namespace {

// Which servers this version listens for. Secure variants count: TLS may end in front of the program.
bool is_served(std::string_view protocol) {
  return protocol == "http" || protocol == "https" || protocol == "sse" || protocol == "sses" ||
         protocol == "http-sse" || protocol == "https-sse";
}

bool has(const std::vector<std::size_t>& indices, std::size_t index) {
  return std::ranges::find(indices, index) != indices.end();
}

}  // namespace

class TopicsBuilder {
 public:
  explicit TopicsBuilder(ServerSelection selection) : selection_(selection) {}

  void add(const ContractInRole& described) {
    const contract::Contract& contract = *described.contract;
    for (std::size_t i = 0; i < contract.channels.size(); ++i) add_channel(described, i);
  }

  Topics::Built finish() {
    std::ranges::sort(topics_->mounts_, std::ranges::greater{}, [](const Mount& m) { return m.pathname.size(); });
    Topics::Built built{nullptr, std::move(findings_)};
    if (!contract::has_errors(built.findings)) built.topics = std::move(topics_);
    return built;
  }

 private:
  void report(const contract::Where& where, contract::Severity severity, const char* rule, std::string sentence) {
    findings_.push_back({where, severity, rule, std::move(sentence)});
  }

  void add_channel(const ContractInRole& described, std::size_t index) {
    const contract::Channel& declared = described.contract->channels[index];
    if (!declared.address) return;  // the contract floor has said so
    const auto address = contract::AddressTemplate::parse(*declared.address);
    if (!address) return;
    const std::vector<std::string> pathnames = pathnames_of(*described.contract, declared);
    if (pathnames.empty()) {
      return report(declared.where, contract::Severity::Warning, "serve/protocol",
                    "channel `" + declared.key +
                        "` is not reachable: none of its servers speaks http, https or sse, which this version "
                        "serves; --ignore-servers serves every channel over HTTP at `/`");
    }
    const std::size_t at = channel_of(declared, *address);
    Channel& channel = *topics_->channels_[at];
    check_parameters(channel, declared);
    if (channel.durability != declared.durability) {
      return report(
          declared.where, contract::Severity::Error, "serve/durability",
          "channel `" + declared.key + "` is durable in one contract and ephemeral in another; make them equal");
    }
    unite_retention(channel, declared);
    const std::vector<std::size_t> messages = add_messages(channel, declared);
    add_rights(channel, described, index, messages);
    for (const std::string& pathname : pathnames) mount(pathname, *address, at, declared.where);
  }

  std::vector<std::string> pathnames_of(const contract::Contract& contract, const contract::Channel& channel) const {
    if (selection_ == ServerSelection::IgnoreServers || contract.servers.empty()) return {""};
    std::vector<std::string> pathnames;
    for (std::size_t i = 0; i < contract.servers.size(); ++i) {
      const bool chosen = channel.servers.empty() || has(channel.servers, i);
      if (!chosen || !is_served(contract.servers[i].protocol)) continue;
      const std::string& pathname = contract.servers[i].pathname;
      if (std::ranges::find(pathnames, pathname) == pathnames.end()) pathnames.push_back(pathname);
    }
    return pathnames;
  }

  // The same address in two contracts is one channel.
  std::size_t channel_of(const contract::Channel& declared, const contract::AddressTemplate& address) {
    const auto [known, added] = by_identity_.try_emplace(address.identity(), topics_->channels_.size());
    if (!added) return known->second;
    auto channel = std::make_unique<Channel>();
    channel->key = declared.key;
    channel->address = address.text();
    channel->identity = address.identity();
    channel->durability = declared.durability;
    channel->retention = declared.retention;
    channel->parameters = declared.parameters;
    topics_->channels_.push_back(std::move(channel));
    return known->second;
  }

  // Names may differ, they are of the contract; values are of the address.
  void check_parameters(const Channel& channel, const contract::Channel& declared) {
    for (std::size_t i = 0; i < channel.parameters.size() && i < declared.parameters.size(); ++i) {
      const contract::Parameter& known = channel.parameters[i];
      const contract::Parameter& here = declared.parameters[i];
      if (std::ranges::is_permutation(known.enum_values, here.enum_values)) continue;
      report(here.where, contract::Severity::Error, "serve/parameter",
             "parameter `" + here.name + "` has other values here than `" + known.name + "` at " + known.where.file +
                 ':' + std::to_string(known.where.line) + "; make their `enum` equal");
    }
  }

  // A contract that is silent about it, as those of clients often are, takes what another one says.
  void unite_retention(Channel& channel, const contract::Channel& declared) {
    const auto unite = [&](auto& known, const auto& here, std::string_view member) {
      if (!known) known = here;
      if (!here || *here == *known) return;
      report(declared.where, contract::Severity::Error, "serve/retention",
             "channel `" + declared.key + "` has another `x-tidewire.retention." + std::string(member) +
                 "` here than in another contract; make them equal, or state it in one of them only");
    };
    unite(channel.retention.age_ms, declared.retention.age_ms, "age");
    unite(channel.retention.bytes, declared.retention.bytes, "bytes");
  }

  // Where the channel's messages of this contract stand among those of all contracts.
  std::vector<std::size_t> add_messages(Channel& channel, const contract::Channel& declared) {
    std::vector<std::size_t> indices;
    for (const contract::Message& message : declared.messages) {
      const auto same = std::ranges::find(channel.messages, message.name, &contract::Message::name);
      indices.push_back(static_cast<std::size_t>(same - channel.messages.begin()));
      if (same == channel.messages.end()) {
        channel.messages.push_back(message);
      } else if (same->content_type != message.content_type) {
        report(message.where, contract::Severity::Error, "serve/message",
               "message `" + message.name + "` has content type `" + message.content_type + "` here and `" +
                   same->content_type + "` at " + same->where.file + ':' + std::to_string(same->where.line) +
                   "; make them equal or rename one");
      }
    }
    return indices;
  }

  void add_rights(Channel& channel, const ContractInRole& described, std::size_t index,
                  const std::vector<std::size_t>& messages) {
    const Side described_side = described.role == Role::Application ? Side::Application : Side::Counterpart;
    for (const contract::Operation& operation : described.contract->operations) {
      if (operation.channel != index) continue;
      const bool sends = operation.action == contract::Action::Send;
      const Side publisher = sends ? described_side : other(described_side);
      Rights& rights = channel.rights[static_cast<std::size_t>(publisher)];
      rights.publish = true;
      if (operation.http_method) rights.publish_method = *operation.http_method;
      channel.rights[static_cast<std::size_t>(other(publisher))].subscribe = true;
      const auto allow = [&](std::size_t message) {
        if (!has(rights.messages, messages[message])) rights.messages.push_back(messages[message]);
      };
      for (const std::size_t message : operation.messages) allow(message);
      if (!operation.messages.empty()) continue;
      for (std::size_t message = 0; message < messages.size(); ++message) allow(message);
    }
  }

  void mount(const std::string& pathname, const contract::AddressTemplate& address, std::size_t channel,
             const contract::Where& where) {
    auto mount = std::ranges::find(topics_->mounts_, pathname, &Mount::pathname);
    if (mount == topics_->mounts_.end()) {
      topics_->mounts_.push_back({pathname, {}, {}});
      mount = topics_->mounts_.end() - 1;
    }
    if (has(mount->channels, channel)) return;
    if (const auto added = mount->router.add(address, channel); !added) {
      return report(where, contract::Severity::Error, "serve/address", added.error().text);
    }
    mount->channels.push_back(channel);
  }

  ServerSelection selection_;
  std::unique_ptr<Topics> topics_{new Topics};
  std::unordered_map<std::string, std::size_t> by_identity_;
  std::vector<contract::Finding> findings_;
};

namespace {

storage::Retention retention_of(const Channel& channel, storage::Retention retention) {
  constexpr std::uint64_t kNsPerMs = 1'000'000;
  if (const auto age_ms = channel.retention.age_ms) {
    const auto ms = static_cast<std::uint64_t>(*age_ms);
    // More than five centuries is for ever, too.
    retention.age_ns = ms > storage::Retention::kUnbounded / kNsPerMs ? storage::Retention::kUnbounded : ms * kNsPerMs;
  }
  if (channel.retention.bytes) retention.bytes = *channel.retention.bytes;
  return retention;
}

}  // namespace

Topics::Built Topics::build(const std::vector<ContractInRole>& contracts, ServerSelection selection) {
  TopicsBuilder builder(selection);
  for (const ContractInRole& contract : contracts) builder.add(contract);
  return builder.finish();
}

std::vector<storage::TopicDeclaration> Topics::declarations(const storage::Retention& unsaid) const {
  std::vector<storage::TopicDeclaration> declarations;
  for (const auto& channel : channels_) declarations.push_back({channel->identity, retention_of(*channel, unsaid)});
  return declarations;
}

void Topics::set_topics(const std::vector<storage::TopicId>& topics) {
  CHECK(topics.size() == channels_.size(), "the lane named another number of topics than it was asked for");
  for (std::size_t i = 0; i < topics.size(); ++i) channels_[i]->topic = topics[i];
}

namespace {

// What is behind the pathname, without its '/'; nothing if the path is not under it.
std::optional<std::string_view> behind(std::string_view path, std::string_view pathname) {
  if (!path.starts_with(pathname)) return std::nullopt;
  path.remove_prefix(pathname.size());
  if (path.empty()) return path;
  if (path.front() != '/') return std::nullopt;
  return path.substr(1);
}

bool is_declared_value(const contract::Parameter& parameter, std::string_view value) {
  return parameter.enum_values.empty() ||
         std::ranges::find(parameter.enum_values, value) != parameter.enum_values.end();
}

}  // namespace

std::optional<Topics::Found> Topics::find(std::string_view path) const {
  for (const Mount& mount : mounts_) {
    const auto address = behind(path, mount.pathname);
    if (!address) continue;
    const auto match = mount.router.match(*address);
    if (!match) continue;
    const Channel& channel = *channels_[match->channel];
    bool declared = true;
    for (std::size_t i = 0; i < match->values.size() && i < channel.parameters.size(); ++i)
      declared = declared && is_declared_value(channel.parameters[i], match->values[i]);
    if (declared) return Found{&channel, *address};
  }
  return std::nullopt;
}

bool Topics::is_mount(std::string_view path) const {
  return std::ranges::any_of(mounts_, [&](const Mount& mount) {
    const auto rest = behind(path, mount.pathname);
    return rest && rest->empty();
  });
}

}  // namespace engine
