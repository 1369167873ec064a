// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "contract/read.h"

namespace contract {
namespace {

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

// The value that stands for a server variable: its default, else the first of its enum.
std::string variable_value(Reading& reading, const Object& server, std::string_view name, const Where& where) {
  const Node* variables = server.mapping("variables");
  const Node* node = variables ? variables->get(name) : nullptr;
  if (!node) {
    reading.findings.error(
        where, "asyncapi/server-variable",
        fmt::format("the variable '{}' is not defined: add it to 'variables' of {}", name, server.what()));
    return {};
  }
  const Object variable = reading.object(node, fmt::format("the variable '{}'", name), where);
  if (!variable) return {};
  if (variable.get("default")) return variable.text("default");
  const Node* values = variable.sequence("enum");
  if (values && !values->items.empty() && values->items[0]->kind == Kind::String) return values->items[0]->text;
  reading.findings.warning(node->where(), "asyncapi/server-variable",
                           fmt::format("the variable '{}' has no default, so it is left out: add one", name));
  return {};
}

// The field with each `{variable}` replaced.
std::string expanded(Reading& reading, const Object& server, std::string_view field, Need need) {
  const std::string text = server.text(field, need);
  const Where where = text.empty() ? server.where() : server.get(field)->where();
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t open = text.find('{', at);
    const std::size_t close = open == std::string::npos ? open : text.find('}', open);
    if (close == std::string::npos) break;
    out.append(text, at, open - at);
    out += variable_value(reading, server, std::string_view(text).substr(open + 1, close - open - 1), where);
    at = close + 1;
  }
  return out + text.substr(at);
}

void read_server(Reading& reading, const Object& object, Server& server) {
  object.only({"host", "protocol", "protocolVersion", "pathname", "description", "title", "summary", "variables",
               "security", "tags", "externalDocs", "bindings"});
  server.protocol = lower(object.text("protocol", Need::Required));
  server.host = expanded(reading, object, "host", Need::Required);
  if (server.host.find('/') != std::string::npos) {
    reading.findings.error(object.get("host")->where(), "asyncapi/server-host",
                           "a host is a name and perhaps a port: move the path to 'pathname', drop the scheme");
  }
  server.pathname = expanded(reading, object, "pathname", Need::Optional);
  while (server.pathname.ends_with('/')) server.pathname.pop_back();
  if (!server.pathname.empty() && server.pathname[0] != '/') server.pathname.insert(0, "/");
  const Node* security = object.sequence("security");
  server.has_security = security && !security->items.empty();
}

}  // namespace

void read_servers(Reading& reading, const Object& root) {
  reading.servers = root.mapping("servers");
  if (!reading.servers) return;
  for (std::size_t i = 0; i < reading.servers->members.size(); ++i) {
    const Member& member = reading.servers->members[i];
    Server& server = reading.contract.servers.emplace_back();
    server.key = member.key;
    server.where = reading.servers->key_where(i);
    const Object object = reading.object(member.value, fmt::format("the server '{}'", member.key), server.where);
    if (object) read_server(reading, object, server);
  }
}

}  // namespace contract
