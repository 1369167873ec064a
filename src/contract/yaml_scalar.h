// SPDX-License-Identifier: Apache-2.0
#pragma once
// YAML 1.2.2 section 10.3.2: what the core schema makes of a plain scalar.
#include <string_view>

#include "contract/tree.h"

namespace contract {

Kind core_schema_kind(std::string_view plain);

}  // namespace contract
