// SPDX-License-Identifier: Apache-2.0
#include "contract/reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contract/load_testing.h"

namespace contract {
namespace {

// A set of files whose first one is read; `resolve` follows the member "r" of its root.
struct World {
  explicit World(Files given)
      : files(std::move(given)),
        read([this](const std::string& path) -> base::Result<std::string> {
          asked.push_back(path);
          const auto file = files.find(path);
          if (file == files.end()) return base::fail(base::Errc::NotFound, "no such file");
          return file->second;
        }),
        references(read, findings) {
    root = references.open_root(files.begin()->first);
  }
  // The text of what "r" leads to, else the findings.
  std::string resolve(Remote remote = Remote::Refuse) {
    const Node* node = root ? references.resolve(root->get("r"), remote) : nullptr;
    std::string out = node ? std::string(node->text) : "nothing";
    for (const Finding& finding : findings.take()) out += "\n" + to_text(finding);
    return out;
  }
  Files files;
  ReadFile read;
  std::vector<std::string> asked;
  Findings findings;
  References references;
  const Node* root = nullptr;
};

std::string resolve(std::string_view text) { return World(Files{{"a.yaml", std::string(text)}}).resolve(); }

TEST(Reference, points_within_the_file) {
  EXPECT_EQ(resolve("r: {$ref: '#/x/y/1'}\nx: {y: [a, b]}\n"), "b");
  EXPECT_EQ(resolve("r: {$ref: '#/x'}\nx: {$ref: '#/y'}\ny: end\n"), "end");
  EXPECT_EQ(resolve("r: plain\n"), "plain");
}

TEST(Reference, knows_the_escapes_of_json_pointer_and_of_uris) {
  EXPECT_EQ(resolve("r: {$ref: '#/x/a~1b'}\nx: {a/b: v}\n"), "v");
  EXPECT_EQ(resolve("r: {$ref: '#/x/a~01b'}\nx: {a~1b: v}\n"), "v");
  EXPECT_EQ(resolve("r: {$ref: '#/x/a%20b%7E1c'}\nx: {a b/c: v}\n"), "v");
  EXPECT_EQ(resolve("r: {$ref: '#/x//y'}\nx: {'': {y: v}}\n"), "v");
  EXPECT_EQ(resolve("r: {$ref: '#/x/%7Bid%7D'}\nx: {'{id}': v}\n"), "v");
}

TEST(Reference, leads_through_references_on_the_way) {
  EXPECT_EQ(resolve("r: {$ref: '#/x/y'}\nx: {$ref: '#/z'}\nz: {y: v}\n"), "v");
}

TEST(Reference, reads_other_files_relative_to_the_one_it_stands_in) {
  World world(Files{{"dir/a.yaml", "r: {$ref: '../lib/b.json#/x'}\n"},
                    {"lib/b.json", R"({"x": {"$ref": "./sub/c%20d.yaml#/y"}, "own": 1})"},
                    {"lib/sub/c d.yaml", "y: {$ref: '../b.json#/own'}\n"}});
  EXPECT_EQ(world.resolve(), "1");
  EXPECT_THAT(world.asked, testing::ElementsAre("dir/a.yaml", "lib/b.json", "lib/sub/c d.yaml"));
}

TEST(Reference, one_file_under_two_names_is_read_once) {
  World world(Files{{"./a.yaml", "r: {$ref: 'd/../b.yaml#/x'}\ny: v\n"}, {"b.yaml", "x: {$ref: 'a.yaml#/y'}\n"}});
  EXPECT_EQ(world.resolve(), "v");
  EXPECT_THAT(world.asked, testing::ElementsAre("./a.yaml", "b.yaml"));
}

TEST(Reference, a_whole_file_may_be_meant) {
  EXPECT_EQ(World(Files{{"a.yaml", "r: {$ref: b.yaml}\n"}, {"b.yaml", "v"}}).resolve(), "v");
  EXPECT_EQ(World(Files{{"a.yaml", "r: {$ref: 'b.yaml#'}\n"}, {"b.yaml", "v"}}).resolve(), "v");
}

TEST(Reference, says_what_is_missing_and_what_is_near) {
  EXPECT_EQ(resolve("r: {$ref: '#/x/why'}\nx: {zoo: 1, wy: 2}\n"),
            "nothing\na.yaml:1:11: error: '#/x/why' points at nothing: there is no 'why', did you mean 'wy' "
            "[reference/unresolved]");
  for (const char* text : {"'#/x/2'", "'#/x/01'", "'#/x/-'", "'#/x/0/y'", "'#/x/18446744073709551616'"}) {
    EXPECT_NE(resolve("r: {$ref: " + std::string(text) + "}\nx: [a, b]\n").find("a.yaml:1:11: error"),
              std::string::npos)
        << text;
  }
}

TEST(Reference, refuses_what_is_no_pointer) {
  for (const char* text : {"'#x'", "'#/x~'", "'#/x~2'", "'#/%zz'", "'#/%ff'"}) {
    EXPECT_NE(resolve("r: {$ref: " + std::string(text) + "}\nx: 1\n").find("[reference/pointer]"), std::string::npos)
        << text;
  }
}

TEST(Reference, refuses_absolute_and_broken_paths) {
  for (const char* text : {"/etc/passwd", "'%2fetc/passwd'", "'a%00b'", "'%z'", "'%ff'"}) {
    World world(Files{{"a.yaml", "r: {$ref: " + std::string(text) + "}\n"}});
    EXPECT_NE(world.resolve().find("names no file"), std::string::npos) << text;
    EXPECT_EQ(world.asked.size(), 1u);
  }
}

TEST(Reference, never_fetches_from_elsewhere) {
  for (const char* text : {"https://example.com/a.yaml#/x", "HTTP://x", "file:///etc/passwd", "//host/a", "urn:x:y"}) {
    World world(Files{{"a.yaml", "r: {$ref: '" + std::string(text) + "'}\n"}});
    EXPECT_NE(world.resolve().find("a.yaml:1:11: error: '" + std::string(text) + "' is not loaded"), std::string::npos)
        << text;
    EXPECT_EQ(world.asked.size(), 1u);
  }
  World world(Files{{"a.yaml", "r: {$ref: 'https://example.com/a'}\n"}});
  EXPECT_NE(world.resolve(Remote::Warn).find("a.yaml:1:11: warning:"), std::string::npos);
}

TEST(Reference, detects_circles) {
  for (const char* text : {"r: {$ref: '#/r'}\n", "r: {$ref: '#/x'}\nx: {$ref: '#/y'}\ny: {$ref: '#/x'}\n",
                           "r: {$ref: '#/r/x'}\n", "r: {$ref: '#/x/y'}\nx: {$ref: '#/z/y'}\nz: {$ref: '#/x/y'}\n"}) {
    EXPECT_NE(resolve(text).find("[reference/cycle]"), std::string::npos) << text;
  }
}

TEST(Reference, follows_64_references_and_no_more) {
  const auto chain = [](int count) {
    std::string text = "r: {$ref: '#/x1'}\n";
    for (int i = 1; i < count; ++i) text += "x" + std::to_string(i) + ": {$ref: '#/x" + std::to_string(i + 1) + "'}\n";
    return text + "x" + std::to_string(count) + ": end\n";
  };
  EXPECT_EQ(resolve(chain(64)), "end");
  EXPECT_NE(resolve(chain(65)).find("[reference/cycle]"), std::string::npos);
}

TEST(Reference, warns_of_siblings_once) {
  World world(Files{{"a.yaml", "r: {$ref: '#/x', title: t}\nx: v\n"}});
  EXPECT_EQ(world.resolve(),
            "v\na.yaml:1:18: warning: 'title' is ignored beside '$ref': move it to where the reference points "
            "[reference/siblings]");
  EXPECT_EQ(world.resolve(), "v");
}

TEST(Reference, a_file_that_cannot_be_read_is_reported_where_it_is_named) {
  World world(Files{{"a.yaml", "r: {$ref: 'b.yaml#/x'}\n"}});
  EXPECT_NE(world.resolve().find("a.yaml:1:11: error: 'b.yaml' cannot be read: no such file [file/unreadable]"),
            std::string::npos);
  EXPECT_TRUE(world.references.unreadable());
}

TEST(Reference, joins_paths) {
  EXPECT_EQ(join_path("a.yaml", "b.yaml"), "b.yaml");
  EXPECT_EQ(join_path("d/a.yaml", "b.yaml"), "d/b.yaml");
  EXPECT_EQ(join_path("d/a.yaml", "../b.yaml"), "b.yaml");
  EXPECT_EQ(join_path("d/a.yaml", "../../b.yaml"), "../b.yaml");
  EXPECT_EQ(join_path("../a.yaml", "../b.yaml"), "../../b.yaml");
  EXPECT_EQ(join_path("/d/a.yaml", "./x//../b.yaml"), "/d/b.yaml");
  EXPECT_EQ(join_path("/a.yaml", "../../b.yaml"), "/b.yaml");
}

}  // namespace
}  // namespace contract
