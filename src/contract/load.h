// SPDX-License-Identifier: Apache-2.0
#pragma once
// The entry to this floor: reads a contract and everything it refers to, checks it whole, and returns its model.
//
// No I/O of its own: files come through `ReadFile`, which is given the path of the contract as it was passed in, and
// for references that path's folder joined with theirs, normalised ("a/b/../c.yaml" is asked for as "a/c.yaml").
// Bounded by the limits of contract/limits.h whatever the files say. Thread: any; it shares nothing.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "contract/finding.h"
#include "contract/model.h"

namespace contract {

using ReadFile = std::function<base::Result<std::string>(const std::string& path)>;

struct LoadOutcome {
  std::optional<Contract> contract;       // absent if and only if a finding is an error
  std::vector<Finding> findings;          // by file in order of first reading, then line and column
  std::optional<base::Error> unreadable;  // the first error of `read`, which is a finding as well
};

LoadOutcome load(const std::string& path, const ReadFile& read);

}  // namespace contract
