// SPDX-License-Identifier: Apache-2.0
#pragma once
// An AsyncAPI document as the rest of the program sees it: plain values, references resolved, traits applied, checked.
//
// Thread: immutable once load() returned it; share it as shared_ptr<const Contract>. Indices point into the vectors of
// the same Contract and are always valid. The order of every vector is the order of the document.
// AsyncAPI 3.0 and 3.1; the perspective is that of the described application (see Action).
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "contract/finding.h"

namespace contract {

struct Info {
  std::string title;
  std::string version;
  std::string description;  // empty when absent
};

struct Server {
  std::string key;
  std::string protocol;  // as written, lower case: "http", "wss", "kafka", ...
  std::string host;      // variables replaced by their defaults
  std::string pathname;  // likewise; "" or begins with '/', without one at the end
  bool has_security = false;
  Where where;
};

struct Parameter {
  std::string name;
  std::vector<std::string> enum_values;  // empty: any value
  std::optional<std::string> default_value;
  std::string location;  // runtime expression, empty when absent
  std::string description;
  Where where;
};

enum class Durability : std::uint8_t { Durable, Ephemeral };

inline constexpr std::int64_t kAgeUnlimitedMs = std::numeric_limits<std::int64_t>::max();
inline constexpr std::uint64_t kRetentionUnlimitedBytes = std::numeric_limits<std::uint64_t>::max();

// How long events stay. An absent member means that the contract is silent and the server's default holds.
struct Retention {
  std::optional<std::int64_t> age_ms;
  std::optional<std::uint64_t> bytes;
};

struct Message {
  std::string key;           // in the channel's `messages`
  std::string name;          // on the wire: `name`, else the key
  std::string content_type;  // own, else defaultContentType, else "application/json"
  std::string title;
  std::string summary;
  Where where;
  Where name_where;  // of `name`, else of the key
};

struct Channel {
  std::string key;                     // in `channels`
  std::optional<std::string> address;  // template without its leading '/'; absent: null or missing, not reachable
  std::string title;
  std::string summary;
  std::vector<Parameter> parameters;  // in the order of the template
  std::vector<Message> messages;
  std::vector<std::size_t> servers;  // indices into Contract::servers; empty: all of them
  Durability durability = Durability::Durable;
  Retention retention;
  std::uint32_t partitions = 1;
  std::string partition_key;  // runtime expression, empty when absent
  Where where;
  Where address_where;
};

// What the described application does on the channel; the counterpart does the reverse.
enum class Action : std::uint8_t {
  Send,     // the application publishes, the counterpart subscribes
  Receive,  // the counterpart publishes, the application subscribes
};

struct Operation {
  std::string key;
  Action action = Action::Send;
  std::size_t channel = 0;
  std::vector<std::size_t> messages;       // indices into the channel's messages; empty: all of them
  std::optional<std::string> http_method;  // upper case, from the http binding; never GET or HEAD
  bool has_security = false;
  bool has_reply = false;
  Where where;
};

struct Contract {
  std::string file;
  std::string asyncapi;  // as written: "3.0.0"
  Info info;
  std::vector<Server> servers;
  std::vector<Channel> channels;
  std::vector<Operation> operations;
  std::vector<Finding> warnings;  // warnings and notes of the load, never errors
};

}  // namespace contract
