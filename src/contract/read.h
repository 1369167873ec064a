// SPDX-License-Identifier: Apache-2.0
#pragma once
// From the located tree to the model, part by part; used by load() only, in this order.
//
// Every entry of `servers`, `channels` and a channel's `messages` becomes an element of the model at the same index,
// even one that was reported, so that a reference to the n-th entry is a reference to the n-th element.
#include <string>
#include <vector>

#include "contract/model.h"
#include "contract/object.h"
#include "contract/schema_references.h"

namespace contract {

struct Reading {
  References& references;
  Findings& findings;
  SchemaReferences& schemas;
  Contract& contract;
  const Node* servers = nullptr;           // the mapping, null if there is none
  const Node* channels = nullptr;          // likewise
  std::vector<const Node*> messages = {};  // by channel: its mapping of messages, null if there is none
  std::string default_content_type = {};

  Object object(const Node* node, std::string what, Where where) {
    return Object(references, findings, node, std::move(what), std::move(where));
  }
};

// False if this is no AsyncAPI document of a version that is served.
bool read_version(Reading&, const Node& root);

void read_info(Reading&, const Object& root);
void read_servers(Reading&, const Object& root);
void read_channels(Reading&, const Object& root);
void read_operations(Reading&, const Object& root);

// The parts of a channel with rules of their own.
void read_storage(Reading&, const Object& channel, Channel& out);     // x-tidewire and the Kafka binding
void read_parameters(Reading&, const Object& channel, Channel& out);  // `parameters`
void read_messages(Reading&, const Object& channel, Channel& out);    // `messages`

// A JSON Pointer with these names, as a reference within the same file: "#/channels/a~1b".
std::string local_reference(const std::vector<std::string_view>& names);

}  // namespace contract
