// SPDX-License-Identifier: Apache-2.0
#include "engine/topics.h"

#include <gtest/gtest.h>

#include "contract/load_testing.h"

namespace engine {
namespace {

using Contracts = std::vector<std::pair<std::string, Role>>;

Topics::Built build(const Contracts& texts, ServerSelection selection = ServerSelection::AsTheContractSays) {
  std::vector<ContractInRole> contracts;
  for (const auto& [text, role] : texts)
    contracts.push_back({std::make_shared<const contract::Contract>(
                             contract::loaded("asyncapi: 3.0.0\ninfo: {title: t, version: 1.0.0}\n" + text)),
                         role});
  return Topics::build(contracts, selection);
}

std::unique_ptr<Topics> built(const std::string& text, ServerSelection selection = ServerSelection::AsTheContractSays) {
  auto outcome = build({{text, Role::Application}}, selection);
  EXPECT_TRUE(outcome.topics != nullptr) << contract::to_json(outcome.findings);
  return std::move(outcome.topics);
}

std::string rule_of(const Topics::Built& outcome) { return outcome.findings.empty() ? "" : outcome.findings[0].rule; }

// "channel key:address", or nothing.
std::string at(const Topics& topics, std::string_view path) {
  const auto found = topics.find(path);
  return found ? found->channel->key + ':' + std::string(found->address) : "";
}

std::string rights(const Channel& channel, Side side) {
  const Rights& rights = channel.rights_of(side);
  return std::string(rights.subscribe ? "s" : "") + (rights.publish ? "p" : "");
}

constexpr const char* kServers = R"(
servers:
  long: {host: h, protocol: https, pathname: /api/v1}
  short: {host: h, protocol: http, pathname: /api}
  again: {host: other, protocol: sse, pathname: /api}
  broker: {host: h, protocol: kafka}
channels:
  everywhere: {address: 'x/{id}', parameters: {id: {}}, messages: {m: {}}}
  short: {address: 'v1/{rest}', parameters: {rest: {}}, servers: [{$ref: '#/servers/short'}], messages: {m: {}}}
  kafka: {address: k, servers: [{$ref: '#/servers/broker'}], messages: {m: {}}}
  null: {address: null, messages: {m: {}}}
)";

TEST(Topics, are_mounted_under_the_pathnames_of_their_servers) {
  const auto topics = built(kServers);
  EXPECT_EQ(at(*topics, "/api/v1/x/1"), "everywhere:x/1");
  EXPECT_EQ(at(*topics, "/api/x/1"), "everywhere:x/1");
  EXPECT_EQ(at(*topics, "/x/1"), "");
  EXPECT_EQ(at(*topics, "/apix/1"), "");
  EXPECT_EQ(at(*topics, "/api/k"), "");
  EXPECT_EQ(topics->mounts().size(), 2u);
}

TEST(Topics, are_found_under_the_longest_pathname_first) {
  const auto topics = built(R"(
servers:
  short: {host: h, protocol: http}
  long: {host: h, protocol: http, pathname: /a}
channels:
  of_short: {address: 'a/{id}', parameters: {id: {}}, servers: [{$ref: '#/servers/short'}], messages: {m: {}}}
  of_long: {address: '{id}', parameters: {id: {}}, servers: [{$ref: '#/servers/long'}], messages: {m: {}}}
)");
  EXPECT_EQ(at(*topics, "/a/1"), "of_long:1");
  EXPECT_EQ(at(*topics, "/a/1/2"), "");
}

TEST(Topics, fall_back_to_a_shorter_pathname_when_the_longer_has_no_such_address) {
  EXPECT_EQ(at(*built(kServers), "/api/v1/y"), "short:v1/y");
}

TEST(Topics, say_which_channels_no_served_protocol_reaches) {
  const auto outcome = build({{kServers, Role::Application}});
  ASSERT_EQ(outcome.findings.size(), 1u);
  EXPECT_EQ(outcome.findings[0].rule, "serve/protocol");
  EXPECT_EQ(outcome.findings[0].severity, contract::Severity::Warning);
  EXPECT_NE(outcome.findings[0].sentence.find("`kafka`"), std::string::npos);
}

TEST(Topics, are_all_at_the_root_when_servers_are_ignored) {
  const auto topics = built(kServers, ServerSelection::IgnoreServers);
  EXPECT_EQ(at(*topics, "/k"), "kafka:k");
  EXPECT_EQ(at(*topics, "/x/1"), "everywhere:x/1");
  EXPECT_EQ(at(*topics, "/api/x/1"), "");
}

TEST(Topics, know_a_pathname_with_and_without_its_slash) {
  const auto topics = built(kServers);
  for (const char* path : {"/api", "/api/", "/api/v1", "/api/v1/"}) EXPECT_TRUE(topics->is_mount(path)) << path;
  for (const char* path : {"/", "/ap", "/api//", "/apis", "/api/v1/x"}) EXPECT_FALSE(topics->is_mount(path)) << path;
  EXPECT_TRUE(built("channels: {c: {address: c, messages: {m: {}}}}")->is_mount("/"));
}

TEST(Topics, hold_parameters_to_their_enum) {
  const auto topics = built(R"(
channels:
  c: {address: '{lang}/{id}', parameters: {id: {}, lang: {enum: [de, en]}}, messages: {m: {}}}
)");
  EXPECT_EQ(at(*topics, "/de/1"), "c:de/1");
  EXPECT_EQ(at(*topics, "/fr/1"), "");
  EXPECT_EQ(at(*topics, "/1/de"), "");
}

TEST(Topics, prefer_literal_segments_to_parameters) {
  const auto topics = built(R"(
channels:
  any: {address: 'x/{id}', parameters: {id: {}}, messages: {m: {}}}
  one: {address: x/1, messages: {m: {}}}
)");
  EXPECT_EQ(at(*topics, "/x/1"), "one:x/1");
  EXPECT_EQ(at(*topics, "/x/2"), "any:x/2");
}

constexpr const char* kActions = R"(
channels:
  sent: {address: sent, messages: {m: {}}}
  received: {address: received, messages: {m: {}}}
  both: {address: both, messages: {m: {}}}
  silent: {address: silent, messages: {m: {}}}
operations:
  a: {action: send, channel: {$ref: '#/channels/sent'}}
  b: {action: receive, channel: {$ref: '#/channels/received'}}
  c: {action: send, channel: {$ref: '#/channels/both'}}
  d: {action: receive, channel: {$ref: '#/channels/both'}}
)";

TEST(Topics, give_the_counterpart_the_reverse_of_what_the_application_does) {
  const auto topics = built(kActions);
  const auto& channel = topics->channels();
  const char* const application[] = {"p", "s", "sp", ""};
  const char* const counterpart[] = {"s", "p", "sp", ""};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(rights(*channel[i], Side::Application), application[i]) << channel[i]->key;
    EXPECT_EQ(rights(*channel[i], Side::Counterpart), counterpart[i]) << channel[i]->key;
  }
}

TEST(Topics, give_a_client_contract_the_counterparts_side) {
  const auto outcome = build({{kActions, Role::Client}});
  const auto& channel = outcome.topics->channels();
  EXPECT_EQ(rights(*channel[0], Side::Counterpart), "p");
  EXPECT_EQ(rights(*channel[0], Side::Application), "s");
  EXPECT_EQ(rights(*channel[1], Side::Counterpart), "s");
}

TEST(Topics, unite_the_same_address_of_two_contracts) {
  const auto outcome = build({{R"(
channels: {one: {address: 'x/{a}', parameters: {a: {}}, messages: {m: {}, n: {}}}}
operations: {o: {action: send, channel: {$ref: '#/channels/one'}, messages: [{$ref: '#/channels/one/messages/n'}]}}
)",
                               Role::Application},
                              {R"(
channels: {two: {address: 'x/{b}', parameters: {b: {}}, messages: {k: {}, m: {}}}}
operations: {o: {action: send, channel: {$ref: '#/channels/two'}}}
)",
                               Role::Application}});
  ASSERT_TRUE(outcome.topics);
  ASSERT_EQ(outcome.topics->channels().size(), 1u);
  const Channel& channel = *outcome.topics->channels()[0];
  EXPECT_EQ(channel.identity, "x/*");
  ASSERT_EQ(channel.messages.size(), 3u);
  EXPECT_EQ(channel.messages[2].name, "k");
  // `n` of the first, all of the second: each once.
  EXPECT_EQ(channel.rights_of(Side::Application).messages, (std::vector<std::size_t>{1, 2, 0}));
  ASSERT_EQ(outcome.topics->declarations().size(), 1u);
  EXPECT_EQ(outcome.topics->declarations()[0].identity, "x/*");
}

TEST(Topics, refuse_a_channel_that_two_contracts_describe_differently) {
  const std::string plain = "channels: {one: {address: 'x/{a}', parameters: {a: {enum: [de, en]}}, messages: {m: {}}}}";
  const auto with = [&](std::string text) {
    return build({{plain, Role::Application}, {std::move(text), Role::Client}});
  };
  EXPECT_EQ(rule_of(with("channels: {one: {address: 'x/{a}', parameters: {a: {enum: [de, en]}}, messages: {m: {}}, "
                         "x-tidewire: {durability: ephemeral}}}")),
            "serve/durability");
  const auto conflict = with(
      "channels: {one: {address: 'x/{a}', parameters: {a: {enum: [de, en]}}, messages: {m: {contentType: "
      "text/plain}}}}");
  EXPECT_EQ(conflict.topics, nullptr);
  EXPECT_EQ(rule_of(conflict), "serve/message");
  EXPECT_EQ(rule_of(with("channels: {one: {address: 'x/{b}', parameters: {b: {enum: [fr]}}, messages: {m: {}}}}")),
            "serve/parameter");
  EXPECT_EQ(rule_of(with("channels: {one: {address: 'x/{b}', parameters: {b: {}}, messages: {m: {}}}}")),
            "serve/parameter");
  EXPECT_EQ(rule_of(with("channels: {two: {address: 'x/{b}', parameters: {b: {enum: [en, de]}}, messages: {m: {}}}}")),
            "");
}

TEST(Topics, unite_the_retention_that_several_contracts_state_and_refuse_two_of_them) {
  const auto contract = [](std::string_view retention) {
    return "channels: {one: {address: one, messages: {m: {}}" + std::string(retention) + "}}";
  };
  const std::string silent = contract("");
  const std::string hour = contract(", x-tidewire: {retention: {age: 1h}}");
  const std::string bounded = contract(", x-tidewire: {retention: {age: 60m, bytes: 64KiB}}");
  const std::string day = contract(", x-tidewire: {retention: {age: 1d}}");
  const std::string large = contract(", x-tidewire: {retention: {bytes: 1MiB}}");
  const auto both = [](const std::string& one, const std::string& other) {
    return build({{one, Role::Application}, {other, Role::Client}});
  };
  const auto united = both(silent, bounded);
  ASSERT_NE(united.topics, nullptr);
  EXPECT_EQ(united.topics->declarations({})[0].retention, (storage::Retention{3'600'000'000'000, 65'536}));
  EXPECT_EQ(both(hour, bounded).topics->declarations({})[0].retention, united.topics->declarations({})[0].retention);
  EXPECT_EQ(rule_of(both(hour, silent)), "");
  EXPECT_EQ(rule_of(both(bounded, day)), "serve/retention");
  EXPECT_EQ(rule_of(both(bounded, large)), "serve/retention");
}

TEST(Topics, declare_the_given_retention_where_the_contract_is_silent) {
  const auto topics = built(R"(
channels:
  silent: {address: silent, messages: {m: {}}}
  short: {address: short, messages: {m: {}}, x-tidewire: {retention: {age: 1h}}}
  small: {address: small, messages: {m: {}}, x-tidewire: {retention: {bytes: 64KiB}}}
  ever: {address: ever, messages: {m: {}}, x-tidewire: {retention: {age: 106751991d}}}
)");
  const storage::Retention unsaid{.age_ns = 5'000'000'000, .bytes = 1'000'000};
  const auto declared = topics->declarations(unsaid);
  ASSERT_EQ(declared.size(), 4u);
  EXPECT_EQ(declared[0].retention, unsaid);
  EXPECT_EQ(declared[1].retention, (storage::Retention{3'600'000'000'000, unsaid.bytes}));
  EXPECT_EQ(declared[2].retention, (storage::Retention{unsaid.age_ns, 65'536}));
  EXPECT_EQ(declared[3].retention, (storage::Retention{storage::Retention::kUnbounded, unsaid.bytes}));
}

TEST(Topics, take_the_ids_of_the_lane_in_order) {
  const auto topics = built(kActions);
  topics->set_topics({4, 3, 2, 1});
  EXPECT_EQ(topics->channels()[0]->topic, 4u);
  EXPECT_EQ(topics->channels()[3]->topic, 1u);
}

}  // namespace
}  // namespace engine
