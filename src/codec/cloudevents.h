// SPDX-License-Identifier: Apache-2.0
#pragma once
// CloudEvents 1.0: an event as a Kafka record (Kafka protocol binding, binary content mode, section 3.2) and as JSON
// (JSON event format, section 2 and 3).
//
// A CloudEvent is a view: it borrows everything and owns nothing. Any thread. All text in it is UTF-8 and was checked
// where it came in; the JSON form repeats it as it is. Every extension is text here, as the Kafka binding has it.
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/record_batch.h"

namespace codec {

inline constexpr std::size_t kExtensionsMax = 16;
inline constexpr std::size_t kAttributeNameBytesMax = 64;

// Optional attributes without a member of their own here (subject, dataschema) are kept among the extensions.
class Extensions final {
 public:
  struct Attribute {
    std::string_view name;
    std::string_view value;
  };

  // Errc::TooLarge from the 17th on, Errc::BadInput for a name that is there already.
  base::Result<void> add(std::string_view name, std::string_view value);

  std::span<const Attribute> all() const { return {attributes_.data(), count_}; }
  std::optional<std::string_view> find(std::string_view name) const;

 private:
  std::array<Attribute, kExtensionsMax> attributes_;
  std::size_t count_ = 0;
};

// An empty attribute is absent; id, source and type never are. specversion is always 1.0.
struct CloudEvent {
  std::string_view id;
  std::string_view source;
  std::string_view type;
  std::string_view time;             // RFC 3339
  std::string_view datacontenttype;  // "content-type" in a record
  std::string_view address;          // extension "channel"
  std::string_view message;          // extension "message"
  std::optional<base::Bytes> data;
  Extensions extensions;
};

// CloudEvents 1.0 section 3.1: lower-case letters and digits. `data` is none: the JSON form has a member of that name.
bool is_attribute_name(std::string_view name);

// Appends the record tail of an event. The key orders events; it is no attribute.
void append_event_record(std::string& tail, const CloudEvent&, std::optional<base::Bytes> key);

// The event in a record, borrowed from it. Errc::BadInput if a header is malformed, an attribute is missing, is there
// twice or is null, or the specversion is not 1.0. Other headers than "ce_*" and "content-type" are passed over.
base::Result<CloudEvent> event_of(const RecordView&);

// Appends the JSON form, without a line end. `cursor` is left out if it is empty. Data whose type is JSON becomes
// "data" without insignificant white space, any other data "data_base64".
void append_event_json(std::string& out, const CloudEvent&, base::Bytes cursor);

// The members `"data":...` or `"data_base64":...` alone, with `before` in front; nothing if there is no data.
void append_data_member(std::string& out, const CloudEvent&, std::string_view before);

}  // namespace codec
