// SPDX-License-Identifier: Apache-2.0
#pragma once
// The context attributes of an event that a client publishes, whatever content mode brought them: the rules of
// CloudEvents 1.0 section 3 and of WIRE.md section 6. What only one mode knows (`datacontenttype`, the data) is its
// own.
//
// One object per event. It owns the text that the event's views point into, so it outlives their use; not movable.
#include <deque>
#include <expected>
#include <string>
#include <string_view>

#include "codec/cloudevents.h"
#include "protocols/http/exchange.h"

namespace protocols::http {

class EventAttributes final {
 public:
  // `prefix` is what the mode puts before a name, for what a client is told: "ce-" or nothing.
  EventAttributes(codec::CloudEvent& event, std::string_view prefix) : event_(event), prefix_(prefix) {}
  EventAttributes(const EventAttributes&) = delete;
  EventAttributes& operator=(const EventAttributes&) = delete;

  // An attribute that was not set before. The answer is 400, naming it, or 422.
  std::expected<void, Answer> set(std::string_view name, std::string text);
  // 400 if a required one is missing.
  std::expected<void, Answer> check_complete() const;

  // 400: "<prefix><name> <what is wrong>"; a name beyond all measure is not repeated.
  std::unexpected<Answer> refuse(std::string_view name, std::string_view what_is_wrong) const;

 private:
  codec::CloudEvent& event_;
  std::string_view prefix_;
  std::deque<std::string> texts_;  // never moved: views point into it
  bool has_specversion_ = false;
};

}  // namespace protocols::http
