// SPDX-License-Identifier: Apache-2.0
#include "server/configuration.h"

#include <gtest/gtest.h>

namespace server {
namespace {

constexpr std::uint64_t kHourNs = 3'600'000'000'000;

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
data: log
storage: {segment_bytes: 1MiB, retention_age: 12h, bytes_max: 2GiB, protect_age: 10m, dedup_entries_max: 5000}
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
  EXPECT_EQ(s.data, "etc/log");
  EXPECT_EQ(s.storage.segment_bytes_max, 1u << 20);
  EXPECT_EQ(s.retention.age_ns, 12 * kHourNs);
  EXPECT_EQ(s.storage.bytes_max, std::uint64_t{2} << 30);
  EXPECT_EQ(s.storage.protect_age_ns, kHourNs / 6);
  EXPECT_EQ(s.storage.repeat_entries_max, 5000u);
}

TEST(Configuration, without_a_word_about_it_events_are_kept_in_a_folder_for_a_week) {
  const Settings settings;
  EXPECT_EQ(settings.data, "tidewire-data");
  EXPECT_EQ(settings.retention.age_ns, 7 * 24 * kHourNs);
  EXPECT_EQ(settings.storage.protect_age_ns, kHourNs);
}

TEST(Configuration, no_data_is_memory_only_and_a_path_stands_as_it_is) {
  EXPECT_EQ(read("data: none").settings.data, std::nullopt);
  EXPECT_EQ(read("data: ./none").settings.data, "etc/./none");
  EXPECT_EQ(read("data: /var/lib/tidewire").settings.data, "/var/lib/tidewire");
}

TEST(Configuration, storage_out_of_its_bounds_is_located_and_says_them) {
  const Outcome outcome = read(R"(storage:
  segment_bytes: 512KiB
  retention_age: 10ms
  bytes_max: 1MiB
  protect_age: 1 hour
  dedup_entries_max: 1k
data: [a]
)");
  ASSERT_EQ(outcome.findings.size(), 6u);
  const char* bounds[] = {"1MiB to 1GiB", "at least 1s", "at least 64MiB", "`12h`", "1000 to 100000000", "`none`"};
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(outcome.findings[i].where.line, i + 2);
    EXPECT_NE(contract::to_text(outcome.findings[i]).find(bounds[i]), std::string::npos) << bounds[i];
  }
  EXPECT_EQ(outcome.settings.storage.segment_bytes_max, storage::kSegmentBytesMax) << "nothing of it is taken";
}

TEST(Configuration, an_age_beyond_all_clocks_is_refused) {
  EXPECT_EQ(read("storage: {retention_age: 213503d}").findings.size(), 0u);
  EXPECT_EQ(read("storage: {retention_age: 213504d}").findings.size(), 1u);
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
