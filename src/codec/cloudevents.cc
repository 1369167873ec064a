// SPDX-License-Identifier: Apache-2.0
#include "codec/cloudevents.h"

#include <algorithm>

#include "codec/base64.h"
#include "codec/json.h"
#include "codec/mime.h"

namespace codec {

using base::Bytes;
using base::Errc;
using base::fail;
using base::Result;

namespace {

constexpr std::string_view kPrefix = "ce_";
constexpr std::string_view kContentType = "content-type";
constexpr std::string_view kSpecVersion = "1.0";

struct Named {
  std::string_view name;
  std::string_view CloudEvent::* member;
};

// In the order in which they are written.
constexpr Named kAttributes[] = {
    {"id", &CloudEvent::id},     {"source", &CloudEvent::source},   {"type", &CloudEvent::type},
    {"time", &CloudEvent::time}, {"channel", &CloudEvent::address}, {"message", &CloudEvent::message},
};

std::string_view* attribute_of(CloudEvent& event, std::string_view name) {
  for (const Named& attribute : kAttributes) {
    if (attribute.name == name) return &(event.*attribute.member);
  }
  return nullptr;
}

// A null or empty header of a known attribute would read as absent, so both are refused.
Result<void> set_once(std::string_view& attribute, const std::optional<Bytes>& value) {
  if (!value || value->empty()) return fail(Errc::BadInput, "a CloudEvents attribute is empty");
  if (!attribute.empty()) return fail(Errc::BadInput, "a CloudEvents attribute is given twice");
  attribute = *value;
  return {};
}

Result<void> set_attribute(CloudEvent& event, std::string_view name, const std::optional<Bytes>& value) {
  if (std::string_view* attribute = attribute_of(event, name)) return set_once(*attribute, value);
  if (!value) return fail(Errc::BadInput, "a CloudEvents attribute is empty");
  if (!is_attribute_name(name)) return fail(Errc::BadInput, "a CloudEvents attribute has an impossible name");
  return event.extensions.add(name, *value);
}

Result<void> fill(CloudEvent& event, const RecordView& record) {
  event.data = record.value;
  std::string_view specversion;
  HeaderReader headers = record.headers;
  while (headers.left() > 0) {
    const Header header = TRY(headers.next());
    if (header.name == kContentType) {
      TRY(set_once(event.datacontenttype, header.value));
    } else if (header.name.starts_with(kPrefix)) {
      const std::string_view name = header.name.substr(kPrefix.size());
      TRY(name == "specversion" ? set_once(specversion, header.value) : set_attribute(event, name, header.value));
    }
  }
  if (specversion != kSpecVersion) return fail(Errc::BadInput, "a record is not a CloudEvents 1.0 event");
  if (event.id.empty() || event.source.empty() || event.type.empty()) {
    return fail(Errc::BadInput, "a CloudEvents event needs id, source and type");
  }
  return {};
}

void append_text_member(std::string& out, std::string_view before, std::string_view value) {
  if (value.empty()) return;
  out += before;
  json::append_string(out, value);
}

}  // namespace

Result<void> Extensions::add(std::string_view name, std::string_view value) {
  if (find(name)) return fail(Errc::BadInput, "a CloudEvents attribute is given twice");
  if (count_ == kExtensionsMax) return fail(Errc::TooLarge, "an event has more than 16 extension attributes");
  attributes_[count_++] = {name, value};
  return {};
}

std::optional<std::string_view> Extensions::find(std::string_view name) const {
  for (const Attribute& attribute : all()) {
    if (attribute.name == name) return attribute.value;
  }
  return std::nullopt;
}

bool is_attribute_name(std::string_view name) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() <= kAttributeNameBytesMax && name != "data" && std::ranges::all_of(name, allowed);
}

void append_event_record(std::string& tail, const CloudEvent& event, std::optional<Bytes> key) {
  std::size_t headers = 1 + event.extensions.all().size() + (event.datacontenttype.empty() ? 0 : 1);
  for (const Named& attribute : kAttributes) headers += (event.*attribute.member).empty() ? 0 : 1;
  append_record_tail_start(tail, key, event.data, headers);
  append_record_header(tail, kPrefix, "specversion", kSpecVersion);
  for (const Named& attribute : kAttributes) {
    const std::string_view value = event.*attribute.member;
    if (!value.empty()) append_record_header(tail, kPrefix, attribute.name, value);
  }
  if (!event.datacontenttype.empty()) append_record_header(tail, "", kContentType, event.datacontenttype);
  for (const auto& [name, value] : event.extensions.all()) append_record_header(tail, kPrefix, name, value);
}

Result<CloudEvent> event_of(const RecordView& record) {
  Result<CloudEvent> event;  // filled in place: it is large, and this runs once per event on its way out
  const Result<void> filled = fill(*event, record);
  if (!filled) event = std::unexpected(filled.error());
  return event;
}

void append_data_member(std::string& out, const CloudEvent& event, std::string_view before) {
  if (!event.data) return;
  const std::size_t start = out.size();
  if (!event.data->empty() && is_json(event.datacontenttype)) {
    out += before;
    out += "\"data\":";
    if (json::minify(out, *event.data)) return;
    out.resize(start);
  }
  out += before;
  out += "\"data_base64\":\"";
  append_base64(out, *event.data);
  out += '"';
}

void append_event_json(std::string& out, const CloudEvent& event, Bytes cursor) {
  out += R"({"specversion":"1.0")";
  append_text_member(out, R"(,"id":)", event.id);
  append_text_member(out, R"(,"source":)", event.source);
  append_text_member(out, R"(,"type":)", event.type);
  append_text_member(out, R"(,"time":)", event.time);
  append_text_member(out, R"(,"datacontenttype":)", event.datacontenttype);
  append_text_member(out, R"(,"channel":)", event.address);
  append_text_member(out, R"(,"message":)", event.message);
  append_text_member(out, R"(,"cursor":)", cursor);
  for (const auto& [name, value] : event.extensions.all()) {
    out += ",\"";
    out += name;
    out += "\":";
    json::append_string(out, value);
  }
  append_data_member(out, event, ",");
  out += '}';
}

}  // namespace codec
