// SPDX-License-Identifier: Apache-2.0
#pragma once
// CRC32C (Castagnoli), the checksum of RFC 3720 section 12.1: reflected polynomial 0x82f63b78, inverted before and
// after. Pure functions, any thread, no alignment needed.
//
// `seed` is the checksum of what came before, so that crc32c(b, crc32c(a)) == crc32c(ab); any other number as a seed
// ties the checksum to its place.
#include <cstdint>

#include "base/bytes.h"

namespace base {

// Uses the processor's instruction where it has one, and crc32c_portable elsewhere: the results are the same.
std::uint32_t crc32c(Bytes, std::uint32_t seed = 0);

// Slicing by eight: a table of 8 KiB, no special instruction.
std::uint32_t crc32c_portable(Bytes, std::uint32_t seed = 0);

}  // namespace base
