// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/binary_event.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "codec/percent.h"

namespace protocols::http {

namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool is_attribute_field(std::string_view name) {
  return name.size() > kBinaryPrefix.size() && lower(name.substr(0, kBinaryPrefix.size())) == kBinaryPrefix;
}

}  // namespace

bool is_binary_event(const Fields& fields) {
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (is_attribute_field(fields.at(i).name)) return true;
  return false;
}

std::expected<void, Answer> read_binary_event(const Fields& fields, EventAttributes& attributes) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const Field field = fields.at(i);
    if (!is_attribute_field(field.name)) continue;
    const std::string name = lower(field.name.substr(kBinaryPrefix.size()));
    if (fields.count(field.name) > 1) return attributes.refuse(name, "is given twice");
    if (name == "datacontenttype") return attributes.refuse(name, "does not exist in binary mode: it is Content-Type");
    std::string text;
    if (!codec::decode_percent(text, field.value)) return attributes.refuse(name, "is not percent-encoded");
    if (auto done = attributes.set(name, std::move(text)); !done) return done;
  }
  return attributes.check_complete();
}

}  // namespace protocols::http
