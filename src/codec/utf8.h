// SPDX-License-Identifier: Apache-2.0
#pragma once
// Strict UTF-8, RFC 3629 section 4: no overlong forms, no surrogates, nothing above U+10FFFF. Pure functions, any
// thread, no allocation.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/bytes.h"

namespace codec {

inline constexpr std::size_t kUtf8BytesMax = 4;

bool is_utf8(base::Bytes);

// The bytes of the well-formed character at the front; 0 if there is none.
std::size_t utf8_character_size(base::Bytes);

// The number of characters of text for which is_utf8 holds.
std::size_t utf8_length(base::Bytes);

// `code_point` is a Unicode scalar value: at most 0x10ffff and no surrogate.
void append_utf8(std::string& out, std::uint32_t code_point);

}  // namespace codec
