// SPDX-License-Identifier: Apache-2.0
#include "contract/tree.h"

#include <gtest/gtest.h>

#include "contract/limits.h"
#include "contract/yaml_scalar.h"

namespace contract {
namespace {

struct Outcome {
  std::unique_ptr<Tree> tree;
  std::vector<Finding> findings;
  const Node& root() const { return *tree->root(); }
};

Outcome read(const std::string& file, std::string_view text) {
  Findings findings;
  Budget budget;
  auto tree = read_tree(file, text, budget, findings);
  return {std::move(tree), findings.take()};
}

// The only finding, as text.
std::string refusal(const std::string& file, std::string_view text) {
  const Outcome outcome = read(file, text);
  EXPECT_EQ(outcome.tree, nullptr) << text;
  return outcome.findings.size() == 1 ? to_text(outcome.findings[0]) : to_json(outcome.findings);
}

TEST(YamlScalar, is_typed_by_the_core_schema) {
  for (const char* text : {"", "~", "null", "Null", "NULL"}) EXPECT_EQ(core_schema_kind(text), Kind::Null) << text;
  for (const char* text : {"true", "True", "TRUE", "false"}) EXPECT_EQ(core_schema_kind(text), Kind::Bool) << text;
  for (const char* text : {"0", "-1", "+12", "007", "0o17", "0xfF"}) {
    EXPECT_EQ(core_schema_kind(text), Kind::Int) << text;
  }
  for (const char* text : {"3.0", "1.", ".5", "-1e3", "1E+3", ".inf", "-.INF", ".NaN", "12e03"}) {
    EXPECT_EQ(core_schema_kind(text), Kind::Float) << text;
  }
  for (const char* text : {"yes", "no",  "on", "tRUE",  "3.0.0", "1_000", "0o8",        "0xg", "-0x1", "-",  "+", ".",
                           "1e",  "1e+", "e3", "-.nan", "0b1",   "12:30", "2001-01-01", "nul", "1 2",  "0x", "0o"}) {
    EXPECT_EQ(core_schema_kind(text), Kind::String) << text;
  }
}

TEST(Yaml, knows_the_place_of_each_key_and_value) {
  const Outcome outcome = read("a.yaml", "one: 1\nlist:\n  - caf\xc3\xa9: x\n  - \"q\"\n");
  ASSERT_TRUE(outcome.tree) << to_json(outcome.findings);
  const Node& root = outcome.root();
  EXPECT_EQ(root.kind, Kind::Mapping);
  EXPECT_EQ(root.key_where(1), (Where{"a.yaml", 2, 1}));
  EXPECT_EQ(root.get("one")->where(), (Where{"a.yaml", 1, 6}));
  EXPECT_EQ(root.get("one")->kind, Kind::Int);
  const Node& list = *root.get("list");
  ASSERT_EQ(list.items.size(), 2u);
  EXPECT_EQ(list.items[0]->get("caf\xc3\xa9")->where(), (Where{"a.yaml", 3, 11}));  // in characters, not bytes
  EXPECT_EQ(list.items[1]->text, "q");
  EXPECT_EQ(list.items[1]->kind, Kind::String);
  EXPECT_EQ(root.get("missing"), nullptr);
}

TEST(Yaml, types_quoted_and_tagged_scalars) {
  const Outcome outcome = read("a.yaml", "[3.0, '3.0', !!str 3.0, !!float 3, ! 7, |-\n 1\n]");
  const Outcome plain = read("a.yaml", "a: 3.0\nb: '3.0'\nc: !!str 3.0\nd: !!float 3\ne: ! 7\nf: |-\n  1\ng:\n");
  ASSERT_TRUE(plain.tree) << to_json(plain.findings);
  const std::vector<Kind> expected{Kind::Float,  Kind::String, Kind::String, Kind::Float,
                                   Kind::String, Kind::String, Kind::Null};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(plain.root().members[i].value->kind, expected[i]) << i;
  EXPECT_EQ(outcome.tree, nullptr);  // a block scalar cannot stand in a flow sequence
}

TEST(Yaml, keeps_the_text_of_numbers) {
  const Outcome outcome = read("a.yaml", "n: 1.50e0\nbig: 123456789012345678901234567890\n");
  EXPECT_EQ(outcome.root().get("n")->text, "1.50e0");
  EXPECT_EQ(outcome.root().get("big")->text, "123456789012345678901234567890");
}

TEST(Yaml, refuses_duplicate_keys_at_the_second_one) {
  EXPECT_EQ(refusal("a.yaml", "a: 1\nb:\n  c: 1\n  'c': 2\n"),
            "a.yaml:4:3: error: 'c' stands here already, on line 3: remove or rename one of the two "
            "[file/duplicate-key]");
}

TEST(Yaml, finds_keys_and_duplicates_in_large_mappings) {
  std::string text;
  for (int i = 0; i < 500; ++i) text += "k" + std::to_string(i) + ": v" + std::to_string(i) + "\n";
  const Outcome outcome = read("a.yaml", text);
  ASSERT_TRUE(outcome.tree);
  for (int i = 0; i < 500; ++i) {
    const Node* node = outcome.root().get("k" + std::to_string(i));
    ASSERT_NE(node, nullptr);
    EXPECT_EQ(node->text, "v" + std::to_string(i));
  }
  EXPECT_EQ(outcome.root().get("k500"), nullptr);
  EXPECT_EQ(outcome.root().members[7].key, "k7");  // the order of the file is kept
  EXPECT_NE(
      refusal("a.yaml", text + "k123: again\n").find("a.yaml:501:1: error: 'k123' stands here already, on line 124"),
      std::string::npos);
}

TEST(Yaml, shares_anchored_nodes_and_never_copies_them) {
  const Outcome outcome = read("a.yaml", "a: &x {k: v}\nb: *x\nc: [*x, *x]\n&key d: *key\n");
  ASSERT_TRUE(outcome.tree) << to_json(outcome.findings);
  const Node& root = outcome.root();
  EXPECT_EQ(root.get("a"), root.get("b"));
  EXPECT_EQ(root.get("c")->items[1], root.get("a"));
  EXPECT_EQ(root.get("d")->text, "d");
}

TEST(Yaml, a_billion_laughs_cost_nothing) {
  std::string text = "l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 40; ++i) {
    const std::string below = "*l" + std::to_string(i - 1);
    text += "l" + std::to_string(i) + ": &l" + std::to_string(i) + " [" + below;
    for (int j = 0; j < 9; ++j) text += ", " + below;
    text += "]\n";
  }
  const Outcome outcome = read("a.yaml", text);
  ASSERT_TRUE(outcome.tree) << to_json(outcome.findings);
  EXPECT_EQ(outcome.root().get("l39")->items.size(), 10u);
}

TEST(Yaml, counts_the_depth_behind_aliases) {
  std::string text = "l0: &l0 [x]\n";
  for (int i = 1; i < 70; ++i) {
    text += "l" + std::to_string(i) + ": &l" + std::to_string(i) + " [*l" + std::to_string(i - 1) + "]\n";
  }
  EXPECT_EQ(refusal("a.yaml", text), "a.yaml:64:12: error: more than 64 levels of nesting: use $ref [file/depth]");
}

TEST(Yaml, refuses_unknown_and_circular_aliases) {
  EXPECT_EQ(refusal("a.yaml", "a: *b\n"),
            "a.yaml:1:4: error: no anchor '&b' stands before this alias: add it [yaml/alias]");
  EXPECT_EQ(refusal("a.yaml", "a: &b\n  - *b\n"),
            "a.yaml:2:5: error: '*b' stands within its own anchor: use $ref [yaml/alias]");
}

TEST(Yaml, refuses_what_json_could_not_say) {
  EXPECT_EQ(refusal("a.yaml", "[a]: 1\n"),
            "a.yaml:1:1: error: a key must be a scalar: give the member a plain name [yaml/key]");
  EXPECT_EQ(refusal("a.yaml", "a: &x {}\n*x : 1\n"),
            "a.yaml:2:1: error: a key must be a scalar: give the member a plain name [yaml/key]");
  EXPECT_EQ(refusal("a.yaml", "a: !!set {x}\n"),
            "a.yaml:1:4: error: the tag 'tag:yaml.org,2002:set' does not fit here: remove it [yaml/tag]");
  EXPECT_EQ(refusal("a.yaml", "a: !!int x\n"),
            "a.yaml:1:4: error: the tag 'tag:yaml.org,2002:int' does not fit here: remove it [yaml/tag]");
  EXPECT_EQ(refusal("a.yaml", "a: &x {}\nb:\n  <<: *x\n"),
            "a.yaml:3:3: error: YAML 1.2 has no merge key: write the members out, or use $ref [yaml/merge-key]");
  EXPECT_EQ(refusal("a.yaml", "a: 1\n---\nb: 1\n"),
            "a.yaml:2:1: error: a second document begins here: keep one document per file [yaml/several-documents]");
  EXPECT_EQ(refusal("a.yaml", "# nothing\n"),
            "a.yaml:1:1: error: the file is empty: write a document into it [yaml/empty]");
}

TEST(Yaml, locates_syntax_errors_and_bad_bytes) {
  EXPECT_EQ(refusal("a.yaml", "a: 1\nb: [1, 2\nc: 3\n").substr(0, 27), "a.yaml:3:2: error: not YAML");
  EXPECT_EQ(refusal("a.yaml", "a: 1\nb: caf\xe9 x\n").substr(0, 27), "a.yaml:2:7: error: not YAML");
}

TEST(Yaml, allows_64_levels_and_refuses_65) {
  const std::string deep(64, '[');
  const std::string close(64, ']');
  EXPECT_TRUE(read("a.yaml", deep + close).tree);
  EXPECT_EQ(refusal("a.yaml", "[" + deep + close + "]"),
            "a.yaml:1:65: error: more than 64 levels of nesting: use $ref [file/depth]");
}

TEST(Json, knows_the_place_of_each_key_and_value) {
  const Outcome outcome = read("a.json", "{\"one\": 1,\n \"list\": [true, null, \"caf\xc3\xa9\", {}, -1.5e3]}\n");
  ASSERT_TRUE(outcome.tree) << to_json(outcome.findings);
  const Node& root = outcome.root();
  EXPECT_EQ(root.where(), (Where{"a.json", 1, 1}));
  EXPECT_EQ(root.key_where(1), (Where{"a.json", 2, 2}));
  const Node& list = *root.get("list");
  const std::vector<Kind> kinds{Kind::Bool, Kind::Null, Kind::String, Kind::Mapping, Kind::Float};
  const std::vector<std::uint32_t> columns{11, 17, 23, 31, 35};
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    EXPECT_EQ(list.items[i]->kind, kinds[i]) << i;
    EXPECT_EQ(list.items[i]->where(), (Where{"a.json", 2, columns[i]})) << i;
  }
  EXPECT_EQ(list.items[4]->text, "-1.5e3");
}

TEST(Json, resolves_escapes) {
  const Outcome outcome = read("a.json", R"(["\"\\\/\b\f\n\r\t", "\u0041\u00e9\u20AC\ud83d\ude00"])");
  ASSERT_TRUE(outcome.tree) << to_json(outcome.findings);
  EXPECT_EQ(outcome.root().items[0]->text, "\"\\/\b\f\n\r\t");
  EXPECT_EQ(outcome.root().items[1]->text, "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
}

TEST(Json, refuses_what_is_not_json_where_it_stands) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "1:1"},
      {"[1,]", "1:4"},
      {"{\"a\" 1}", "1:6"},
      {"{a: 1}", "1:2"},
      {"[1 2]", "1:4"},
      {"tru", "1:1"},
      {"[01]", "1:3"},
      {"[1.]", "1:4"},
      {"[1e]", "1:4"},
      {"[-]", "1:3"},
      {"[+1]", "1:2"},
      {"[\"a]", "1:5"},
      {"[\"\\x\"]", "1:3"},
      {"[\"\\u12g4\"]", "1:3"},
      {"[\"\\ud800\"]", "1:3"},
      {"[\"\\udc00\"]", "1:3"},
      {"[\"a\tb\"]", "1:4"},
      {"[1]\n]", "2:1"},
      {"{\"a\":1,}", "1:8"},
      {"[.5]", "1:2"},
      {"[NaN]", "1:2"},
      {"[1", "1:3"},
      {"[\"\xff\"]", "1:3"},
      {"[\"\\ud800\\u0041\"]", "1:3"},
      {"{\"a\":", "1:6"},
      {"[\"\\", "1:3"},
  };
  for (const auto& [text, place] : cases) {
    EXPECT_EQ(refusal("a.json", text).substr(0, place.size() + 25), "a.json:" + place + ": error: not JSON:") << text;
  }
}

TEST(Json, refuses_duplicate_keys_and_depth) {
  EXPECT_NE(refusal("a.json", "{\"a\":1,\n\"\\u0061\":2}").find("a.json:2:1: error: 'a' stands here already"),
            std::string::npos);
  EXPECT_TRUE(read("a.json", std::string(64, '[') + std::string(64, ']')).tree);
  EXPECT_EQ(refusal("a.json", std::string(65, '[') + std::string(65, ']')),
            "a.json:1:65: error: more than 64 levels of nesting: use $ref [file/depth]");
}

TEST(Json, counts_columns_of_one_long_line_in_little_time) {
  std::string text = "[0";
  for (int i = 0; i < 400'000; ++i) text += ",0";
  const Outcome outcome = read("a.json", text + "]");
  ASSERT_TRUE(outcome.tree);
  EXPECT_EQ(outcome.root().items[400'000]->column, 800'002u);
}

TEST(Tree, syntax_is_told_by_extension_then_by_the_first_character) {
  EXPECT_EQ(syntax_of("a.json", "a: 1"), Syntax::Json);
  EXPECT_EQ(syntax_of("a.yaml", "{a: 1}"), Syntax::Yaml);
  EXPECT_EQ(syntax_of("a.yml", "{"), Syntax::Yaml);
  EXPECT_EQ(syntax_of("contract", " \n{\"a\":1}"), Syntax::Json);
  EXPECT_EQ(syntax_of("contract", "[1]"), Syntax::Json);
  EXPECT_EQ(syntax_of("contract", "a: 1"), Syntax::Yaml);
  EXPECT_EQ(syntax_of("contract", ""), Syntax::Yaml);
}

TEST(Tree, drops_a_byte_order_mark) {
  EXPECT_TRUE(read("a.json", "\xef\xbb\xbf{}").tree);
  EXPECT_EQ(read("a.yaml",
                 "\xef\xbb\xbf"
                 "a: 1")
                .root()
                .get("a")
                ->text,
            "1");
}

TEST(Tree, refuses_files_and_contracts_beyond_their_limits) {
  EXPECT_NE(refusal("a.yaml", std::string(kFileBytesMax + 1, ' ')).find("[file/size]"), std::string::npos);
  Findings findings;
  Budget budget;
  budget.files = kFilesMax;
  EXPECT_EQ(read_tree("a.yaml", "a: 1", budget, findings), nullptr);
  budget = {};
  budget.bytes = kContractBytesMax - 3;
  EXPECT_EQ(read_tree("a.yaml", "a: 1", budget, findings), nullptr);
  for (const std::string file : {"a.yaml", "a.json"}) {
    budget = {};
    budget.nodes = kNodesMax - 1;
    EXPECT_EQ(read_tree(file, "[1]", budget, findings), nullptr);
    budget.nodes = kNodesMax - 2;
    EXPECT_NE(read_tree(file, "[1]", budget, findings), nullptr);
  }
  EXPECT_EQ(findings.take().size(), 4u - 1);  // the two about the whole file are equal
}

}  // namespace
}  // namespace contract
