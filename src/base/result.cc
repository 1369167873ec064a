// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <cstdio>
#include <cstdlib>

namespace base {

const char* name(Errc code) {
  switch (code) {
    case Errc::BadInput: return "bad-input";
    case Errc::Invalid: return "invalid";
    case Errc::NotFound: return "not-found";
    case Errc::NotAllowed: return "not-allowed";
    case Errc::Conflict: return "conflict";
    case Errc::TooLarge: return "too-large";
    case Errc::Unsupported: return "unsupported";
    case Errc::Overload: return "overload";
    case Errc::Stopped: return "stopped";
    case Errc::TimedOut: return "timed-out";
    case Errc::Again: return "again";
    case Errc::Closed: return "closed";
    case Errc::System: return "system";
  }
  return "unknown";
}

void broken(const char* file, int line, const char* condition, const char* sentence) {
  std::fprintf(stderr, "tidewire: internal error: %s [%s] at %s:%d\n", sentence, condition, file, line);
  std::abort();
}

}  // namespace base
