// SPDX-License-Identifier: Apache-2.0
// Whatever the bytes are, load() returns, and says where it stopped.
#include <gtest/gtest.h>

#include "contract/load_testing.h"

namespace contract {
namespace {

constexpr std::string_view kYaml = R"(asyncapi: 3.0.0
info: {title: "caf\u00e9 é", version: '1'}
servers: {s: &s {host: 'h:{p}', protocol: ws, variables: {p: {default: '1'}}}}
channels:
  a:
    address: 'a/{id}-{x}'
    servers: [{$ref: '#/servers/s'}]
    parameters: {id: {enum: [b, c]}, x: {$ref: '#/components/parameters/x'}}
    messages:
      m: {$ref: '#/components/messages/m'}
    x-tidewire: {retention: {age: PT12H, bytes: 64KiB}}
operations:
  o:
    action: send
    channel: {$ref: '#/channels/a'}
    messages:
      - $ref: '#/channels/a/messages/m'
    traits: [{bindings: {http: {method: PUT}}}]
components:
  parameters: {x: {}}
  messages:
    m:
      payload: {properties: {c: {$ref: '#/components/messages/m/payload'}}}
      summary: >-
        folded
        text
)";

constexpr std::string_view kJson =
    R"({"asyncapi": "3.0.0", "info": {"title": "caf\u00e9 é \ud83d\ude00", "version": "1"},
 "channels": {"a": {"address": "a/{id}", "parameters": {"id": {}}, "messages": {"m": {"payload": true}},
   "x-tidewire": {"partitions": 1, "retention": {"bytes": 1024}}}},
 "operations": {"o": {"action": "send", "channel": {"$ref": "#/channels/a"}}}, "x-n": [1.5e-3, null, false]})";

void expect_located(const LoadOutcome& outcome, std::size_t at) {
  EXPECT_NE(outcome.contract.has_value(), has_errors(outcome.findings)) << at;
  for (const Finding& finding : outcome.findings) EXPECT_GT(finding.where.line, 0u) << at << to_text(finding);
}

TEST(Robustness, both_documents_are_good_as_a_whole) {
  EXPECT_TRUE(load_text(kYaml).contract) << to_json(load_text(kYaml).findings);
  const LoadOutcome json = load_files({{"a.json", std::string(kJson)}});
  EXPECT_TRUE(json.contract) << to_json(json.findings);
}

TEST(Robustness, every_prefix_gives_a_contract_or_located_errors) {
  for (std::size_t size = 0; size < kYaml.size(); ++size) expect_located(load_text(kYaml.substr(0, size)), size);
  for (std::size_t size = 0; size < kJson.size(); ++size) {
    const LoadOutcome outcome = load_files({{"a.json", std::string(kJson.substr(0, size))}});
    expect_located(outcome, size);
    EXPECT_FALSE(outcome.contract) << size;
  }
}

TEST(Robustness, every_replaced_byte_gives_a_contract_or_located_errors) {
  for (const char replacement : {'\0', '\xff', '{', '"', '\n', '*', '/', '9'}) {
    for (std::size_t at = 0; at < kYaml.size(); ++at) {
      std::string text(kYaml);
      text[at] = replacement;
      expect_located(load_text(text), at);
    }
    for (std::size_t at = 0; at < kJson.size(); ++at) {
      std::string text(kJson);
      text[at] = replacement;
      expect_located(load_files({{"a.json", text}}), at);
    }
  }
}

TEST(Robustness, every_removed_line_gives_a_contract_or_located_errors) {
  for (std::size_t begin = 0; begin < kYaml.size();) {
    const std::size_t end = kYaml.find('\n', begin) + 1;
    expect_located(load_text(std::string(kYaml.substr(0, begin)) + std::string(kYaml.substr(end))), begin);
    begin = end;
  }
}

TEST(Robustness, contracts_that_refer_to_themselves_end) {
  for (const char* body :
       {"channels: {$ref: '#/channels'}\n", "channels: {a: {$ref: '#/channels/a'}}\n",
        "channels: {a: {$ref: '#/channels/b'}, b: {$ref: '#/channels/a'}}\n",
        "channels: {a: {address: a, messages: {$ref: '#/channels/a'}}}\n",
        "channels: {a: {address: a, messages: {m: {payload: {$ref: '#/channels/a/messages/m'}}}}}\n",
        "channels: {a: {address: a, messages: {m: {traits: [{$ref: '#/channels/a/messages/m'}]}}}}\n",
        "channels: {a: {address: a, messages: {m: {payload: {$ref: ''}}}}}\n"}) {
    const LoadOutcome outcome = load_text("asyncapi: 3.0.0\ninfo: {title: T, version: '1'}\n" + std::string(body));
    EXPECT_NE(outcome.contract.has_value(), has_errors(outcome.findings)) << body;
  }
}

}  // namespace
}  // namespace contract
