// SPDX-License-Identifier: Apache-2.0
#include "engine/cursor.h"

#include "base/crc32c.h"
#include "codec/base32hex.h"

namespace engine {

namespace {
constexpr char kVersion = '0';
constexpr std::size_t kNumberDigits = codec::kBase32hexDigitsMax;
constexpr std::size_t kCheckDigits = 4;
constexpr std::size_t kCheckedBytes = 1 + 2 * kNumberDigits;
constexpr std::uint32_t kCheckMask = (1u << 20) - 1;
static_assert(kCheckedBytes + kCheckDigits == kCursorBytes);

std::uint32_t check_of(base::Bytes checked) { return base::crc32c(checked) & kCheckMask; }
}  // namespace

base::Result<Cursor> Cursor::parse(base::Bytes token) {
  const auto malformed =
      base::fail(base::Errc::BadInput, "is no cursor: expected the text of a `cursor` that was given out, unchanged");
  if (token.size() != kCursorBytes || token[0] != kVersion) return malformed;
  const auto epoch = codec::parse_base32hex(token.substr(1, kNumberDigits));
  const auto sequence = codec::parse_base32hex(token.substr(1 + kNumberDigits, kNumberDigits));
  const auto check = codec::parse_base32hex(token.substr(kCheckedBytes));
  if (!epoch || !sequence || !check || *check != check_of(token.substr(0, kCheckedBytes))) return malformed;
  return Cursor{*epoch, *sequence};
}

void Cursor::append_token(std::string& out) const {
  const std::size_t start = out.size();
  out.push_back(kVersion);
  codec::append_base32hex(out, epoch);
  codec::append_base32hex(out, sequence);
  codec::append_base32hex(out, check_of(base::Bytes(out).substr(start)), kCheckDigits);
}

std::string Cursor::token() const {
  std::string out;
  append_token(out);
  return out;
}

base::Result<Start> parse_start(base::Bytes text) {
  if (text == "earliest") return Earliest{};
  if (text == "latest") return Latest{};
  return TRY(Cursor::parse(text));
}

}  // namespace engine
