// SPDX-License-Identifier: Apache-2.0
#include "io/real_random.h"

#include <errno.h>
#include <sys/random.h>

#include "base/result.h"

namespace io {

void RealRandom::fill(std::span<std::uint8_t> into) {
  while (!into.empty()) {
    const ssize_t got = getrandom(into.data(), into.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    CHECK(got > 0, "the system must provide random bytes");
    into = into.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace io
