// SPDX-License-Identifier: Apache-2.0
#pragma once
// A CloudEvent in binary content mode: attributes in `ce-*` fields, the data as the body (CloudEvents HTTP protocol
// binding 1.0, section 3.1). Values are percent-decoded (section 3.1.3.2).
#include <deque>
#include <expected>
#include <string>

#include "codec/cloudevents.h"
#include "protocols/http/codec/fields.h"
#include "protocols/http/exchange.h"

namespace protocols::http {

class BinaryEvent final {
 public:
  // Whether any field makes a request an event in binary mode.
  static bool is_in(const Fields&);

  // Sets the attributes of the event; their text lives as long as this object. The answer on failure is 400 or 422.
  std::expected<void, Answer> read(const Fields&, codec::CloudEvent&);

 private:
  std::expected<void, Answer> set(std::string_view attribute, std::string_view value, codec::CloudEvent&);

  std::deque<std::string> texts_;  // never moved: views point into it
  bool has_specversion_ = false;
};

}  // namespace protocols::http
