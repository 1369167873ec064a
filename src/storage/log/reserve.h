// SPDX-License-Identifier: Apache-2.0
#pragma once
// The names in a lane's directory that are no segments, and how large the reserve is (docs/formats/log.md, "A full
// disk").
//
// The reserve is a preallocated file of zeros. When there is no room it becomes a segment: of control groups while the
// lane runs, of recovery at a start. Whatever takes it gives it the segment's temporary name first, so that a file
// named `reserve` was never written. Pure; any thread.
#include <cstdint>
#include <string>

#include "storage/limits.h"

namespace storage {

inline constexpr char kReserveName[] = "reserve";

// What a file is called until it is whole.
std::string temporary_name(const std::string& name);
// Whether it is such a file of the lane's: of a segment or of the reserve.
bool is_unfinished(const std::string& name);

// The size of the first segment in a directory.
std::uint64_t first_segment_bytes(const Limits&);
// The reserve holds twice what a segment begins with, and never less than a first segment.
std::uint64_t reserve_bytes(const Limits&, std::uint64_t start_bytes);
// Beside the reserve, so much must be there before publishing goes on.
std::uint64_t room_to_publish_bytes(const Limits&);

}  // namespace storage
