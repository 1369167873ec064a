// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "contract/nearest.h"
#include "contract/read.h"

namespace contract {
namespace {

constexpr std::string_view kChannelRule = "operation/channel";
constexpr std::string_view kMessageRule = "operation/message";

// AsyncAPI http binding 0.3.0: the values of `method`.
constexpr std::array<std::string_view, 9> kMethods{"GET",  "POST",    "PUT",     "DELETE", "PATCH",
                                                   "HEAD", "OPTIONS", "CONNECT", "TRACE"};
// Those that can carry a publish.
constexpr std::array<std::string_view, 4> kPublishMethods{"POST", "PUT", "DELETE", "PATCH"};

template <std::size_t N>
bool one_of(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// The channel of the model that stands for this value, for suggestions.
std::string channel_of(Reading& reading, const Node* node) {
  const Node* wanted = reading.references.resolve(node);
  if (!reading.channels || !wanted || reading.findings.full()) return {};
  for (const Member& member : reading.channels->members) {
    if (reading.references.resolve(member.value) == wanted) return local_reference({"channels", member.key});
  }
  return {};
}

// AsyncAPI 3.0, Operation Object, `channel`: "it MUST point to a channel definition located in the root Channels
// Object, and MUST NOT point to a channel definition located in the Components Object or anywhere else."
std::optional<std::size_t> read_channel_reference(Reading& reading, const Object& object, Need need) {
  const Node* node = object.get("channel");
  if (!node) {
    if (need == Need::Required) {
      reading.findings.error(object.where(), "asyncapi/required",
                             fmt::format("{} needs 'channel': add $ref: '#/channels/NAME'", object.what()));
    }
    return std::nullopt;
  }
  if (!References::is_reference(*node)) {
    reading.findings.error(
        node->where(), kChannelRule,
        fmt::format("the channel of {} must be a reference: write $ref: '#/channels/NAME'", object.what()));
    return std::nullopt;
  }
  const auto target = reading.references.follow(node);
  if (!target) return std::nullopt;
  if (reading.channels && target->parent == reading.channels) return target->index;
  const std::string right = channel_of(reading, target->node);
  reading.findings.error(node->get("$ref")->where(), kChannelRule,
                         fmt::format("'{}' is no channel of this document: write '{}'", node->get("$ref")->text,
                                     right.empty() ? "#/channels/NAME" : right));
  return std::nullopt;
}

std::string message_of(Reading& reading, std::size_t channel, const Node* node) {
  const Node* wanted = reading.references.resolve(node);
  const Node* messages = reading.messages[channel];
  if (!messages || !wanted || reading.findings.full()) return {};
  for (const Member& member : messages->members) {
    if (reading.references.resolve(member.value) != wanted) continue;
    return local_reference({"channels", reading.contract.channels[channel].key, "messages", member.key});
  }
  return {};
}

// AsyncAPI 3.0, Operation Object, `messages`: "MUST contain a subset of the messages defined in the channel
// referenced in this operation, and MUST NOT point to a subset of message definitions located in the Messages Object
// in the Components Object or anywhere else."
std::vector<std::size_t> read_message_references(Reading& reading, const Object& object, std::size_t channel) {
  std::vector<std::size_t> indices;
  const Node* list = object.sequence("messages");
  if (!list) return indices;
  for (const Node* item : list->items) {
    const auto refuse = [&](const Where& where, std::string_view text, std::string_view right) {
      reading.findings.error(
          where, kMessageRule,
          fmt::format("{} is no message of the channel of {}: write $ref: '{}'", text, object.what(), right));
    };
    const std::string example =
        local_reference({"channels", reading.contract.channels[channel].key, "messages", "NAME"});
    if (!References::is_reference(*item)) {
      refuse(item->where(), "this", example);
      continue;
    }
    const auto target = reading.references.follow(item);
    if (!target) continue;
    if (reading.messages[channel] && target->parent == reading.messages[channel]) {
      indices.push_back(target->index);
      continue;
    }
    const std::string right = message_of(reading, channel, target->node);
    const Node* ref = item->get("$ref");
    refuse(ref->where(), fmt::format("'{}'", ref->text), right.empty() ? example : right);
  }
  return indices;
}

std::optional<std::string> read_http_method(Reading& reading, const Object& operation) {
  const Object bindings = operation.object("bindings");
  if (!bindings) return std::nullopt;
  const Object http = bindings.object("http");
  if (!http || !http.get("method")) return std::nullopt;
  std::string method = http.text("method");
  if (method.empty()) return std::nullopt;
  for (char& c : method) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  const Where where = http.get("method")->where();
  if (!one_of(method, kMethods)) {
    reading.findings.error(where, "http/method",
                           fmt::format("'{}' is no method of the http binding{}: write POST, PUT, PATCH or DELETE",
                                       method, did_you_mean(method, {kMethods.begin(), kMethods.end()})));
    return std::nullopt;
  }
  if (!one_of(method, kPublishMethods)) {
    reading.findings.warning(where, "http/method",
                             fmt::format("{} cannot publish, so it is ignored and POST is served: write POST, PUT, "
                                         "PATCH or DELETE",
                                         method));
    return std::nullopt;
  }
  return method;
}

void read_action(Reading& reading, const Object& object, Operation& out) {
  const std::string action = object.text("action", Need::Required);
  if (action.empty() || action == "send") return;
  if (action == "receive") {
    out.action = Action::Receive;
    return;
  }
  reading.findings.error(object.get("action")->where(), "operation/action",
                         fmt::format("'{}' is no action: write send or receive", action));
}

void read_reply(Reading& reading, const Object& operation, Operation& out) {
  if (!operation.get("reply")) return;
  out.has_reply = true;
  const Object reply = operation.object("reply");
  if (!reply) return;
  reply.only({"address", "channel", "messages"});
  const auto channel = read_channel_reference(reading, reply, Need::Optional);
  if (channel) read_message_references(reading, reply, *channel);
}

}  // namespace

void read_operations(Reading& reading, const Object& root) {
  const Node* operations = root.mapping("operations");
  if (!operations) return;
  for (std::size_t i = 0; i < operations->members.size(); ++i) {
    const Member& member = operations->members[i];
    Operation operation;
    operation.key = member.key;
    operation.where = operations->key_where(i);
    Object object = reading.object(member.value, fmt::format("the operation '{}'", member.key), operation.where);
    if (!object) continue;
    object.apply_traits();
    object.only({"action", "channel", "title", "summary", "description", "security", "tags", "externalDocs", "bindings",
                 "traits", "messages", "reply"});
    read_action(reading, object, operation);
    const auto channel = read_channel_reference(reading, object, Need::Required);
    if (!channel) continue;
    operation.channel = *channel;
    operation.messages = read_message_references(reading, object, *channel);
    operation.http_method = read_http_method(reading, object);
    const Node* security = object.sequence("security");
    operation.has_security = security && !security->items.empty();
    read_reply(reading, object, operation);
    reading.contract.operations.push_back(std::move(operation));
  }
}

}  // namespace contract
