// SPDX-License-Identifier: Apache-2.0
#include "server/commands/event_text.h"

#include "codec/base64.h"
#include "codec/json.h"
#include "protocols/http/client/sentence.h"

namespace server {
namespace {

namespace json = codec::json;
using base::Bytes;

std::string string_member(Bytes object, std::string_view name) {
  std::string text;
  const auto raw = json::raw_member(object, name);
  if (raw && raw->size() >= 2 && raw->front() == '"') json::append_unescaped(text, raw->substr(1, raw->size() - 2));
  return text;
}

// What `data_base64` stands for; nothing if there is none.
std::optional<std::string> binary_data(Bytes event) {
  if (!json::raw_member(event, "data_base64")) return std::nullopt;
  std::string bytes;
  if (!codec::decode_base64(bytes, string_member(event, "data_base64"))) return std::nullopt;
  return bytes;
}

// JSON without white space, spread over lines. Strings are copied with their escapes.
void append_indented(std::string& out, Bytes minified, std::size_t depth) {
  const auto new_line = [&] { out.append(1, '\n').append(2 * depth, ' '); };
  bool in_string = false;
  for (std::size_t at = 0; at < minified.size(); ++at) {
    const char c = minified[at];
    if (in_string) {
      out += c;
      if (c == '\\') out += minified[++at];  // well-formed: something follows
      in_string = c != '"';
      continue;
    }
    const char next = at + 1 < minified.size() ? minified[at + 1] : '\0';
    const bool closes = c == '}' || c == ']';
    if (closes) {
      --depth;
      new_line();
    }
    out += c;
    if (c == '"') in_string = true;
    if (c == ':') out += ' ';
    if ((c == '{' || c == '[') && (next == '}' || next == ']')) {
      out += next;
      ++at;
    } else if (c == '{' || c == '[') {
      ++depth;
      new_line();
    } else if (c == ',') {
      new_line();
    }
  }
}

void append_pretty(std::string& out, Bytes event) {
  std::string heading = string_member(event, "time");
  const std::string message = string_member(event, "message");
  for (const std::string& word :
       {string_member(event, "channel"), message.empty() ? string_member(event, "type") : message,
        string_member(event, "id")}) {
    if (!word.empty()) heading.append(heading.empty() ? "" : "  ").append(word);
  }
  out.append(protocols::http::printable(heading));
  std::string minified;
  const auto data = json::raw_member(event, "data");
  if (data && json::minify(minified, *data)) {
    out += "\n  ";
    append_indented(out, minified, 1);
  } else if (const auto bytes = binary_data(event)) {
    out.append("\n  ").append(protocols::http::printable(*bytes));
  }
  out += '\n';
}

void append_data(std::string& out, Bytes event) {
  const auto data = json::raw_member(event, "data");
  if (data && json::minify(out, *data)) {
    out += '\n';
  } else {
    out.append(binary_data(event).value_or("")).append(1, '\n');
  }
}

}  // namespace

void append_event_text(std::string& out, Bytes event, EventText form) {
  const bool is_cloud_event = json::check_grammar(event) && json::raw_member(event, "specversion").has_value();
  if (!is_cloud_event) {
    out.append(form == EventText::Pretty ? protocols::http::printable(event) : std::string(event)).append(1, '\n');
    return;
  }
  switch (form) {
    case EventText::CloudEvent:
      if (!json::minify(out, event)) out += event;
      out += '\n';
      return;
    case EventText::Pretty: return append_pretty(out, event);
    case EventText::Data: return append_data(out, event);
  }
}

}  // namespace server
