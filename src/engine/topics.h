// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the program serves: the channels of all contracts united, with the rights of each side, and where they are
// mounted.
//
// Built at start from contracts, then immutable and shared by all loops. A channel's topic is given by the lane
// between build() and the first use.
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "contract/finding.h"
#include "contract/model.h"
#include "contract/router.h"
#include "storage/lane.h"

namespace engine {

enum class Side : std::uint8_t { Application, Counterpart };
inline constexpr std::size_t kSides = 2;
Side other(Side);

// What one side may do on a channel.
struct Rights {
  bool subscribe = false;
  bool publish = false;
  std::vector<std::size_t> messages;    // that it may publish: indices into Channel::messages
  std::string publish_method = "POST";  // on HTTP
};

struct Channel {
  std::string key;
  std::string address;   // the template
  std::string identity;  // with `*` for each parameter
  storage::TopicId topic = 0;
  contract::Durability durability = contract::Durability::Durable;
  contract::Retention retention;
  std::vector<contract::Parameter> parameters;
  std::vector<contract::Message> messages;
  std::array<Rights, kSides> rights;

  const Rights& rights_of(Side side) const { return rights[static_cast<std::size_t>(side)]; }
  bool is_ephemeral() const { return durability == contract::Durability::Ephemeral; }
};

// One pathname, and the channels that are reachable under it.
struct Mount {
  std::string pathname;  // "" or begins with '/', without one at the end
  contract::AddressRouter router;
  std::vector<std::size_t> channels;
};

enum class Role : std::uint8_t { Application, Client };  // whom a contract describes
enum class ServerSelection : std::uint8_t { AsTheContractSays, IgnoreServers };

struct ContractInRole {
  std::shared_ptr<const contract::Contract> contract;
  Role role;
};

class Topics final {
 public:
  struct Built {
    std::unique_ptr<Topics> topics;           // null if a finding is an error
    std::vector<contract::Finding> findings;  // located; what is not served, and why
  };
  static Built build(const std::vector<ContractInRole>&, ServerSelection);

  // Of durable and ephemeral channels, in order of channels(): what Lane::declare is asked for. `unsaid` holds where
  // the contract is silent.
  std::vector<storage::TopicDeclaration> declarations(const storage::Retention& unsaid = {}) const;
  void set_topics(const std::vector<storage::TopicId>&);

  struct Found {
    const Channel* channel;
    std::string_view address;  // the part of the path behind the pathname, without its leading '/'
  };
  // The channel at a decoded path. Longer pathnames win.
  std::optional<Found> find(std::string_view path) const;
  // A pathname itself, with or without a '/' at its end: where several channels are addressed at once.
  bool is_mount(std::string_view path) const;

  const std::vector<std::unique_ptr<Channel>>& channels() const { return channels_; }
  const std::vector<Mount>& mounts() const { return mounts_; }

 private:
  friend class TopicsBuilder;
  Topics() = default;

  std::vector<std::unique_ptr<Channel>> channels_;
  std::vector<Mount> mounts_;  // the longest pathname first
};

}  // namespace engine
