// SPDX-License-Identifier: Apache-2.0
#pragma once
// UUID version 7, RFC 9562 section 5.7: 48 bits of Unix time in milliseconds, then random bits. Pure function, any
// thread; time and randomness come from the caller. Ids of one millisecond are in no order.
#include <array>
#include <cstdint>
#include <string>

namespace codec {

inline constexpr std::size_t kUuidChars = 36;

// Six of the 80 random bits give way to version and variant.
void append_uuid7(std::string& out, std::int64_t unix_ms, const std::array<std::uint8_t, 10>& random);

}  // namespace codec
