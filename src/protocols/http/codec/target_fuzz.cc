// SPDX-License-Identifier: Apache-2.0
// Any request target: what is accepted is UTF-8 without NUL, and its segments join to its path again.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "codec/utf8.h"
#include "protocols/http/codec/target.h"

namespace {

void check_text(std::string_view text) {
  CHECK(codec::is_utf8(text), "what was decoded is text");
  CHECK(text.find('\0') == text.npos, "what was decoded has no NUL");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto target = protocols::http::Target::parse({reinterpret_cast<const char*>(data), size});
  if (!target) return 0;
  check_text(target->path());
  std::string joined;
  for (const auto segment : target->segments()) joined.append("/").append(segment);
  CHECK(joined == target->path(), "every slash separates segments");
  for (const auto& [name, value, escaped_star] : target->query()) {
    check_text(name);
    check_text(value);
    if (escaped_star) CHECK(value.find('*') != value.npos, "an escaped star is a star");
    CHECK(target->find(name).has_value(), "a parameter is found by its name");
    CHECK(target->count(name) > 0, "a parameter is counted");
  }
  return 0;
}
