// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "contract/read.h"

namespace contract {
namespace {

void read_address(Reading& reading, const Object& object, Channel& channel) {
  const Node* node = object.get("address");
  channel.address_where = node ? node->where() : channel.where;
  if (!node || node->kind == Kind::Null) {
    reading.findings.warning(channel.address_where, "channel/no-address",
                             fmt::format("{} has no address, so it is not served: give it one", object.what()));
    return;
  }
  if (node->kind != Kind::String) {
    object.text("address");  // says what is wrong
    return;
  }
  std::string_view address = node->text;
  if (address.starts_with('/')) address.remove_prefix(1);
  channel.address = address;
}

void read_channel_servers(Reading& reading, const Object& object, Channel& channel) {
  const Node* servers = object.sequence("servers");
  if (!servers) return;
  for (const Node* item : servers->items) {
    const bool is_reference = References::is_reference(*item);
    const auto target = is_reference ? reading.references.follow(item) : std::nullopt;
    if (is_reference && !target) continue;
    if (target && reading.servers && target->parent == reading.servers) {
      channel.servers.push_back(target->index);
      continue;
    }
    reading.findings.error(item->where(), "channel/server",
                           fmt::format("a server of {} is named by a reference into the document's 'servers': write "
                                       "$ref: '#/servers/NAME'",
                                       object.what()));
  }
}

void read_channel(Reading& reading, const Object& object, Channel& channel) {
  object.only({"address", "messages", "title", "summary", "description", "servers", "parameters", "tags",
               "externalDocs", "bindings"});
  channel.title = object.text("title");
  channel.summary = object.text("summary");
  read_address(reading, object, channel);
  read_channel_servers(reading, object, channel);
  read_parameters(reading, object, channel);
  read_messages(reading, object, channel);
  read_storage(reading, object, channel);
}

void read_enum(Reading& reading, const Object& object, Parameter& parameter) {
  const Node* values = object.sequence("enum");
  if (!values) return;
  for (const Node* value : values->items) {
    if (value->kind == Kind::String) {
      parameter.enum_values.push_back(value->text);
    } else {
      reading.findings.error(
          value->where(), "asyncapi/type",
          fmt::format("a value of {} must be a string, not {}: put it in quotes", object.what(), name(value->kind)));
    }
  }
}

}  // namespace

void read_parameters(Reading& reading, const Object& channel, Channel& out) {
  const Node* parameters = channel.mapping("parameters");
  if (!parameters) return;
  for (std::size_t i = 0; i < parameters->members.size(); ++i) {
    const Member& member = parameters->members[i];
    Parameter& parameter = out.parameters.emplace_back();
    parameter.name = member.key;
    parameter.where = parameters->key_where(i);
    if (member.value->kind == Kind::Null) continue;  // `userId:` with nothing behind it says all there is to say
    const Object object = reading.object(member.value, fmt::format("the parameter '{}'", member.key), parameter.where);
    if (!object) continue;
    object.only({"enum", "default", "description", "examples", "location"});
    read_enum(reading, object, parameter);
    if (object.get("default")) parameter.default_value = object.text("default");
    parameter.location = object.text("location");
    parameter.description = object.text("description");
  }
}

void read_messages(Reading& reading, const Object& channel, Channel& out) {
  const Node* messages = channel.mapping("messages");
  reading.messages.push_back(messages);
  if (!messages) return;
  for (std::size_t i = 0; i < messages->members.size(); ++i) {
    const Member& member = messages->members[i];
    Message& message = out.messages.emplace_back();
    message.key = member.key;
    message.name = member.key;
    message.content_type = reading.default_content_type;
    message.where = messages->key_where(i);
    message.name_where = message.where;
    Object object = reading.object(member.value, fmt::format("the message '{}'", member.key), message.where);
    if (!object) continue;
    object.apply_traits();
    object.only({"headers", "payload", "correlationId", "contentType", "name", "title", "summary", "description",
                 "tags", "externalDocs", "bindings", "examples", "traits"});
    if (const Node* own = object.get("name")) {
      message.name = object.text("name");
      message.name_where = own->where();
    }
    if (object.get("contentType")) message.content_type = object.text("contentType");
    message.title = object.text("title");
    message.summary = object.text("summary");
    if (const Node* payload = object.get("payload")) reading.schemas.check(payload);
    if (const Node* headers = object.get("headers")) reading.schemas.check(headers);
  }
}

void read_channels(Reading& reading, const Object& root) {
  reading.channels = root.mapping("channels");
  if (!reading.channels) return;
  for (std::size_t i = 0; i < reading.channels->members.size(); ++i) {
    const Member& member = reading.channels->members[i];
    Channel& channel = reading.contract.channels.emplace_back();
    channel.key = member.key;
    channel.where = reading.channels->key_where(i);
    const Object object = reading.object(member.value, fmt::format("the channel '{}'", member.key), channel.where);
    if (object) {
      read_channel(reading, object, channel);
    } else {
      reading.messages.push_back(nullptr);
    }
  }
}

}  // namespace contract
