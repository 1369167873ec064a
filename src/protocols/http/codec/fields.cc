// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/codec/fields.h"

#include <algorithm>

#include "protocols/http/codec/grammar.h"

namespace protocols::http {
namespace {

constexpr std::size_t kFieldsUsual = 16;

bool lists_token(std::string_view list, std::string_view token) {
  while (true) {
    const auto comma = list.find(',');
    if (equals_ignoring_case(trimmed(list.substr(0, comma)), token)) return true;
    if (comma == list.npos) return false;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace

Parsed<Field> parse_field_line(base::Bytes line) {
  // RFC 9112 section 5.2: a server that receives an obs-fold in a request must refuse it or replace it.
  if (line.starts_with(' ') || line.starts_with('\t')) return std::unexpected(Fault::FoldedField);
  const auto length = token_length(line);
  const char next = length < line.size() ? line[length] : '\0';
  // RFC 9112 section 5.1: white space between the name and the colon is 400, because others read it differently.
  if (length > 0 && (next == ' ' || next == '\t')) return std::unexpected(Fault::SpaceBeforeColon);
  if (length == 0 || next != ':') return std::unexpected(Fault::BadFieldName);
  const auto value = line.substr(length + 1);
  if (!is_field_value(value)) return std::unexpected(Fault::BadFieldValue);
  return Field{.name = line.substr(0, length), .value = trimmed(value)};
}

Fault Fields::add(base::Bytes head, Span line, const Limits& limits) {
  const auto parsed = parse_field_line(head.substr(line.at, line.size));
  if (!parsed) return parsed.error();
  if (spans_.size() >= limits.fields_max) return Fault::TooManyFields;
  if (spans_.empty()) spans_.reserve(std::min<std::size_t>(kFieldsUsual, limits.fields_max));
  // An empty value is a view to nowhere and has no place of its own.
  const auto value_at =
      parsed->value.empty() ? line.at : static_cast<std::uint32_t>(parsed->value.data() - head.data());
  spans_.push_back({.name = {line.at, static_cast<std::uint32_t>(parsed->name.size())},
                    .value = {value_at, static_cast<std::uint32_t>(parsed->value.size())}});
  return Fault::None;
}

Field Fields::at(std::size_t index) const {
  const auto& span = spans_[index];
  return {.name = text(span.name), .value = text(span.value)};
}

std::optional<std::string_view> Fields::field(std::string_view name) const {
  for (const auto& span : spans_) {
    if (equals_ignoring_case(text(span.name), name)) return text(span.value);
  }
  return std::nullopt;
}

std::size_t Fields::count(std::string_view name) const {
  return static_cast<std::size_t>(std::count_if(spans_.begin(), spans_.end(), [&](const FieldSpan& span) {
    return equals_ignoring_case(text(span.name), name);
  }));
}

std::string Fields::joined(std::string_view name) const {
  std::string all;
  bool first = true;
  for (const auto& span : spans_) {
    if (!equals_ignoring_case(text(span.name), name)) continue;
    if (!first) all += ", ";
    all += text(span.value);
    first = false;
  }
  return all;
}

bool Fields::has_token(std::string_view name, std::string_view token) const {
  return std::any_of(spans_.begin(), spans_.end(), [&](const FieldSpan& span) {
    return equals_ignoring_case(text(span.name), name) && lists_token(text(span.value), token);
  });
}

}  // namespace protocols::http
