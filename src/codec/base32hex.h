// SPDX-License-Identifier: Apache-2.0
#pragma once
// Numbers as base32hex digits (RFC 4648 section 7) in lower case, most significant first, so that equally long texts
// sort like their numbers. A 64-bit number is 13 digits: 65 bits, of which the first is a pad bit 0. Pure functions,
// any thread.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace codec {

inline constexpr std::size_t kBase32hexDigitsMax = 13;

// The low 5 * digits bits of the number; at most kBase32hexDigitsMax digits.
void append_base32hex(std::string& out, std::uint64_t value, std::size_t digits = kBase32hexDigitsMax);

// 1 to 13 digits, all of `text`. Another character (an upper-case letter too) or a pad bit 1 is Errc::BadInput.
base::Result<std::uint64_t> parse_base32hex(base::Bytes text);

}  // namespace codec
