// SPDX-License-Identifier: Apache-2.0
#include "program.h"

#include <cstdio>
#include <cstring>

namespace bench {

int report(std::string_view program, const base::Error& error) {
  std::fprintf(stderr, "%.*s: %s%s%s\n", static_cast<int>(program.size()), program.data(), error.text,
               error.sys_errno != 0 ? ": " : "", error.sys_errno != 0 ? std::strerror(error.sys_errno) : "");
  return error.code == base::Errc::BadInput ? 64 : 70;
}

}  // namespace bench
