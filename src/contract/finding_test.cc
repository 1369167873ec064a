// SPDX-License-Identifier: Apache-2.0
#include "contract/finding.h"

#include <gtest/gtest.h>

#include "contract/findings.h"
#include "contract/limits.h"
#include "contract/nearest.h"

namespace contract {
namespace {

TEST(Finding, prints_its_place_severity_sentence_and_rule) {
  const Finding finding{{"a.yaml", 3, 7}, Severity::Error, "asyncapi/version", "write 3.0.0"};
  EXPECT_EQ(to_text(finding), "a.yaml:3:7: error: write 3.0.0 [asyncapi/version]");
}

TEST(Finding, prints_no_line_for_a_whole_file) {
  const Finding finding{{"a.yaml", 0, 0}, Severity::Warning, "file/size", "split it"};
  EXPECT_EQ(to_text(finding), "a.yaml: warning: split it [file/size]");
}

TEST(Finding, writes_no_control_characters_to_a_terminal) {
  const Finding finding{{"a.yaml", 1, 1}, Severity::Error, "r", "x\n\x1b[2J\x7f"};
  EXPECT_EQ(to_text(finding), "a.yaml:1:1: error: x\\x0a\\x1b[2J\\x7f [r]");
}

TEST(Findings, cut_sentences_that_quote_too_much_between_characters) {
  Findings findings;
  findings.error({"a", 1, 1}, "r", std::string(kSentenceBytesMax - 1, 'x') + "\xc3\xa9" + std::string(1 << 20, 'y'));
  EXPECT_EQ(findings.take()[0].sentence, std::string(kSentenceBytesMax - 1, 'x') + "...");
}

TEST(Finding, escapes_what_json_needs_escaped) {
  const Finding finding{{"a\"b\\c\n.yaml", 1, 2}, Severity::Note, "r", "caf\xc3\xa9 \x7f"};
  EXPECT_EQ(
      to_json(finding),
      R"({"file":"a\"b\\c\u000a.yaml","line":1,"column":2,"severity":"note","rule":"r","message":"café \u007f"})");
  EXPECT_EQ(to_json(std::vector<Finding>{}), "[]");
  EXPECT_EQ(to_json(std::vector{finding, finding}), "[\n" + to_json(finding) + ",\n" + to_json(finding) + "\n]");
}

TEST(Findings, come_by_file_and_place_and_equal_ones_once) {
  Findings findings;
  findings.note({"b", 9, 1}, "r", "x");
  findings.error({"a", 2, 5}, "r", "x");
  findings.error({"a", 2, 1}, "r", "x");
  findings.error({"a", 2, 5}, "r", "x");
  findings.note({"b", 1, 1}, "r", "x");
  const std::vector<Finding> all = findings.take();
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[0].where, (Where{"b", 1, 1}));
  EXPECT_EQ(all[1].where, (Where{"b", 9, 1}));
  EXPECT_EQ(all[2].where, (Where{"a", 2, 1}));
  EXPECT_EQ(all[3].where, (Where{"a", 2, 5}));
}

TEST(Findings, beyond_the_limit_an_error_displaces_a_warning_and_the_rest_is_counted) {
  Findings findings;
  for (std::uint32_t i = 0; i < kFindingsMax + 5; ++i) findings.warning({"a", i + 1, 1}, "r", "x");
  findings.error({"a", 1, 1}, "late", "x");
  const std::vector<Finding> all = findings.take();
  ASSERT_EQ(all.size(), kFindingsMax + 1);
  EXPECT_TRUE(has_errors(all));
  EXPECT_EQ(all[0].rule, "late");
  EXPECT_EQ(all.back().sentence, "6 more findings are left out: mend the ones above first");
}

TEST(Nearest, finds_a_misspelt_word_and_nothing_for_a_strange_one) {
  EXPECT_EQ(nearest("durablity", {"durability", "retention", "key"}), "durability");
  EXPECT_EQ(nearest("Retention", {"durability", "retention", "key"}), "retention");
  EXPECT_EQ(nearest("zzz", {"durability", "retention", "key"}), "");
  EXPECT_EQ(nearest(std::string(100, 'a'), {std::string_view("a")}), "");
  EXPECT_EQ(did_you_mean("ky", {"key"}), ", did you mean 'key'");
  EXPECT_EQ(did_you_mean("quite else", {"key"}), "");
}

}  // namespace
}  // namespace contract
