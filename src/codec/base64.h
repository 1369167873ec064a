// SPDX-License-Identifier: Apache-2.0
#pragma once
// Base64 with the standard alphabet and padding, RFC 4648 section 4. Pure functions, any thread.
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace codec {

constexpr std::size_t base64_size(std::size_t bytes) { return (bytes + 2) / 3 * 4; }

void append_base64(std::string& out, base::Bytes);

// Strict: padding is required, white space and bits behind the last byte (section 3.5) are Errc::BadInput. On an
// error `out` is as before.
base::Result<void> decode_base64(std::string& out, base::Bytes text);

}  // namespace codec
