// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/structured_event.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "codec/base64.h"
#include "codec/json.h"
#include "codec/mime.h"

namespace protocols::http {

namespace {

std::unexpected<Answer> malformed(const char* what) {
  std::string detail = "the event is not one well-formed JSON object: ";
  detail += what;
  return std::unexpected(problem_answer({.status = 400, .type = "malformed", .detail = detail}));
}

// The text of a JSON string; nothing if it is none, or names half a surrogate pair, which no UTF-8 can say.
std::optional<std::string> string_of(base::Bytes value) {
  if (!value.starts_with('"')) return std::nullopt;
  if (!value.contains('\\')) return std::string(value.substr(1, value.size() - 2));
  codec::json::Parser parser;
  const auto parsed = parser.parse(value);
  if (!parsed) return std::nullopt;
  return std::string(parsed->string().value_or(""));
}

// JSON event format section 2.2: Boolean and Integer (32 bits) are attribute types of their own; here all are text.
std::optional<std::string> text_of(base::Bytes value) {
  if (value.starts_with('"')) return string_of(value);
  if (value == "true" || value == "false") return std::string(value);
  codec::json::Parser parser;
  const auto parsed = parser.parse(value);
  const auto integer = parsed ? parsed->integer() : std::nullopt;
  if (!integer || *integer < INT32_MIN || *integer > INT32_MAX) return std::nullopt;
  return std::to_string(*integer);
}

bool is_text_only(std::string_view name) {
  for (const std::string_view known : {"specversion", "id", "source", "type", "time", "datacontenttype", "message"})
    if (name == known) return true;
  return false;
}

}  // namespace

std::expected<void, Answer> StructuredEvent::read(base::Bytes body) {
  codec::json::Parser parser;
  if (const auto checked = parser.check(body); !checked) return malformed(checked.error().text);
  if (body.find_first_not_of(" \t\r\n") != body.find('{')) return malformed("it is no object");
  if (codec::json::has_duplicate_names(body)) return malformed("a name stands twice in it");
  std::optional<base::Bytes> data;
  codec::json::RawMembers members(body);
  while (members.next()) {
    std::string name;
    codec::json::append_unescaped(name, members.name());
    // Read last: what it is depends on the content type.
    if (name == "data") {
      data = members.value();
    } else if (auto done = read_member(name, members.value()); !done) {
      return done;
    }
  }
  if (data) {
    if (auto done = read_data(*data); !done) return done;
  }
  return attributes_.check_complete();
}

std::expected<void, Answer> StructuredEvent::read_member(std::string_view name, base::Bytes value) {
  if (name == "data_base64") {
    const auto text = string_of(value);
    if (!text || !codec::decode_base64(data_, *text)) return attributes_.refuse(name, "is not a string in Base64");
    event_.data = data_;
    return {};
  }
  // JSON event format section 2.2: null is as absent.
  if (value == "null" || name == "cursor" || name == "channel") return {};
  auto text = is_text_only(name) ? string_of(value) : text_of(value);
  if (!text)
    return attributes_.refuse(name, is_text_only(name) ? "must be a string" : "must be a string, boolean or integer");
  if (name != "datacontenttype") return attributes_.set(name, std::move(*text));
  if (!codec::parse_media_type(*text)) return attributes_.refuse(name, "is no media type");
  content_type_ = std::move(*text);
  event_.datacontenttype = content_type_;
  return {};
}

// JSON event format section 3.1: without a content type it is JSON; what is not JSON may be written as a string.
std::expected<void, Answer> StructuredEvent::read_data(base::Bytes value) {
  if (event_.data) return attributes_.refuse("data", "and data_base64 exclude each other");
  if (event_.datacontenttype.empty()) event_.datacontenttype = "application/json";
  if (codec::is_json(event_.datacontenttype)) {
    event_.data = value;
    return {};
  }
  auto text = string_of(value);
  if (!text) return attributes_.refuse("data", "must be a string where datacontenttype is not JSON");
  data_ = std::move(*text);
  event_.data = data_;
  return {};
}

}  // namespace protocols::http
