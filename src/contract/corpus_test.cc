// SPDX-License-Identifier: Apache-2.0
// The official example documents of AsyncAPI, where they lie beside the checkout.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "contract/load.h"

namespace contract {
namespace {

namespace fs = std::filesystem;

fs::path corpus() { return fs::path(TIDEWIRE_SOURCE_DIR) / "../shared/corpora/asyncapi-examples/examples"; }

base::Result<std::string> read_from_disk(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return base::fail(base::Errc::NotFound, "no such file");
  return std::string(std::istreambuf_iterator<char>(in), {});
}

std::vector<fs::path> documents() {
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(corpus())) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with("asyncapi.yml") || name.ends_with("asyncapi.yaml")) found.push_back(entry.path());
  }
  return found;
}

#define SKIP_WITHOUT_CORPUS() \
  if (!fs::exists(corpus())) GTEST_SKIP() << "no example documents in " << corpus()

TEST(Corpus, each_example_gives_a_contract_or_located_errors) {
  SKIP_WITHOUT_CORPUS();
  const auto all = documents();
  EXPECT_GE(all.size(), 20u);
  for (const fs::path& path : all) {
    const LoadOutcome outcome = load(path.string(), read_from_disk);
    EXPECT_NE(outcome.contract.has_value(), has_errors(outcome.findings)) << path;
    for (const Finding& finding : outcome.findings) {
      EXPECT_GT(finding.where.line, 0u) << to_text(finding);
      EXPECT_GT(finding.where.column, 0u) << to_text(finding);
    }
  }
}

// Its seven channels stand for the kinds of messages on one socket: they share the address '/' on the same servers.
TEST(Corpus, only_the_document_with_one_address_for_seven_channels_is_refused) {
  SKIP_WITHOUT_CORPUS();
  for (const fs::path& path : documents()) {
    const LoadOutcome outcome = load(path.string(), read_from_disk);
    const bool expected = path.filename() != "kraken-websocket-request-reply-multiple-channels-asyncapi.yml";
    EXPECT_EQ(outcome.contract.has_value(), expected) << path;
    for (const Finding& finding : outcome.findings) {
      if (finding.severity != Severity::Error) continue;
      EXPECT_EQ(finding.rule, "channel/duplicate") << to_text(finding);
    }
  }
}

TEST(Corpus, the_simple_example_has_one_channel_and_sends_on_it) {
  SKIP_WITHOUT_CORPUS();
  const LoadOutcome outcome = load((corpus() / "simple-asyncapi.yml").string(), read_from_disk);
  ASSERT_TRUE(outcome.contract);
  const Contract& contract = *outcome.contract;
  ASSERT_EQ(contract.channels.size(), 1u);
  EXPECT_EQ(contract.channels[0].address, "user/signedup");
  ASSERT_EQ(contract.operations.size(), 1u);
  EXPECT_EQ(contract.operations[0].action, Action::Send);
  EXPECT_EQ(contract.operations[0].channel, 0u);
  EXPECT_TRUE(outcome.findings.empty());
}

TEST(Corpus, the_backend_of_the_social_example_reads_its_parts_from_other_files) {
  SKIP_WITHOUT_CORPUS();
  const LoadOutcome outcome = load((corpus() / "social-media/backend/asyncapi.yaml").string(), read_from_disk);
  ASSERT_TRUE(outcome.contract);
  const Contract& contract = *outcome.contract;
  ASSERT_EQ(contract.servers.size(), 2u);
  EXPECT_EQ(contract.servers[0].protocol, "ws");
  EXPECT_EQ(contract.servers[0].pathname, "/ws");
  ASSERT_EQ(contract.channels.size(), 4u);
  EXPECT_EQ(contract.channels[2].parameters.at(0).description, "ID of the comment");
  EXPECT_EQ(contract.channels[1].servers, std::vector<std::size_t>{0});
  EXPECT_EQ(contract.operations.size(), 4u);
}

}  // namespace
}  // namespace contract
