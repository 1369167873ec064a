// SPDX-License-Identifier: Apache-2.0
#pragma once
// A view of octets that somebody else owns. It is a string_view because most of what crosses a socket here is text.
#include <string_view>

namespace base {

using Bytes = std::string_view;

}  // namespace base
