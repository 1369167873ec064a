// SPDX-License-Identifier: Apache-2.0
#pragma once
// Every bound of a lane, by name. Limits carries them, so that a test can reach each one quickly.
#include <cstddef>
#include <cstdint>

#include "storage/lane.h"

namespace storage {

inline constexpr std::size_t kQueueBytesMax = 64u << 20;      // of requests that wait for a group; then QueueFull
inline constexpr std::size_t kGroupBytesMax = 8u << 20;       // of requests in one commit group, or one larger request
inline constexpr std::size_t kRequestBytesMax = 32u << 20;    // then TooLarge
inline constexpr std::size_t kMemoryBytesMax = 256u << 20;    // of blocks in the memory lane; then the oldest goes
inline constexpr std::size_t kRepeatEntriesMax = 4'000'000;   // remembered ids
inline constexpr std::size_t kSegmentBytesFirst = 16u << 20;  // of the first segment; the next ones double
inline constexpr std::size_t kSegmentBytesMax = 256u << 20;   // and no segment is larger
inline constexpr std::size_t kFillAheadBytes = 4u << 20;      // of zeros before the writer
inline constexpr std::size_t kFillStepBytes = 256u << 10;     // of zeros in one write
inline constexpr std::uint64_t kRunGap = std::uint64_t{1} << 40;    // between the sequences of one start and the next
inline constexpr std::uint64_t kSegmentAgeNs = 86'400'000'000'000;  // then the open segment is sealed
inline constexpr std::uint64_t kIdleCommitNs = 1'000'000'000;  // without traffic, then an empty commit proves the last
inline constexpr std::uint64_t kRetentionPeriodNs = 1'000'000'000;  // between two looks at what is too old or too much
inline constexpr std::uint64_t kLogBytesMax = std::uint64_t{10} << 30;  // of all segments, unless half the disk is less
inline constexpr std::uint64_t kProtectAgeNs = 3'600'000'000'000;       // what is younger does not go for want of room
inline constexpr std::size_t kLookupBytesMax = 16u << 20;               // read for one locate() or newest_per_address()
inline constexpr std::size_t kReadAheadBytesMax = 8u << 20;             // read before a reader that goes on asks for it
inline constexpr std::uint64_t kRepeatWindowNs = 600'000'000'000;       // how long an id is remembered
inline constexpr std::uint64_t kRepeatGuaranteedNs = 120'000'000'000;   // and how long even if the table is full

struct Limits {
  std::size_t queue_bytes_max = kQueueBytesMax;
  std::size_t group_bytes_max = kGroupBytesMax;
  std::size_t request_bytes_max = kRequestBytesMax;
  std::size_t memory_bytes_max = kMemoryBytesMax;
  std::size_t follower_waiting_bytes_max = kFollowerWaitingBytesMax;
  std::size_t repeat_entries_max = kRepeatEntriesMax;
  std::size_t segment_bytes_first = kSegmentBytesFirst;
  std::size_t segment_bytes_max = kSegmentBytesMax;
  std::size_t fill_ahead_bytes = kFillAheadBytes;
  std::size_t fill_step_bytes = kFillStepBytes;
  std::uint64_t run_gap = kRunGap;
  std::uint64_t segment_age_ns = kSegmentAgeNs;
  std::uint64_t idle_commit_ns = kIdleCommitNs;
  std::uint64_t retention_period_ns = kRetentionPeriodNs;
  std::uint64_t bytes_max = 0;  // of all segments; 0: the smaller of kLogBytesMax and half of the file system
  std::uint64_t protect_age_ns = kProtectAgeNs;
  std::size_t lookup_bytes_max = kLookupBytesMax;
  std::uint64_t repeat_window_ns = kRepeatWindowNs;
  std::uint64_t repeat_guaranteed_ns = kRepeatGuaranteedNs;
};

}  // namespace storage
