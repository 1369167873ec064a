// SPDX-License-Identifier: Apache-2.0
#pragma once
// A CloudEvent in structured content mode: one JSON object with its attributes and its data (CloudEvents HTTP protocol
// binding 1.0, section 3.2; JSON event format 1.0). An event as a page shows it may be published again as it is.
#include <string>

#include "base/bytes.h"
#include "protocols/http/event_attributes.h"

namespace protocols::http {

inline constexpr std::string_view kStructuredMediaType = "application/cloudevents+json";

class StructuredEvent final {
 public:
  explicit StructuredEvent(codec::CloudEvent& event) : event_(event), attributes_(event, "") {}

  // Fills the event, which borrows from `body` and from this object. The answer on failure is 400 or 422.
  std::expected<void, Answer> read(base::Bytes body);

 private:
  std::expected<void, Answer> read_member(std::string_view name, base::Bytes value);
  std::expected<void, Answer> read_data(base::Bytes value);

  codec::CloudEvent& event_;
  EventAttributes attributes_;
  std::string content_type_;
  std::string data_;  // what was not written as it is
};

}  // namespace protocols::http
