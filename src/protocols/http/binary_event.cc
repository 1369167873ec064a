// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/binary_event.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "codec/percent.h"
#include "codec/rfc3339.h"
#include "codec/utf8.h"

namespace protocols::http {

namespace {

constexpr std::string_view kPrefix = "ce-";
constexpr std::string_view kReservedTypes = "tidewire.";

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::unexpected<Answer> refuse(int status, const std::string& detail) {
  return std::unexpected(
      problem_answer({.status = status, .type = status == 422 ? "invalid-event" : "bad-attribute", .detail = detail}));
}

bool is_attribute_field(std::string_view name) {
  return name.size() > kPrefix.size() && lower(name.substr(0, kPrefix.size())) == kPrefix;
}

}  // namespace

bool BinaryEvent::is_in(const Fields& fields) {
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (is_attribute_field(fields.at(i).name)) return true;
  return false;
}

std::expected<void, Answer> BinaryEvent::read(const Fields& fields, codec::CloudEvent& event) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const Field field = fields.at(i);
    if (!is_attribute_field(field.name)) continue;
    const std::string attribute = lower(field.name.substr(kPrefix.size()));
    if (fields.count(field.name) > 1) return refuse(400, "ce-" + attribute + " is given twice");
    if (auto done = set(attribute, field.value, event); !done) return done;
  }
  const std::array<std::pair<const char*, bool>, 4> required = {{{"ce-specversion", has_specversion_},
                                                                 {"ce-id", !event.id.empty()},
                                                                 {"ce-source", !event.source.empty()},
                                                                 {"ce-type", !event.type.empty()}}};
  for (const auto& [name, given] : required)
    if (!given)
      return refuse(400, std::string(name) +
                             " is missing: an event in binary mode has ce-specversion, ce-id, ce-source and ce-type");
  return {};
}

std::expected<void, Answer> BinaryEvent::set(std::string_view attribute, std::string_view value,
                                             codec::CloudEvent& event) {
  const std::string field = "ce-" + std::string(attribute);
  std::string& text = texts_.emplace_back();
  if (!codec::decode_percent(text, value) || !codec::is_utf8(text) || text.find('\0') != std::string::npos)
    return refuse(400, field + " is not percent-encoded UTF-8");
  if (attribute == "specversion") {
    has_specversion_ = text == "1.0";
    if (!has_specversion_) return refuse(400, "ce-specversion must be 1.0");
  } else if (attribute == "datacontenttype") {
    return refuse(400, "ce-datacontenttype does not exist in binary mode: it is Content-Type");
  } else if (attribute == "id") {
    event.id = text;
  } else if (attribute == "source") {
    event.source = text;
  } else if (attribute == "type") {
    if (text.starts_with(kReservedTypes)) return refuse(422, "types that begin with `tidewire.` are the server's own");
    event.type = text;
  } else if (attribute == "time") {
    if (!codec::parse_rfc3339(text)) return refuse(400, "ce-time must be an RFC 3339 time, like 2026-01-31T12:00:00Z");
    event.time = text;
  } else if (attribute == "message") {
    event.message = text;
  } else if (attribute == "cursor" || attribute == "channel") {
    texts_.pop_back();  // of an event that was read here: the server gives it new ones
  } else if (!codec::is_attribute_name(attribute)) {
    return refuse(400, field + ": an attribute's name is lower-case letters and digits");
  } else if (!event.extensions.add(std::string_view(texts_.emplace_back(attribute)), text)) {
    return refuse(400, field + ": more than 16 extension attributes");
  }
  return {};
}

}  // namespace protocols::http
