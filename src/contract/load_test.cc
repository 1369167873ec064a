// SPDX-License-Identifier: Apache-2.0
// What a person writes and the model that comes of it.
#include "contract/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contract/load_testing.h"

namespace contract {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kSocial = R"(asyncapi: 3.0.0
info: {title: Social, version: '1.0', description: Likes}
defaultContentType: application/cbor
servers:
  web:
    host: '{region}.example.com:{port}'
    protocol: WSS
    pathname: /api/{version}/
    variables:
      region: {default: eu}
      port: {enum: ['443', '8443']}
      version: {$ref: '#/components/serverVariables/version'}
    security: [{type: apiKey, in: user}]
  bus: {host: 'kafka:9092', protocol: kafka}
channels:
  likes:
    address: /comments/{commentId}/likes/{kind}
    title: Likes
    summary: Who likes what
    servers: [{$ref: '#/servers/web'}]
    parameters:
      kind: {enum: [up, down], default: up}
      commentId: {description: Of the comment, location: $message.payload#/id}
    messages:
      liked: {name: comment.liked, title: Liked, summary: s, contentType: application/json, payload: {type: object}}
      unliked: {payload: {type: object}}
    x-tidewire: {durability: ephemeral, partitions: 1, key: $message.payload#/id}
  orders:
    address: orders
    x-tidewire: {retention: {age: P7D, bytes: 64KiB}}
    bindings: {kafka: {topicConfiguration: {retention.ms: 1000, retention.bytes: -1}}}
  audit:
    address: audit
    bindings: {kafka: {topicConfiguration: {retention.ms: 604800000, retention.bytes: -1}}}
operations:
  onLike:
    action: receive
    channel: {$ref: '#/channels/likes'}
    messages: [{$ref: '#/channels/likes/messages/unliked'}]
    bindings: {http: {method: put}}
    security: [{type: http, scheme: basic}]
    reply: {channel: {$ref: '#/channels/orders'}}
  sendOrder: {action: send, channel: {$ref: '#/channels/orders'}}
components:
  serverVariables: {version: {default: v2}}
)";

TEST(Load, reads_the_document_and_its_servers) {
  const Contract contract = loaded(kSocial);
  EXPECT_EQ(contract.file, "contract.yaml");
  EXPECT_EQ(contract.asyncapi, "3.0.0");
  EXPECT_EQ(contract.info.title, "Social");
  EXPECT_EQ(contract.info.version, "1.0");
  EXPECT_EQ(contract.info.description, "Likes");
  ASSERT_EQ(contract.servers.size(), 2u);
  EXPECT_EQ(contract.servers[0].protocol, "wss");
  EXPECT_EQ(contract.servers[0].host, "eu.example.com:443");
  EXPECT_EQ(contract.servers[0].pathname, "/api/v2");
  EXPECT_TRUE(contract.servers[0].has_security);
  EXPECT_EQ(contract.servers[0].where, (Where{"contract.yaml", 5, 3}));
  EXPECT_EQ(contract.servers[1].pathname, "");
  EXPECT_FALSE(contract.servers[1].has_security);
}

TEST(Load, reads_channels_with_parameters_in_the_order_of_the_address) {
  const Contract contract = loaded(kSocial);
  ASSERT_EQ(contract.channels.size(), 3u);
  const Channel& likes = contract.channels[0];
  EXPECT_EQ(likes.key, "likes");
  EXPECT_EQ(likes.address, "comments/{commentId}/likes/{kind}");
  EXPECT_EQ(likes.title, "Likes");
  EXPECT_EQ(likes.summary, "Who likes what");
  EXPECT_THAT(likes.servers, ElementsAre(0));
  EXPECT_THAT(contract.channels[1].servers, IsEmpty());
  ASSERT_EQ(likes.parameters.size(), 2u);
  EXPECT_EQ(likes.parameters[0].name, "commentId");
  EXPECT_EQ(likes.parameters[0].location, "$message.payload#/id");
  EXPECT_EQ(likes.parameters[0].description, "Of the comment");
  EXPECT_EQ(likes.parameters[0].default_value, std::nullopt);
  EXPECT_THAT(likes.parameters[1].enum_values, ElementsAre("up", "down"));
  EXPECT_EQ(likes.parameters[1].default_value, "up");
  EXPECT_EQ(likes.where, (Where{"contract.yaml", 16, 3}));
  EXPECT_EQ(likes.address_where, (Where{"contract.yaml", 17, 14}));
}

TEST(Load, names_messages_by_name_else_by_key) {
  const Contract contract = loaded(kSocial);
  const std::vector<Message>& messages = contract.channels[0].messages;
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0].key, "liked");
  EXPECT_EQ(messages[0].name, "comment.liked");
  EXPECT_EQ(messages[0].content_type, "application/json");
  EXPECT_EQ(messages[0].title, "Liked");
  EXPECT_EQ(messages[1].name, "unliked");
  EXPECT_EQ(messages[1].content_type, "application/cbor");
}

TEST(Load, reads_durability_and_retention_with_kafka_where_the_extension_is_silent) {
  const Contract contract = loaded(kSocial);
  EXPECT_EQ(contract.channels[0].durability, Durability::Ephemeral);
  EXPECT_EQ(contract.channels[0].partition_key, "$message.payload#/id");
  EXPECT_EQ(contract.channels[0].retention.age_ms, std::nullopt);
  EXPECT_EQ(contract.channels[0].retention.bytes, std::nullopt);
  EXPECT_EQ(contract.channels[1].durability, Durability::Durable);
  EXPECT_EQ(contract.channels[1].retention.age_ms, 604'800'000);
  EXPECT_EQ(contract.channels[1].retention.bytes, 65'536u);
  EXPECT_EQ(contract.channels[2].retention.age_ms, 604'800'000);
  EXPECT_EQ(contract.channels[2].retention.bytes, kRetentionUnlimitedBytes);
}

TEST(Load, reads_operations) {
  const Contract contract = loaded(kSocial);
  ASSERT_EQ(contract.operations.size(), 2u);
  const Operation& on_like = contract.operations[0];
  EXPECT_EQ(on_like.action, Action::Receive);
  EXPECT_EQ(on_like.channel, 0u);
  EXPECT_THAT(on_like.messages, ElementsAre(1));
  EXPECT_EQ(on_like.http_method, "PUT");
  EXPECT_TRUE(on_like.has_security);
  EXPECT_TRUE(on_like.has_reply);
  const Operation& send_order = contract.operations[1];
  EXPECT_EQ(send_order.action, Action::Send);
  EXPECT_EQ(send_order.channel, 1u);
  EXPECT_THAT(send_order.messages, IsEmpty());
  EXPECT_EQ(send_order.http_method, std::nullopt);
  EXPECT_FALSE(send_order.has_security);
  EXPECT_FALSE(send_order.has_reply);
  EXPECT_THAT(contract.warnings, IsEmpty());
}

TEST(Load, reads_the_same_from_json) {
  const LoadOutcome outcome =
      load_files({{"a.json", R"({"asyncapi": "3.1.2-rc.1", "info": {"title": "T", "version": "1"},
    "channels": {"a/b": {"address": "x/{y}", "parameters": {"y": {}}, "messages": {"m": {}}}},
    "operations": {"o": {"action": "send", "channel": {"$ref": "#/channels/a~1b"}}}})"}});
  ASSERT_TRUE(outcome.contract) << to_json(outcome.findings);
  EXPECT_EQ(outcome.contract->asyncapi, "3.1.2-rc.1");
  EXPECT_EQ(outcome.contract->channels[0].address, "x/{y}");
  EXPECT_EQ(outcome.contract->channels[0].where, (Where{"a.json", 2, 18}));
  EXPECT_EQ(outcome.contract->operations[0].channel, 0u);
}

TEST(Load, content_type_is_json_when_nobody_says_otherwise) {
  const Contract contract = loaded(
      "asyncapi: 3.0.0\ninfo: {title: T, version: '1'}\n"
      "channels: {a: {address: a, messages: {m: {}}}}\n");
  EXPECT_EQ(contract.channels[0].messages[0].content_type, "application/json");
}

TEST(Load, a_trait_fills_what_its_target_leaves_open_and_the_last_one_wins) {
  const Contract contract = loaded(R"(asyncapi: 3.0.0
info: {title: T, version: '1'}
channels:
  a:
    address: a
    messages:
      m:
        title: own
        traits:
          - {title: first, name: first, contentType: text/first}
          - {$ref: '#/components/messageTraits/second'}
operations:
  o:
    action: receive
    channel: {$ref: '#/channels/a'}
    bindings: {ws: {}}
    traits:
      - {bindings: {http: {method: PUT, bindingVersion: 0.3.0}}}
      - {bindings: {http: {method: PATCH}}, security: [{type: plain}]}
components:
  messageTraits:
    second: {title: second, name: second}
)");
  const Message& message = contract.channels[0].messages[0];
  EXPECT_EQ(message.title, "own");
  EXPECT_EQ(message.name, "second");
  EXPECT_EQ(message.content_type, "text/first");
  EXPECT_EQ(contract.operations[0].http_method, "PATCH");
  EXPECT_TRUE(contract.operations[0].has_security);
}

TEST(Load, the_target_hides_the_binding_of_a_trait) {
  const Contract contract = loaded(R"(asyncapi: 3.0.0
info: {title: T, version: '1'}
channels: {a: {address: a}}
operations:
  o:
    action: receive
    channel: {$ref: '#/channels/a'}
    bindings: {http: {method: DELETE}}
    traits: [{bindings: {http: {method: PUT}}}]
)");
  EXPECT_EQ(contract.operations[0].http_method, "DELETE");
}

TEST(Load, an_anchor_in_two_places_is_two_channels) {
  const LoadOutcome outcome = load_text(R"(asyncapi: 3.0.0
info: {title: T, version: '1'}
servers: {x: &s {host: a, protocol: http}, y: *s}
channels:
  a: &c {address: same, servers: [{$ref: '#/servers/x'}], messages: {m: {}}}
  b: *c
operations:
  o: {action: send, channel: {$ref: '#/channels/b'}}
)");
  ASSERT_EQ(outcome.findings.size(), 1u) << to_json(outcome.findings);
  EXPECT_EQ(outcome.findings[0].rule, "channel/duplicate");
}

TEST(Load, channels_of_different_servers_may_share_an_address) {
  const Contract contract = loaded(R"(asyncapi: 3.0.0
info: {title: T, version: '1'}
servers: {x: {host: a, protocol: http}, y: {host: b, protocol: ws}}
channels:
  a: {address: 'a/{x}', parameters: {x: {}}, servers: [{$ref: '#/servers/x'}]}
  b: {address: 'a/{y}', parameters: {y: }, servers: [{$ref: '#/servers/y'}]}
)");
  EXPECT_EQ(contract.channels.size(), 2u);
  EXPECT_THAT(contract.warnings, IsEmpty());
}

TEST(Load, a_missing_file_is_a_finding_and_an_error_of_the_system) {
  const LoadOutcome outcome = load("nowhere.yaml", [](const std::string&) -> base::Result<std::string> {
    return base::fail(base::Errc::System, "no such file", 2);
  });
  EXPECT_FALSE(outcome.contract);
  ASSERT_TRUE(outcome.unreadable);
  EXPECT_EQ(outcome.unreadable->sys_errno, 2);
  ASSERT_EQ(outcome.findings.size(), 1u);
  EXPECT_EQ(to_text(outcome.findings[0]),
            "nowhere.yaml: error: 'nowhere.yaml' cannot be read: no such file [file/unreadable]");
}

TEST(Load, a_contract_carries_its_warnings) {
  const LoadOutcome outcome =
      load_text("asyncapi: 3.0.0\ninfo: {title: T, version: '1'}\nchannels: {a: {address: null}}\n");
  ASSERT_TRUE(outcome.contract);
  EXPECT_EQ(outcome.contract->channels[0].address, std::nullopt);
  EXPECT_EQ(outcome.contract->warnings, outcome.findings);
  ASSERT_EQ(outcome.findings.size(), 1u);
  EXPECT_EQ(outcome.findings[0].rule, "channel/no-address");
}

// 1,000 channels, 1 MiB: what a large contract costs is bounded by this test's time limit, not by a clock of its own.
TEST(Load, reads_a_large_contract) {
  std::string text = "asyncapi: 3.0.0\ninfo: {title: T, version: '1'}\nchannels:\n";
  std::string operations = "operations:\n";
  for (int i = 0; i < 1'000; ++i) {
    const std::string n = std::to_string(i);
    text += "  c" + n + ":\n    address: tenants/{t}/c" + n + "/{id}\n    parameters: {t: {}, id: {}}\n" +
            "    messages:\n      m: {payload: {type: object, description: " + std::string(700, 'x') + "}}\n";
    operations += "  o" + n + ": {action: send, channel: {$ref: '#/channels/c" + n +
                  "'}, messages: [{$ref: '#/channels/c" + n + "/messages/m'}]}\n";
  }
  const Contract contract = loaded(text + operations);
  EXPECT_EQ(contract.channels.size(), 1'000u);
  EXPECT_EQ(contract.operations[999].channel, 999u);
  EXPECT_THAT(contract.warnings, IsEmpty());
}

}  // namespace
}  // namespace contract
