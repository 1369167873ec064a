// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where a start on a full disk finds room for its segment (docs/formats/log.md, "A full disk"): in zeros that say
// nothing, and afterwards in files that are superseded.
//
// Thread: start-up, synchronous. It may be cut off anywhere.
#include <cstdint>
#include <string>
#include <vector>

#include "storage/log/open_file.h"

namespace storage {

inline constexpr std::uint64_t kBlockBytes = 4'096;  // in which file systems give room
std::uint64_t round_up_to_block(std::uint64_t bytes);

// The offset behind the last byte that is not zero. What cannot be read is no zero: Errc::System.
base::Result<std::uint64_t> used_bytes(const OpenFile&, std::uint64_t file_bytes);

struct Shortened {
  std::string name;
  std::uint64_t bytes_before;
  std::uint64_t bytes;
};
// Cuts zeros off the ends of these files, one after the other until it has given back so many bytes, and syncs each.
// What cannot be read or cut stays as it is.
std::vector<Shortened> give_back_zeros(const Directory&, const std::vector<std::string>& names, std::uint64_t bytes);

// A file that is not needed any more becomes the reserve, in the place of any that was one before, without giving its
// room to anybody in between. Cut off, it is what it was, or unfinished.
base::Result<void> make_reserve_of(const Directory&, const std::string& name);
// The reserve becomes as large as there is room for, up to `bytes_max`; a new one not smaller than `bytes_min`.
base::Result<void> grow_reserve(const Directory&, std::uint64_t bytes_max, std::uint64_t bytes_min);

}  // namespace storage
