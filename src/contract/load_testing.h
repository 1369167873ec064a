// SPDX-License-Identifier: Apache-2.0
#pragma once
// For the tests of this floor: contracts from texts instead of files. Included by *_test.cc and load_fuzz.cc only.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include "contract/load.h"

namespace contract {

using Files = std::map<std::string, std::string>;

// The contract is the first file by name.
inline LoadOutcome load_files(const Files& files) {
  return load(files.begin()->first, [&](const std::string& path) -> base::Result<std::string> {
    const auto file = files.find(path);
    if (file == files.end()) return base::fail(base::Errc::NotFound, "no such file");
    return file->second;
  });
}

inline LoadOutcome load_text(std::string_view text) { return load_files({{"contract.yaml", std::string(text)}}); }

// The contract of a text that has one; stops the test program with the findings otherwise.
inline Contract loaded(std::string_view text) {
  LoadOutcome outcome = load_text(text);
  if (outcome.contract) return *std::move(outcome.contract);
  std::fputs(to_json(outcome.findings).c_str(), stderr);
  std::abort();
}

}  // namespace contract
