// SPDX-License-Identifier: Apache-2.0
#include "storage/log/reserve.h"

#include <algorithm>
#include <string_view>

#include "storage/log/lane_state.h"

namespace storage {

namespace {

constexpr std::string_view kTemporaryEnding = ".tmp";

}  // namespace

std::string temporary_name(const std::string& name) { return name + std::string(kTemporaryEnding); }

bool is_unfinished(const std::string& name) {
  if (!name.ends_with(kTemporaryEnding)) return false;
  const std::string whole = name.substr(0, name.size() - kTemporaryEnding.size());
  return whole == kReserveName || segment_number(whole).has_value();
}

std::uint64_t first_segment_bytes(const Limits& limits) {
  return std::min(limits.segment_bytes_first, limits.segment_bytes_max);
}

std::uint64_t reserve_bytes(const Limits& limits, std::uint64_t start_bytes) {
  return std::max(first_segment_bytes(limits), 2 * start_bytes);
}

std::uint64_t room_to_publish_bytes(const Limits& limits) { return first_segment_bytes(limits) / 2; }

}  // namespace storage
