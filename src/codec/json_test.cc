// SPDX-License-Identifier: Apache-2.0
#include "codec/json.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <vector>

namespace codec::json {
namespace {

using base::Bytes;
using base::Errc;

std::string nested(std::size_t depth, std::string_view inside) {
  return std::string(depth, '[') + std::string(inside) + std::string(depth, ']');
}

std::string nested_objects(std::size_t depth) {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) text += R"({"a":)";
  return text + "0" + std::string(depth, '}');
}

const std::vector<std::string> kGood = {
    "null",
    " true\n",
    "0",
    "-0",
    "-0.0e+00",
    "1E400",
    "123456789012345678901234567890",
    "0.1234567890123456789012345678901234567890",
    R"("")",
    R"("\"\\\/\b\f\n\r\t\u0000\uD83D\uDE00 é 😀")",
    R"("\ud800")",
    R"("\udc00 alone")",
    "[]",
    "{}",
    R"({"a":[1,2,{"b":null}],"a":false})",
    " [ 1 , 2 ] ",
    "\"\x7f\"",
};

const std::vector<std::string> kBad = {
    "",
    " ",
    "nul",
    "nulll",
    "01",
    "-",
    "+1",
    ".5",
    "1.",
    "1e",
    "1e+",
    "0x1",
    "NaN",
    "Infinity",
    "'a'",
    "\"a",
    "\"\\x\"",
    "\"\\u12g4\"",
    "\"\n\"",
    "\"\x01\"",
    "[",
    "]",
    "[1,]",
    "[,1]",
    "[1 2]",
    "{",
    "{\"a\"}",
    "{\"a\":}",
    "{a:1}",
    "{\"a\":1,}",
    "{1:2}",
    "{} {}",
    "1 2",
    "[1}",
    "{\"a\":1]",
    "// c\n1",
    "\"\xff\"",
    "\"\xc0\x80\"",
    "\"\xed\xa0\x80\"",
    "\xef\xbb\xbf{}",
    std::string("1\0", 2),
    std::string("\0", 1),
    "\"\\",
    "\"\\u12",
    "tru e",
    "[1]]",
    "{\"a\" 1}",
    "\xc3\xa9",
};

TEST(Json, well_formed_texts_are_accepted) {
  Parser parser;
  for (const std::string& text : kGood) {
    EXPECT_TRUE(check_json(parser, text)) << text;
    EXPECT_TRUE(check_grammar(text)) << text;
  }
}

TEST(Json, anything_else_is_bad_input_and_the_parser_works_on) {
  Parser parser;
  for (const std::string& text : kBad) {
    const auto result = check_json(parser, text);
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().code, Errc::BadInput);
    EXPECT_FALSE(check_grammar(text)) << text;
    EXPECT_FALSE(parser.parse(text)) << text;
    EXPECT_EQ(parser.parse("[7]").value().kind(), Kind::Array);
  }
}

TEST(Json, depth_64_is_accepted_and_65_is_too_large) {
  Parser parser;
  for (const std::string& text : {nested(64, ""), nested(64, "1"), nested(63, "{}"), nested_objects(64)}) {
    EXPECT_TRUE(check_json(parser, text)) << text;
  }
  for (const std::string& text : {nested(65, ""), nested(65, "1"), nested(64, "{}"), nested_objects(65),
                                  nested(100'000, ""), std::string(100'000, '[')}) {
    EXPECT_EQ(check_json(parser, text).error().code, Errc::TooLarge);
    EXPECT_FALSE(parser.parse(text));
  }
}

TEST(Json, a_document_of_the_deepest_kind_can_be_read) {
  Parser parser;
  EXPECT_TRUE(parser.parse(nested(63, "1")));
  EXPECT_TRUE(parser.parse(nested(64, "")));
  EXPECT_TRUE(parser.parse(nested(64, "1")));
  EXPECT_TRUE(parser.parse(nested_objects(64)));
}

TEST(Json, no_proper_prefix_of_a_document_is_one) {
  Parser parser;
  const std::string text = R"({"a":[1.5e3,true,null,"\u00e9é\\"],"b":{"c":{}}})";
  for (std::size_t size = 0; size < text.size(); ++size) {
    // A copy of its own lets the sanitizer see a read behind the end.
    EXPECT_FALSE(check_json(parser, std::string(text, 0, size))) << size;
    EXPECT_FALSE(check_grammar(std::string(text, 0, size))) << size;
  }
  EXPECT_TRUE(check_json(parser, text));
}

TEST(Json, both_judges_agree_on_damaged_documents) {
  Parser parser;
  std::mt19937 random(11);
  constexpr std::string_view kCharacters = "{}[]:,\"\\u0019-+.eE tfn\n\x80\xc3\xa9\x01/aD8";
  int good = 0;
  for (int round = 0; round < 40'000; ++round) {
    std::string text = R"({"a":[1.5,-2e3,"\uD83D\uDE00é"],"b":{"c":null,"d":[]}, "e":true})";
    for (auto edits = random() % 4; edits > 0; --edits) {
      const std::size_t at = random() % text.size();
      if (random() % 3 == 0) {
        text.erase(at, 1 + random() % 3);
      } else {
        text[at] = kCharacters[random() % kCharacters.size()];
      }
    }
    const bool fast = check_json(parser, text).has_value();
    ASSERT_EQ(fast, check_grammar(text).has_value()) << text;
    good += fast ? 1 : 0;
  }
  EXPECT_GT(good, 1000);
}

TEST(Json, what_cannot_be_represented_is_well_formed_but_cannot_be_read) {
  Parser parser;
  EXPECT_EQ(parser.parse("[123456789012345678901234567890]").error().code, Errc::Unsupported);
  EXPECT_EQ(parser.parse("[1e400]").error().code, Errc::Unsupported);
  EXPECT_EQ(parser.parse("[1e400").error().code, Errc::BadInput);
  EXPECT_FALSE(parser.parse(R"("\ud800")"));
}

TEST(Json, members_are_read) {
  Parser parser;
  const std::string text =
      R"({"s":"t\u00e9xt","i":-5,"u":18446744073709551615,"d":2.5,"t":true,"n":null,"a":[1,"2"],"o":{"k":"v"},"s":"2"})";
  const Value root = parser.parse(text).value();
  EXPECT_EQ(root.member("s")->string(), "téxt");
  EXPECT_EQ(root.member("i")->integer(), -5);
  EXPECT_EQ(root.member("i")->unsigned_integer(), std::nullopt);
  EXPECT_EQ(root.member("u")->unsigned_integer(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(root.member("u")->integer(), std::nullopt);
  EXPECT_EQ(root.member("d")->number(), 2.5);
  EXPECT_EQ(root.member("d")->integer(), std::nullopt);
  EXPECT_EQ(root.member("i")->number(), -5.0);
  EXPECT_EQ(root.member("t")->boolean(), true);
  EXPECT_TRUE(root.member("n")->is(Kind::Null));
  EXPECT_EQ(root.member("o")->member("k")->string(), "v");
  EXPECT_FALSE(root.member("absent"));
  EXPECT_FALSE(root.member("s")->member("k"));
  EXPECT_EQ(root.member("t")->string(), std::nullopt);
  std::vector<Kind> kinds;
  root.member("a")->for_each_item([&](Value item) { kinds.push_back(item.kind()); });
  EXPECT_EQ(kinds, (std::vector{Kind::Number, Kind::String}));
  std::string names;
  root.for_each_member([&](std::string_view name, Value) { names += name; });
  EXPECT_EQ(names, "siudtnaos");
}

TEST(Json, a_parser_serves_small_documents_after_a_large_one) {
  Parser parser;
  const std::string large = "[" + std::string(3 * kJsonBytesKept, ' ') + "1]";
  EXPECT_TRUE(parser.parse(large));
  EXPECT_EQ(parser.parse(R"({"a":1})").value().member("a")->integer(), 1);
  EXPECT_EQ(check_json(parser, nested(65, "")).error().code, Errc::TooLarge);
  EXPECT_TRUE(check_json(parser, large));
}

TEST(Json, minify_keeps_numbers_strings_and_order) {
  std::string out = "before:";
  EXPECT_TRUE(
      minify(out, " { \"b\" : [ 1.00 , 1E+2,\t12345678901234567890123 ] ,\r\n \"a\" : \" x \\\" y \" , \"b\":{ } } "));
  EXPECT_EQ(out, R"(before:{"b":[1.00,1E+2,12345678901234567890123],"a":" x \" y ","b":{}})");
}

TEST(Json, minify_leaves_minimal_text_alone_at_every_size) {
  for (std::size_t size = 0; size < 300; ++size) {
    const std::string text = '"' + std::string(size, 'x') + '"';
    std::string spaced = " " + text + "\n";
    std::string out;
    EXPECT_TRUE(minify(out, text));
    EXPECT_EQ(out, text);
    EXPECT_TRUE(minify(out, spaced));
    EXPECT_EQ(out, text + text);
  }
}

TEST(Json, minify_gives_back_what_was_there_when_it_fails) {
  std::string out = "before";
  EXPECT_FALSE(minify(out, "[1,\"open]"));
  EXPECT_EQ(out, "before");
}

TEST(JsonWriter, places_commas_and_escapes) {
  std::string out = "data: ";
  Writer json(out);
  json.begin_object().member("type", "event").key("list").begin_array();
  json.integer(-1).unsigned_integer(std::numeric_limits<std::uint64_t>::max()).boolean(true).null();
  json.string("ends in {").string("ends in [").string(":").raw("{\"raw\":1}").base64("\x01\x02").end_array();
  json.key("empty").begin_object().end_object().key("none").begin_array().end_array().end_object();
  EXPECT_EQ(out,
            R"(data: {"type":"event","list":[-1,18446744073709551615,true,null,"ends in {","ends in [",":",{"raw":1},)"
            R"("AQI="],"empty":{},"none":[]})");
  Parser parser;
  EXPECT_TRUE(check_json(parser, Bytes(out).substr(6)));
}

TEST(JsonWriter, every_byte_at_every_place_is_read_back) {
  Parser parser;
  for (int c = 0; c < 128; ++c) {
    for (std::size_t place = 0; place < 20; ++place) {
      std::string text(20, 'x');
      text[place] = static_cast<char>(c);
      std::string json;
      append_string(json, text);
      ASSERT_EQ(parser.parse(json).value().string(), text) << c;
    }
  }
}

TEST(JsonWriter, text_beyond_ascii_stays_as_it_is) {
  std::string out;
  append_string(out, "é 😀 \xe2\x80\xa8 / \x7f");
  EXPECT_EQ(out, "\"é 😀 \xe2\x80\xa8 / \x7f\"");
  out.clear();
  append_escaped(out, "a\"\\\b\f\n\r\t\x1f");
  EXPECT_EQ(out, R"(a\"\\\b\f\n\r\t\u001f)");
}

TEST(JsonRaw, members_and_items_are_slices_of_the_text) {
  const std::string text = " { \"a\" : 1.00 , \"b\\n\":[1, {\"c\":\"]}\\\"\"} ] ,\"\\u0063\":\"x\\\\\" , \"d\":{} } ";
  RawMembers members(text);
  ASSERT_TRUE(members.next());
  EXPECT_EQ(members.name(), "a");
  EXPECT_EQ(members.value(), "1.00");
  ASSERT_TRUE(members.next());
  EXPECT_EQ(members.name(), "b\\n");
  EXPECT_TRUE(members.name_is("b\n"));
  EXPECT_EQ(members.value(), "[1, {\"c\":\"]}\\\"\"} ]");
  RawItems items(members.value());
  ASSERT_TRUE(items.next());
  EXPECT_EQ(items.value(), "1");
  ASSERT_TRUE(items.next());
  EXPECT_EQ(items.value(), "{\"c\":\"]}\\\"\"}");
  EXPECT_FALSE(items.next());
  EXPECT_EQ(raw_member(text, "c"), "\"x\\\\\"");
  EXPECT_EQ(raw_member(text, "d"), "{}");
  EXPECT_EQ(raw_member(text, "e"), std::nullopt);
}

TEST(JsonRaw, other_kinds_and_empty_ones_have_no_elements) {
  for (const std::string_view text : {"{}", "{ }", "[]", "[ ]", "1", "\"{\"", "null", ""}) {
    EXPECT_FALSE(RawMembers(text).next()) << text;
    EXPECT_FALSE(RawItems(text).next()) << text;
  }
}

TEST(JsonRaw, every_prefix_stays_within_the_text) {
  const std::string text = R"({"a":[1,{"b":"\"x"}],"c":"\u00e9","d":tru,"e":{"f":[[]]}})";
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const std::string prefix(text, 0, size);
    RawMembers members(prefix);
    std::size_t seen = 0;
    while (members.next()) {
      EXPECT_LE(members.value().data() + members.value().size(), prefix.data() + prefix.size());
      RawItems items(members.value());
      while (items.next()) ++seen;
    }
    EXPECT_LE(seen, 2U);
  }
}

TEST(JsonRaw, escapes_are_resolved) {
  std::string out;
  append_unescaped(out, R"(a\"\\\/\b\f\n\r\t\u00e9\uD83D\ude00)");
  EXPECT_EQ(out, "a\"\\/\b\f\n\r\té😀");
  out.clear();
  append_unescaped(out, R"(\ud800x\udc00\ud800\u0041)");
  EXPECT_EQ(out,
            "\xef\xbf\xbdx\xef\xbf\xbd\xef\xbf\xbd"
            "A");
}

TEST(JsonRaw, a_name_that_stands_twice_is_noticed) {
  EXPECT_TRUE(has_duplicate_names(R"({"a":1,"b":2,"\u0061":3})"));
  EXPECT_FALSE(has_duplicate_names(R"({"a":{"b":1},"b":{"a":1}})"));
  EXPECT_FALSE(has_duplicate_names("[1]"));
}

}  // namespace
}  // namespace codec::json
