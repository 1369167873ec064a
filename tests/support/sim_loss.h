// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a power loss keeps of that which was not synced: drawn once for a whole disk, by the seed of its world.
//
// Writes reach a disk in pages of 4,096 bytes, in any order between two syncs, and a page in sectors of 512 bytes. So
// each sector shows the file as it was after any of the writes to its page since the last sync, or before them all.
// Changes of names are kept or lost one by one.
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "tests/support/sim_core.h"

namespace sim {

inline constexpr std::uint64_t kPageBytes = 4096;
inline constexpr std::uint64_t kSectorBytes = 512;
inline constexpr std::size_t kSectorsPerPage = kPageBytes / kSectorBytes;

enum class Loss : std::uint8_t {
  KeepsNothing,     // exactly what was synced is there; operations under way have not begun
  KeepsEverything,  // all of it reached the disk in time
  KeepsSome,        // each page and each name by itself; pages may be old or torn
  KeepsFirst,       // in the order of the program, up to one write, which may be torn
  KeepsLast,        // the other way round: only what came after one write
  LosesOne,         // everything but one page, of which less is there, or one change of a name
  KeepsOne,         // nothing but one page, of which perhaps not all is there, or one change of a name
};
inline constexpr std::size_t kLosses = 7;

// Every change of the disk carries a stamp, which counts them in the order of the program.
class LossPlan final {
 public:
  // `stamps` of all that is not synced; `parts`: how many pages and names will be asked about.
  LossPlan(Loss, Choices&, std::span<const std::uint64_t> stamps, std::size_t parts);

  // The writes to one page since the last sync, oldest first, at least one. For each sector: how many of them it shows.
  using Sectors = std::array<std::uint32_t, kSectorsPerPage>;
  Sectors page(std::span<const std::uint64_t> stamps);
  bool keeps_name(std::uint64_t stamp);
  // Truncations are kept in their order: how many of one file's.
  std::size_t truncations(std::span<const std::uint64_t> stamps);
  // Whether the size that a file got by this change can be on the disk without its bytes.
  bool may_grow(std::uint64_t stamp) const;
  // A size that the disk may know of a file, between these two.
  std::uint64_t size_between(std::uint64_t lower, std::uint64_t upper);
  // Whether space that was allocated and never written stays allocated.
  bool keeps_space();

 private:
  std::uint32_t some_version(std::size_t writes);
  Sectors kept_page(std::size_t writes);
  Sectors torn(std::uint32_t lower, std::uint32_t upper);

  Loss loss_;
  Choices& choices_;
  std::uint64_t cut_ = 0;
  std::uint64_t keep_eighths_;
  std::size_t chosen_part_;
  std::size_t next_part_ = 0;
};

}  // namespace sim
