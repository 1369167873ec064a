// SPDX-License-Identifier: Apache-2.0
#pragma once
// An event as `tidewire sub` prints it. Pure.
#include <cstdint>
#include <string>

#include "base/bytes.h"

namespace server {

enum class EventText : std::uint8_t {
  CloudEvent,  // the whole event as one line of JSON
  Pretty,      // a heading with time, channel, kind and id, and the data indented below
  Data,        // the data alone: JSON as one line, anything else as it was published
};

// `event` is a CloudEvent in its JSON form. What is none is printed as it is, so that any event stream can be followed;
// as Pretty, without control characters.
void append_event_text(std::string& out, base::Bytes event, EventText);

}  // namespace server
