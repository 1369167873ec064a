// SPDX-License-Identifier: Apache-2.0
#pragma once
// The rules about a contract that no single object of the document can break by itself, and those about addresses and
// names. Works on the model, also on a partial one whose objects were already reported.
#include "contract/findings.h"
#include "contract/model.h"

namespace contract {

// Also puts each channel's parameters into the order of its template.
void check(Contract&, Findings&);

// True if some server offers both.
bool share_server(const Channel&, const Channel&);

}  // namespace contract
