// SPDX-License-Identifier: Apache-2.0
// Anything is JSON for both judges or for none; minified JSON is JSON still, and stays as it is when minified again.
#include <cstddef>
#include <cstdint>
#include <string>

#include "codec/json.h"

namespace {

void walk(codec::json::Value value) {
  value.for_each_item([](codec::json::Value item) { walk(item); });
  value.for_each_member([](std::string_view, codec::json::Value item) { walk(item); });
}

void walk_raw(base::Bytes text) {
  codec::json::RawMembers members(text);
  while (members.next()) walk_raw(members.value());
  codec::json::RawItems items(text);
  while (items.next()) walk_raw(items.value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace codec::json;
  const base::Bytes text(reinterpret_cast<const char*>(data), size);
  Parser parser;
  const bool good = check_json(parser, text).has_value();
  CHECK(good == check_grammar(text).has_value(), "the two judges of JSON disagree");
  const auto root = parser.parse(text);
  if (root) walk(*root);
  CHECK(good || !root, "JSON was read that is not well-formed");
  std::string small;
  const bool minified = minify(small, text).has_value();
  if (!good) return 0;
  walk_raw(text);
  static_cast<void>(has_duplicate_names(text));
  CHECK(minified && check_grammar(small), "minified JSON is no JSON");
  std::string again;
  CHECK(minify(again, small) && again == small, "minified JSON is not minimal");
  return 0;
}
