// SPDX-License-Identifier: Apache-2.0
#pragma once
// Durations and sizes as people write them, in contracts and in the configuration.
//
// Durations: `250ms`, `2s`, `15m`, `12h`, `7d`, or ISO 8601 without years and months, whose length varies: `P7D`,
// `P2W`, `PT12H30M`, `PT0.5S`. Sizes: plain bytes, or `64KiB`, `8MiB`, `10GiB`, `1TiB`; whole numbers only.
// BadInput for anything else, TooLarge for what does not fit. Thread: any; no allocation.
#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace contract {

base::Result<std::int64_t> parse_duration_ms(std::string_view text);
base::Result<std::uint64_t> parse_size_bytes(std::string_view text);

}  // namespace contract
