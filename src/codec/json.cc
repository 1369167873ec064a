// SPDX-License-Identifier: Apache-2.0
#include "codec/json.h"

namespace codec::json {

using base::Bytes;
using base::Errc;
using base::fail;
using base::Result;

Parser::Parser() = default;
Parser::~Parser() = default;
Parser::Parser(Parser&&) noexcept = default;
Parser& Parser::operator=(Parser&&) noexcept = default;

// The library wants 64 readable bytes behind the text, which is why it may copy it into its own buffer.
Result<simdjson::dom::element> Parser::read(Slot& slot, std::size_t depth_max, Bytes text) {
  if (text.size() > kJsonBytesMax) return fail(Errc::TooLarge, "a JSON text is longer than 1 GiB");
  const bool shrink = slot && slot->capacity() > kJsonBytesKept && text.size() <= kJsonBytesKept;
  if (!slot || shrink) {
    slot = std::make_unique<simdjson::dom::parser>(kJsonBytesMax);
    if (slot->allocate(0, depth_max) != simdjson::SUCCESS) return fail(Errc::Overload, "no memory for JSON");
  }
  simdjson::dom::element root;
  const auto error = slot->parse(text.data(), text.size(), true).get(root);
  if (error == simdjson::SUCCESS) return root;
  if (error == simdjson::MEMALLOC) return fail(Errc::Overload, "no memory for JSON");
  return fail(Errc::Unsupported, "this JSON holds a number or a string that cannot be represented");
}

// The library refuses what has `depth_max` levels or more but does not count an empty container. With this limit it
// accepts nothing that is too deep, and check_grammar decides what it refuses.
Result<void> Parser::check(Bytes text) {
  const auto root = read(parser_, kJsonDepthMax, text);
  if (root) return {};
  if (root.error().code != Errc::Unsupported) return std::unexpected(root.error());
  return check_grammar(text);
}

Result<Value> Parser::parse(Bytes text) {
  auto root = read(parser_, kJsonDepthMax, text);
  if (!root && root.error().code == Errc::Unsupported) {
    TRY(check_grammar(text));
    root = read(deepest_, kJsonDepthMax + 1, text);
  }
  if (!root) return std::unexpected(root.error());
  return Value(*root);
}

Result<void> minify(std::string& out, Bytes text) {
  const std::size_t before = out.size();
  bool complete = false;
  // The library stores whole vectors, so the room behind the last byte is needed.
  out.resize_and_overwrite(before + text.size() + simdjson::SIMDJSON_PADDING, [&](char* buffer, std::size_t) {
    std::size_t written = 0;
    complete = simdjson::minify(text.data(), text.size(), buffer + before, written) == simdjson::SUCCESS;
    return complete ? before + written : before;
  });
  if (!complete) return fail(Errc::BadInput, "this is not a JSON text");
  return {};
}

}  // namespace codec::json
