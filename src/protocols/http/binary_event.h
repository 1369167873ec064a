// SPDX-License-Identifier: Apache-2.0
#pragma once
// A CloudEvent in binary content mode: attributes in `ce-*` fields, the data as the body (CloudEvents HTTP protocol
// binding 1.0, section 3.1). Values are percent-decoded (section 3.1.3.2).
#include "protocols/http/codec/fields.h"
#include "protocols/http/event_attributes.h"

namespace protocols::http {

// Whether any field makes a request an event in binary mode.
bool is_binary_event(const Fields&);

// Fills the event of the attributes, whose prefix is kBinaryPrefix. The answer on failure is 400 or 422.
std::expected<void, Answer> read_binary_event(const Fields&, EventAttributes&);

inline constexpr std::string_view kBinaryPrefix = "ce-";

}  // namespace protocols::http
