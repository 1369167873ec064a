// SPDX-License-Identifier: Apache-2.0
#pragma once
// "Everything up to here was delivered": a position in one history, and its token on every protocol
// (docs/formats/cursor.md). A position, not a permission. Values; any thread.
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"
#include "storage/block.h"

namespace engine {

inline constexpr std::size_t kCursorBytes = 31;  // of version 0

struct Cursor {
  std::uint64_t epoch = 0;
  storage::Sequence sequence = 0;

  // Errc::BadInput for whatever is not a token of version 0, with a sentence that says what is accepted.
  static base::Result<Cursor> parse(base::Bytes token);
  std::string token() const;
  void append_token(std::string& out) const;
  bool operator==(const Cursor&) const = default;
};

struct Earliest {
  bool operator==(const Earliest&) const = default;
};
struct Latest {
  bool operator==(const Latest&) const = default;
};

// Where a subscription or a page begins.
using Start = std::variant<Earliest, Latest, Cursor>;

// `earliest`, `latest` or a cursor's token.
base::Result<Start> parse_start(base::Bytes text);

}  // namespace engine
