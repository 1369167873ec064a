// SPDX-License-Identifier: Apache-2.0
// Each rule: a document that breaks it, and exactly the finding that it gives, at the place to be changed.
#include <gtest/gtest.h>

#include "contract/load_testing.h"

namespace contract {
namespace {

// Two lines, so that what a test adds begins on line 3.
const std::string kHead = "asyncapi: 3.0.0\ninfo: {title: T, version: '1'}\n";

// All findings of a document, one a line, without the name of the file.
std::string findings_of(const std::string& text) {
  std::string out;
  for (const Finding& finding : load_text(text).findings) {
    out += (out.empty() ? "" : "\n") + to_text(finding).substr(std::string("contract.yaml:").size());
  }
  return out;
}

std::string findings_below_head(const std::string& text) { return findings_of(kHead + text); }

// "line:column: severity ... [rule]" of the only finding.
std::string brief(const std::string& text) {
  const LoadOutcome outcome = load_text(kHead + text);
  if (outcome.findings.size() != 1) return to_json(outcome.findings);
  const Finding& finding = outcome.findings[0];
  EXPECT_EQ(outcome.contract.has_value(), finding.severity != Severity::Error);
  return std::to_string(finding.where.line) + ":" + std::to_string(finding.where.column) + " " +
         std::string(name(finding.severity)) + " " + finding.rule;
}

TEST(Rules, version_3_0_and_3_1_are_served_whatever_their_patch) {
  for (const std::string version : {"3.0.0", "3.1.0", "3.0.17", "3.1.0-rc.1"}) {
    EXPECT_EQ(findings_of("asyncapi: " + version + "\ninfo: {title: T, version: '1'}\n"), "") << version;
  }
  for (const std::string version :
       {"3.2.0", "4.0.0", "3.0", "'3'", "3.0.x", "3.0.", "x", "3.0.0.0", "3.00.0", "'3.0'"}) {
    const std::string found = findings_of("asyncapi: " + version + "\ninfo: {title: T, version: '1'}\n");
    EXPECT_EQ(found.substr(0, 12), "1:11: error:") << version << ": " << found;
    EXPECT_NE(found.find("[asyncapi/version]"), std::string::npos) << version;
  }
}

TEST(Rules, version_2_is_refused_with_the_way_out) {
  EXPECT_EQ(findings_of("asyncapi: 2.6.0\ninfo: {}\n"),
            "1:11: error: AsyncAPI 2.x is not served by this version; convert it with "
            "'asyncapi convert FILE --target-version 3.0.0' [asyncapi/version]");
}

TEST(Rules, other_documents_are_told_apart) {
  EXPECT_EQ(findings_of("openapi: 3.1.0\n"),
            "1:10: error: this is an OpenAPI document; an AsyncAPI document is expected [asyncapi/version]");
  EXPECT_EQ(findings_of("a: 1\n"),
            "1:1: error: this is no AsyncAPI document: begin it with 'asyncapi: 3.0.0' [asyncapi/version]");
  EXPECT_EQ(findings_of("- a\n"), "1:1: error: an AsyncAPI document is a mapping, not a sequence [asyncapi/version]");
}

TEST(Rules, info_needs_a_title_and_a_version) {
  EXPECT_EQ(findings_of("asyncapi: 3.0.0\n"),
            "1:1: error: the document needs 'info' with a title and a version [asyncapi/required]");
  EXPECT_EQ(findings_of("asyncapi: 3.0.0\ninfo: {version: 1.0}\n"),
            "2:7: error: 'info' of the document needs 'title': add it [asyncapi/required]\n"
            "2:17: error: 'version' of 'info' of the document must be a string, not a number: put it in quotes "
            "[asyncapi/type]");
}

TEST(Rules, unknown_fields_are_errors_and_extensions_are_not) {
  EXPECT_EQ(findings_below_head("x-own: 1\nchannels:\n  a: {adress: a, address: a, x-mine: {}}\n"),
            "5:7: error: 'adress' is no field of the channel 'a', did you mean 'address': remove it, or begin its name "
            "with 'x-' [asyncapi/unknown-field]");
  EXPECT_EQ(brief("servers: {s: {host: a, protocol: ws, url: b}}\n"), "3:38 error asyncapi/unknown-field");
  EXPECT_EQ(brief("channel: {}\n"), "3:1 error asyncapi/unknown-field");
  EXPECT_EQ(brief("channels: {a: {address: a, messages: {m: {schema: {}}}}}\n"), "3:43 error asyncapi/unknown-field");
}

TEST(Rules, wrong_types_are_located) {
  EXPECT_EQ(brief("channels: []\n"), "3:11 error asyncapi/type");
  EXPECT_EQ(brief("channels: {a: x}\n"), "3:15 error asyncapi/type");
  EXPECT_EQ(brief("channels: {a: {address: 5}}\n"), "3:25 error asyncapi/type");
  EXPECT_EQ(brief("channels: {a: {address: a, title: [x]}}\n"), "3:35 error asyncapi/type");
  EXPECT_EQ(brief("channels: {a: {address: '{p}', parameters: {p: {enum: [1]}}}}\n"), "3:56 error asyncapi/type");
  EXPECT_EQ(brief("channels: {a: {address: a, messages: {m: null}}}\n"), "3:42 error asyncapi/type");
}

TEST(Rules, servers_need_a_host_and_a_protocol) {
  EXPECT_EQ(brief("servers:\n  s: {host: a}\n"), "4:3 error asyncapi/required");
  EXPECT_EQ(brief("servers:\n  s: {protocol: ws}\n"), "4:3 error asyncapi/required");
  EXPECT_EQ(brief("servers:\n  s: {protocol: ws, host: 'ws://a/b'}\n"), "4:27 error asyncapi/server-host");
}

TEST(Rules, server_variables_are_defined) {
  EXPECT_EQ(brief("servers:\n  s: {protocol: ws, host: 'a:{port}'}\n"), "4:27 error asyncapi/server-variable");
  EXPECT_EQ(brief("servers:\n  s: {protocol: ws, host: 'a{p}', variables: {p: {}}}\n"),
            "4:50 warning asyncapi/server-variable");
}

TEST(Rules, a_channel_without_address_is_reported) {
  EXPECT_EQ(brief("channels:\n  a: {address: null}\n"), "4:16 warning channel/no-address");
  EXPECT_EQ(brief("channels:\n  a: {title: x}\n"), "4:3 warning channel/no-address");
}

TEST(Rules, addresses_are_well_formed) {
  EXPECT_EQ(findings_below_head("channels:\n  a: {address: 'a?b'}\n"),
            "4:16: error: the address 'a?b' cannot be served: an address cannot contain '*', '?', '#' or control "
            "characters [channel/address]");
  EXPECT_EQ(findings_below_head("channels:\n  'a?b': {address: 'a'}\n"), "");  // the key is another matter
  EXPECT_EQ(brief("channels:\n  a: {address: '{x}{y}', parameters: {x: {}, y: {}}}\n"), "4:16 error channel/address");
}

TEST(Rules, addresses_below_the_servers_own_path_are_refused) {
  EXPECT_EQ(brief("channels:\n  a: {address: /.tidewire/x}\n"), "4:16 error channel/reserved");
  EXPECT_EQ(brief("channels:\n  a: {address: .tidewire}\n"), "4:16 error channel/reserved");
  EXPECT_EQ(findings_below_head("channels:\n  a: {address: x/.tidewire}\n  b: {address: .tidewirex}\n"), "");
}

TEST(Rules, parameters_are_declared_and_used) {
  EXPECT_EQ(findings_below_head("channels:\n  a: {address: 'a/{id}'}\n"),
            "4:16: error: the parameter 'id' is not declared: add it to 'parameters' of the channel 'a' "
            "[channel/parameter-undeclared]");
  EXPECT_EQ(findings_below_head("channels:\n  a: {address: 'a', parameters: {id: {}}}\n"),
            "4:34: error: the address 'a' has no parameter 'id': remove it here or write {id} there "
            "[channel/parameter-unused]");
}

TEST(Rules, parameter_values_can_stand_in_an_address) {
  EXPECT_EQ(brief("channels:\n  a: {address: '{p}', parameters: {p: {enum: [a/b]}}}\n"), "4:36 error parameter/value");
  EXPECT_EQ(brief("channels:\n  a: {address: '{p}', parameters: {p: {default: '..'}}}\n"),
            "4:36 error parameter/value");
  EXPECT_EQ(brief("channels:\n  a: {address: '{p}', parameters: {p: {enum: [a], default: b}}}\n"),
            "4:36 error parameter/default");
}

TEST(Rules, channel_servers_are_references_into_servers) {
  const std::string servers = "servers: {s: {host: a, protocol: ws}}\n";
  EXPECT_EQ(brief(servers + "channels:\n  a: {address: a, servers: [{$ref: '#/servers/t'}]}\n"),
            "5:36 error reference/unresolved");
  EXPECT_EQ(brief(servers + "channels:\n  a: {address: a, servers: [{$ref: '#/info'}]}\n"),
            "5:29 error channel/server");
  EXPECT_EQ(brief(servers + "channels:\n  a: {address: a, servers: [s]}\n"), "5:29 error channel/server");
}

TEST(Rules, two_channels_cannot_have_one_identity_on_a_shared_server) {
  EXPECT_EQ(findings_below_head("channels:\n  a: {address: 'a/{x}', parameters: {x: {}}}\n"
                                "  b: {address: '/a/{y}', parameters: {y: {}}}\n"),
            "5:16: error: 'a/{y}' is the address of the channel 'a' (line 4) already: join the two, or give them "
            "different servers [channel/duplicate]");
}

TEST(Rules, overlapping_templates_are_a_warning) {
  EXPECT_EQ(findings_below_head("channels:\n  a: {address: 'a/{x}', parameters: {x: {}}}\n  b: {address: a/b}\n"),
            "5:16: warning: 'a/b' and 'a/{x}' (line 4) match some of the same addresses: literal segments win over "
            "parameters [channel/overlap]");
  EXPECT_EQ(
      findings_below_head("servers: {s: {host: a, protocol: ws}, t: {host: b, protocol: ws}}\n"
                          "channels:\n  a: {address: 'a/{x}', parameters: {x: {}}, servers: [{$ref: '#/servers/s'}]}\n"
                          "  b: {address: a/b, servers: [{$ref: '#/servers/t'}]}\n"),
      "");
  EXPECT_EQ(brief("servers: {s: {host: a, protocol: ws}, t: {host: b, protocol: ws}}\n"
                  "channels:\n  a: {address: a/b, servers: [{$ref: '#/servers/s'}]}\n"
                  "  b: {address: a/b, servers: [{$ref: '#/servers/t'}]}\n"
                  "  c: {address: 'a/{x}', parameters: {x: {}}, servers: [{$ref: '#/servers/t'}]}\n"),
            "7:16 warning channel/overlap");
}

TEST(Rules, message_names_that_a_browser_or_the_server_needs_are_refused) {
  for (const std::string name : {"open", "error", "tidewire.reset", "tidewire"}) {
    EXPECT_EQ(brief("channels:\n  a: {address: a, messages: {m: {name: " + name + "}}}\n"),
              "4:40 error message/name-reserved")
        << name;
    EXPECT_EQ(brief("channels:\n  a: {address: a, messages: {" + name + ": {}}}\n"),
              "4:30 error message/name-reserved");
    EXPECT_EQ(findings_below_head("channels:\n  a: {address: a, messages: {" + name + ": {name: fine}}}\n"), "");
  }
  EXPECT_EQ(findings_below_head("channels:\n  a: {address: a, messages: {m: {name: opened}, tidewires: {}}}\n"), "");
}

TEST(Rules, message_names_fit_a_line) {
  EXPECT_EQ(brief("channels:\n  a: {address: a, messages: {m: {name: \"a\\nb\"}}}\n"), "4:40 error message/name");
  EXPECT_EQ(brief("channels:\n  a: {address: a, messages: {m: {name: ''}}}\n"), "4:40 error message/name");
  EXPECT_EQ(brief("channels:\n  a: {address: a, messages: {m: {name: " + std::string(257, 'a') + "}}}\n"),
            "4:40 error message/name");
}

TEST(Rules, two_messages_of_a_channel_differ_in_name) {
  EXPECT_EQ(brief("channels:\n  a: {address: a, messages: {m: {}, n: {name: m}}}\n"), "4:47 error message/name-twice");
}

const std::string kTwoChannels =
    "channels:\n"
    "  a: {address: a, messages: {m: {$ref: '#/components/messages/m'}}}\n"
    "  b: {address: b, messages: {n: {}}}\n"
    "components: {messages: {m: {}}, channels: {c: {}}}\n"
    "operations:\n";

TEST(Rules, an_operation_has_an_action_and_a_channel_of_the_document) {
  EXPECT_EQ(brief(kTwoChannels + "  o: {channel: {$ref: '#/channels/a'}}\n"), "8:3 error asyncapi/required");
  EXPECT_EQ(brief(kTwoChannels + "  o: {action: publish, channel: {$ref: '#/channels/a'}}\n"),
            "8:15 error operation/action");
  EXPECT_EQ(brief(kTwoChannels + "  o: {action: send}\n"), "8:3 error asyncapi/required");
  EXPECT_EQ(brief(kTwoChannels + "  o: {action: send, channel: a}\n"), "8:30 error operation/channel");
  EXPECT_EQ(brief(kTwoChannels + "  o: {action: send, channel: {$ref: '#/components/channels/c'}}\n"),
            "8:37 error operation/channel");
  EXPECT_EQ(brief(kTwoChannels + "  o: {action: send, channel: {$ref: '#/channels/c'}}\n"),
            "8:37 error reference/unresolved");
}

TEST(Rules, an_operation_that_bypasses_its_channel_is_told_the_right_pointer) {
  EXPECT_EQ(findings_below_head("channels: {a/b: {$ref: '#/components/channels/c'}}\n"
                                "components: {channels: {c: {address: a}}}\n"
                                "operations: {o: {action: send, channel: {$ref: '#/components/channels/c'}}}\n"),
            "5:48: error: '#/components/channels/c' is no channel of this document: write '#/channels/a~1b' "
            "[operation/channel]");
}

TEST(Rules, messages_of_an_operation_belong_to_its_channel) {
  const std::string operation = kTwoChannels + "  o: {action: send, channel: {$ref: '#/channels/a'}, messages: [";
  EXPECT_EQ(findings_below_head(operation + "{$ref: '#/channels/a/messages/m'}]}\n"), "");
  EXPECT_EQ(findings_below_head(operation + "{$ref: '#/components/messages/m'}]}\n"),
            "8:72: error: '#/components/messages/m' is no message of the channel of the operation 'o': write $ref: "
            "'#/channels/a/messages/m' [operation/message]");
  EXPECT_EQ(brief(operation + "{$ref: '#/channels/b/messages/n'}]}\n"), "8:72 error operation/message");
  EXPECT_EQ(brief(operation + "m]}\n"), "8:65 error operation/message");
  EXPECT_EQ(brief(operation + "{$ref: '#/channels/a/messages/x'}]}\n"), "8:72 error reference/unresolved");
}

TEST(Rules, a_reply_goes_to_a_channel_of_the_document_with_its_messages) {
  const std::string operation =
      kTwoChannels + "  o:\n    action: send\n    channel: {$ref: '#/channels/a'}\n    reply: ";
  EXPECT_EQ(findings_below_head(operation +
                                "{channel: {$ref: '#/channels/b'}, messages: [{$ref: '#/channels/b/messages/n'}]}\n"),
            "");
  EXPECT_EQ(brief(operation + "{channel: {$ref: '#/info'}}\n"), "11:29 error operation/channel");
  EXPECT_EQ(brief(operation + "{channel: {$ref: '#/channels/b'}, messages: [{$ref: '#/channels/a/messages/m'}]}\n"),
            "11:64 error operation/message");
}

TEST(Rules, http_methods_that_cannot_publish_are_ignored_with_a_warning) {
  const std::string operation =
      kTwoChannels + "  o:\n    action: receive\n    channel: {$ref: '#/channels/a'}\n    bindings: ";
  for (const std::string method : {"GET", "HEAD", "OPTIONS"}) {
    EXPECT_EQ(brief(operation + "{http: {method: " + method + "}}\n"), "11:31 warning http/method");
    EXPECT_EQ(loaded(kHead + operation + "{http: {method: " + method + "}}\n").operations[0].http_method, std::nullopt);
  }
  EXPECT_EQ(
      findings_below_head(operation + "{http: {method: PSOT}}\n"),
      "11:31: error: 'PSOT' is no method of the http binding, did you mean 'POST': write POST, PUT, PATCH or DELETE "
      "[http/method]");
}

std::string with_extension(const std::string& extension) {
  return brief("channels:\n  a:\n    address: a\n    x-tidewire: " + extension + "\n");
}

TEST(Rules, the_extension_of_a_channel_has_known_keys) {
  EXPECT_EQ(findings_below_head("channels:\n  a:\n    address: a\n    x-tidewire: {durablity: ephemeral}\n"),
            "6:18: error: 'x-tidewire' of the channel 'a' has no 'durablity', did you mean 'durability': the keys are "
            "durability, retention, partitions, key [x-tidewire/unknown-key]");
  EXPECT_EQ(with_extension("{retention: {ages: 7d}}"), "6:30 error x-tidewire/unknown-key");
  EXPECT_EQ(with_extension("{x-mine: 1}"), "6:18 error x-tidewire/unknown-key");
}

TEST(Rules, the_extension_of_a_channel_has_sound_values) {
  EXPECT_EQ(with_extension("durable"), "6:17 error asyncapi/type");
  EXPECT_EQ(with_extension("{durability: forever}"), "6:30 error x-tidewire/value");
  EXPECT_EQ(with_extension("{durability: buffered}"), "6:30 note x-tidewire/buffered");
  EXPECT_EQ(with_extension("{retention: 7d}"), "6:29 error asyncapi/type");
  EXPECT_EQ(with_extension("{retention: {age: 7}}"), "6:35 error x-tidewire/value");
  EXPECT_EQ(with_extension("{retention: {age: 0s}}"), "6:35 error x-tidewire/value");
  EXPECT_EQ(with_extension("{retention: {bytes: 10GB}}"), "6:37 error x-tidewire/value");
  EXPECT_EQ(with_extension("{retention: {bytes: 0}}"), "6:37 error x-tidewire/value");
  EXPECT_EQ(with_extension("{partitions: 0}"), "6:30 error x-tidewire/value");
  EXPECT_EQ(with_extension("{partitions: '2'}"), "6:30 error x-tidewire/value");
  EXPECT_EQ(with_extension("{partitions: 2}"), "6:30 note x-tidewire/partitions");
  EXPECT_EQ(with_extension("{key: 1}"), "6:23 error asyncapi/type");
  EXPECT_EQ(with_extension("{durability: ephemeral, retention: {age: 7d}}"), "6:52 warning x-tidewire/retention");
}

TEST(Rules, kafka_retention_is_a_number) {
  EXPECT_EQ(brief("channels:\n  a:\n    address: a\n    bindings: {kafka: {topicConfiguration: {retention.ms: 7d}}}\n"),
            "6:59 error kafka/retention");
}

TEST(Rules, schemas_may_be_recursive_and_remote_ones_are_a_warning) {
  const std::string head = "channels: {a: {address: a, messages: {m: {payload: ";
  EXPECT_EQ(findings_below_head(head + "{$ref: '#/components/schemas/s'}}}}}\ncomponents:\n  schemas:\n    s:\n"
                                       "      properties: {child: {$ref: '#/components/schemas/s'}}\n"),
            "");
  EXPECT_EQ(brief(head + "{items: {$ref: 'https://example.com/x'}}}}}}\n"), "3:67 warning reference/remote");
  EXPECT_EQ(brief(head + "{items: {$ref: '#/nowhere'}}}}}}\n"), "3:67 error reference/unresolved");
  EXPECT_EQ(findings_below_head(head + "{properties: {default: {const: {$ref: '#/n'}}, $ref: {type: string}}}}}}}\n"),
            "");
  EXPECT_EQ(brief(head + "{properties: {default: {$ref: '#/n'}}}}}}}\n"), "3:82 error reference/unresolved");
}

TEST(Rules, remote_references_of_channels_and_messages_are_errors) {
  EXPECT_EQ(brief("channels: {a: {$ref: 'https://example.com/x'}}\n"), "3:22 error reference/remote");
  EXPECT_EQ(brief("channels: {a: {address: a, messages: {m: {$ref: 'https://example.com/x'}}}}\n"),
            "3:49 error reference/remote");
}

}  // namespace
}  // namespace contract
