// SPDX-License-Identifier: Apache-2.0
#pragma once
// Every bound of a lane, by name. Limits carries them, so that a test can reach each one quickly.
#include <cstddef>
#include <cstdint>

#include "storage/lane.h"

namespace storage {

inline constexpr std::size_t kQueueBytesMax = 64u << 20;     // of requests that wait for a group; then QueueFull
inline constexpr std::size_t kGroupBytesMax = 8u << 20;      // of requests in one commit group, or one larger request
inline constexpr std::size_t kRequestBytesMax = 32u << 20;   // then TooLarge
inline constexpr std::size_t kMemoryBytesMax = 256u << 20;   // of blocks in the memory lane; then the oldest goes
inline constexpr std::size_t kRepeatEntriesMax = 4'000'000;  // remembered ids
inline constexpr std::uint64_t kRepeatWindowNs = 600'000'000'000;      // how long an id is remembered
inline constexpr std::uint64_t kRepeatGuaranteedNs = 120'000'000'000;  // and how long even if the table is full

struct Limits {
  std::size_t queue_bytes_max = kQueueBytesMax;
  std::size_t group_bytes_max = kGroupBytesMax;
  std::size_t request_bytes_max = kRequestBytesMax;
  std::size_t memory_bytes_max = kMemoryBytesMax;
  std::size_t follower_waiting_bytes_max = kFollowerWaitingBytesMax;
  std::size_t repeat_entries_max = kRepeatEntriesMax;
  std::uint64_t repeat_window_ns = kRepeatWindowNs;
  std::uint64_t repeat_guaranteed_ns = kRepeatGuaranteedNs;
};

}  // namespace storage
