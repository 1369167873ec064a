// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/query.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "protocols/http/errors.h"

namespace protocols::http {

namespace {

using Outcome = std::expected<void, std::string_view>;  // or what is wrong with the value

Outcome set_after(ReadQuery& query, std::string_view value) {
  const auto start = engine::parse_start(value);
  if (!start) return std::unexpected("must be `earliest`, `latest` or a cursor that was given out, unchanged");
  query.after = *start;
  return {};
}

template <class Number>
bool read_number(std::string_view value, Number least, Number most, Number& into) {
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), into);
  return error == std::errc{} && end == value.data() + value.size() && into >= least && into <= most;
}

Outcome set_limit(ReadQuery& query, std::string_view value) {
  if (read_number<std::size_t>(value, 1, kPageEventsMax, query.limit)) return {};
  return std::unexpected("must be a whole number from 1 to 1000");
}

Outcome set_wait(ReadQuery& query, std::string_view value) {
  if (read_number<std::uint64_t>(value, 0, kWaitSecondsMax, query.wait_seconds)) return {};
  return std::unexpected("must be a whole number of seconds from 0 to 60");
}

Outcome set_on_reset(ReadQuery& query, std::string_view value) {
  if (value != "latest" && value != "earliest") return std::unexpected("must be `latest` or `earliest`");
  query.on_reset = value == "earliest" ? engine::OnReset::Earliest : engine::OnReset::Latest;
  return {};
}

Outcome set_format(ReadQuery& query, std::string_view value) {
  if (value != "payload" && value != "cloudevent") return std::unexpected("must be `payload` or `cloudevent`");
  query.format = value == "payload" ? Format::Payload : Format::CloudEvent;
  return {};
}

Outcome set_events(ReadQuery& query, std::string_view value) {
  if (value != "unnamed") return std::unexpected("must be `unnamed`, or left out");
  query.events = EventNames::Unnamed;
  return {};
}

struct Known {
  std::string_view name;
  Outcome (*set)(ReadQuery&, std::string_view);
};
constexpr std::array kKnown = {Known{"after", set_after},   Known{"limit", set_limit},
                               Known{"wait", set_wait},     Known{"on_reset", set_on_reset},
                               Known{"format", set_format}, Known{"events", set_events}};
constexpr std::array<std::string_view, 4> kLater = {"before", "last", "latest_per", "channel"};

}  // namespace

std::expected<ReadQuery, Answer> ReadQuery::parse(const Target& target) {
  ReadQuery query;
  for (const Parameter& parameter : target.query()) {
    if (std::ranges::find(kLater, parameter.name) != kLater.end())
      return std::unexpected(parameter_answer(parameter.name, "is not in this version"));
    const auto* known = std::ranges::find(kKnown, parameter.name, &Known::name);
    if (known == kKnown.end()) {
      return std::unexpected(
          parameter_answer(parameter.name, "is unknown: expected after, limit, wait, on_reset, format or events"));
    }
    if (target.count(parameter.name) > 1) return std::unexpected(parameter_answer(parameter.name, "is given twice"));
    if (const Outcome outcome = known->set(query, parameter.value); !outcome)
      return std::unexpected(parameter_answer(parameter.name, outcome.error()));
  }
  return query;
}

}  // namespace protocols::http
