// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/event_attributes.h"

#include <algorithm>
#include <array>
#include <utility>

#include "codec/rfc3339.h"
#include "codec/utf8.h"

namespace protocols::http {

namespace {

constexpr std::string_view kReservedTypes = "tidewire.";

// CloudEvents 1.0, "Type System": a String is Unicode without control characters.
bool is_text(std::string_view text) {
  const auto control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  return codec::is_utf8(text) && std::ranges::none_of(text, control);
}

}  // namespace

std::unexpected<Answer> EventAttributes::refuse(std::string_view name, std::string_view what_is_wrong) const {
  std::string detail(prefix_);
  detail.append(name.size() <= codec::kAttributeNameBytesMax ? name : "an attribute").append(" ").append(what_is_wrong);
  return std::unexpected(problem_answer({.status = 400, .type = "bad-attribute", .detail = detail}));
}

std::expected<void, Answer> EventAttributes::set(std::string_view name, std::string value) {
  if (!is_text(value)) return refuse(name, "is not UTF-8 text without control characters");
  // Of an event that was read here: the server gives it new ones.
  if (name == "cursor" || name == "channel") return {};
  const std::string_view text = texts_.emplace_back(std::move(value));
  if (name == "specversion") {
    has_specversion_ = text == "1.0";
    if (!has_specversion_) return refuse(name, "must be 1.0");
  } else if (name == "id") {
    event_.id = text;
  } else if (name == "source") {
    event_.source = text;
  } else if (name == "type") {
    if (text.starts_with(kReservedTypes)) {
      return std::unexpected(problem_answer({.status = 422,
                                             .type = "invalid-event",
                                             .detail = "types that begin with `tidewire.` are the server's own"}));
    }
    event_.type = text;
  } else if (name == "time") {
    if (!codec::parse_rfc3339(text)) return refuse(name, "must be an RFC 3339 time, like 2026-01-31T12:00:00Z");
    event_.time = text;
  } else if (name == "message") {
    event_.message = text;
  } else if (!codec::is_attribute_name(name)) {
    return refuse(name, "cannot be: an attribute's name is lower-case letters and digits, and not `data`");
  } else if (!event_.extensions.add(texts_.emplace_back(name), text)) {
    return refuse(name, "is too much: an event has at most 16 extension attributes");
  }
  return {};
}

std::expected<void, Answer> EventAttributes::check_complete() const {
  const std::array<std::pair<std::string_view, bool>, 4> required = {{{"specversion", has_specversion_},
                                                                      {"id", !event_.id.empty()},
                                                                      {"source", !event_.source.empty()},
                                                                      {"type", !event_.type.empty()}}};
  for (const auto& [name, given] : required)
    if (!given) return refuse(name, "is missing: an event has specversion, id, source and type");
  return {};
}

}  // namespace protocols::http
