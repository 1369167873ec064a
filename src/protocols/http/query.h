// SPDX-License-Identifier: Apache-2.0
#pragma once
// The query parameters of a read: `after`, `limit`, `wait`, `on_reset`, `format`, `events` (WIRE.md section 6).
// What belongs to a later version, or to nobody, is refused by name: a silent parameter is a silent gap.
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>

#include "engine/subscription.h"
#include "protocols/http/codec/target.h"
#include "protocols/http/exchange.h"

namespace protocols::http {

inline constexpr std::size_t kPageEventsDefault = 100;
inline constexpr std::size_t kPageEventsMax = 1'000;
inline constexpr std::uint64_t kWaitSecondsMax = 60;

enum class Format : std::uint8_t { Payload, CloudEvent };
enum class EventNames : std::uint8_t { Named, Unnamed };

struct ReadQuery {
  std::optional<engine::Start> after;
  std::size_t limit = kPageEventsDefault;
  std::uint64_t wait_seconds = 0;
  engine::OnReset on_reset = engine::OnReset::Latest;
  std::optional<Format> format;
  EventNames events = EventNames::Named;

  static std::expected<ReadQuery, Answer> parse(const Target&);
};

}  // namespace protocols::http
