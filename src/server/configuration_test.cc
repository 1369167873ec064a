// SPDX-License-Identifier: Apache-2.0
#include "server/configuration.h"

#include <gtest/gtest.h>

namespace server {
namespace {

struct Outcome {
  Settings settings;
  std::vector<contract::Finding> findings;
};

Outcome read(std::string_view text) {
  Outcome outcome;
  contract::Findings findings;
  read_configuration("etc/tidewire.yaml", text, outcome.settings, findings);
  outcome.findings = findings.take();
  return outcome;
}

TEST(Configuration, applies_every_key) {
  const Outcome outcome = read(R"(
listen: "[::1]:80"
app_listen: none
admin: 127.0.0.1:9
threads: 2
ignore_servers: true
contracts: [a.yaml, /b.yaml]
clients: [c.yaml]
hosts: [example.test]
cors: {origins: ["https://app.example"]}
static: web
access: {open: true, unenforced: allow}
limits: {event_bytes_max: 64KiB}
)");
  EXPECT_TRUE(outcome.findings.empty());
  const Settings& s = outcome.settings;
  EXPECT_EQ(s.listen->to_string(), "[::1]:80");
  EXPECT_FALSE(s.app_listen);
  EXPECT_EQ(s.admin->to_string(), "127.0.0.1:9");
  EXPECT_EQ(s.threads, 2u);
  EXPECT_TRUE(s.ignore_servers && s.access_open && s.access_unenforced_allow);
  EXPECT_EQ(s.contracts, (std::vector<std::string>{"etc/a.yaml", "/b.yaml"}));
  EXPECT_EQ(s.clients, std::vector<std::string>{"etc/c.yaml"});
  EXPECT_EQ(s.hosts, std::vector<std::string>{"example.test"});
  EXPECT_EQ(s.origins, std::vector<std::string>{"https://app.example"});
  EXPECT_EQ(s.static_root, "etc/web");
  EXPECT_EQ(s.event_bytes_max, 65536u);
}

TEST(Configuration, an_empty_file_changes_nothing) {
  EXPECT_TRUE(read("").findings.empty());
  EXPECT_TRUE(read("# only a comment\n").findings.empty());
}

TEST(Configuration, a_misspelt_key_is_located_and_the_right_one_suggested) {
  const Outcome outcome = read("listen: 127.0.0.1:1\ncors:\n  orgins: []\n");
  ASSERT_EQ(outcome.findings.size(), 1u);
  EXPECT_EQ(contract::to_text(outcome.findings[0]),
            "etc/tidewire.yaml:3:3: error: unknown key `cors.orgins`, did you mean 'cors.origins' [config/unknown]");
}

TEST(Configuration, wrong_types_and_impossible_values_are_located) {
  const Outcome outcome = read("threads: 0\nhosts: one\naccess: 1\nlisten: nowhere\nlimits: {event_bytes_max: 1PiB}\n");
  ASSERT_EQ(outcome.findings.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(outcome.findings[i].where.line, i + 1);
}

}  // namespace
}  // namespace server
