// SPDX-License-Identifier: Apache-2.0
#include "codec/json_grammar.h"

#include <algorithm>
#include <cstdint>

#include "codec/utf8.h"

namespace codec::json {

using base::Bytes;
using base::Errc;
using base::fail;
using base::Result;

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_hex_digit(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

void skip_space(Bytes& in) { in.remove_prefix(std::min(in.find_first_not_of(" \t\r\n"), in.size())); }

bool take_character(Bytes& in, char c) {
  if (!in.starts_with(c)) return false;
  in.remove_prefix(1);
  return true;
}

bool take_literal(Bytes& in, Bytes literal) {
  if (!in.starts_with(literal)) return false;
  in.remove_prefix(literal.size());
  return true;
}

// Section 7, at the opening quote.
bool take_string(Bytes& in) {
  if (!take_character(in, '"')) return false;
  while (!in.empty()) {
    const char c = in[0];
    if (static_cast<unsigned char>(c) < 0x20) return false;
    in.remove_prefix(1);
    if (c == '"') return true;
    if (c != '\\') continue;
    if (in.empty()) return false;
    const char escape = in[0];
    in.remove_prefix(1);
    if (escape == 'u') {
      if (in.size() < 4 || !std::ranges::all_of(in.substr(0, 4), is_hex_digit)) return false;
      in.remove_prefix(4);
    } else if (escape == '\0' || !Bytes("\"\\/bfnrt").contains(escape)) {
      return false;
    }
  }
  return false;
}

bool take_digits(Bytes& in) {
  if (in.empty() || !is_digit(in[0])) return false;
  while (!in.empty() && is_digit(in[0])) in.remove_prefix(1);
  return true;
}

// Section 6: no leading zero, a digit on both sides of the point.
bool take_number(Bytes& in) {
  take_character(in, '-');
  if (!take_character(in, '0') && !take_digits(in)) return false;
  if (take_character(in, '.') && !take_digits(in)) return false;
  if (take_character(in, 'e') || take_character(in, 'E')) {
    if (!take_character(in, '+')) take_character(in, '-');
    return take_digits(in);
  }
  return true;
}

bool take_scalar(Bytes& in) {
  if (in.empty()) return false;
  switch (in[0]) {
    case '"': return take_string(in);
    case 't': return take_literal(in, "true");
    case 'f': return take_literal(in, "false");
    case 'n': return take_literal(in, "null");
    default: return take_number(in);
  }
}

// A walk through the text. The open containers are bits, so that the depth costs nothing.
class Walk final {
 public:
  explicit Walk(Bytes text) : in_(text) {}

  Result<void> run() {
    while (true) {
      if (!TRY(take_value())) continue;
      if (depth_ == 0) break;
    }
    skip_space(in_);
    if (!in_.empty()) return fail(Errc::BadInput, "something follows the JSON text");
    return {};
  }

 private:
  static std::unexpected<base::Error> malformed() { return fail(Errc::BadInput, "this is not a JSON text"); }

  bool in_object() const { return (objects_ >> (depth_ - 1) & 1) != 0; }

  // True if everything that was open is complete, false if a value must follow.
  Result<bool> take_value() {
    skip_space(in_);
    if (in_.starts_with('{') || in_.starts_with('[')) {
      if (!TRY(open())) return false;
    } else if (!take_scalar(in_)) {
      return malformed();
    }
    return pass_ends();
  }

  // True if the container is empty and its end is still to be taken.
  Result<bool> open() {
    if (depth_ == kJsonDepthMax) return fail(Errc::TooLarge, "JSON is nested deeper than 64 levels");
    const bool object = in_[0] == '{';
    in_.remove_prefix(1);
    const std::uint64_t bit = std::uint64_t{1} << depth_++;
    objects_ = object ? objects_ | bit : objects_ & ~bit;
    skip_space(in_);
    if (in_.starts_with(object ? '}' : ']')) return true;
    if (object) TRY(take_name());
    return false;
  }

  Result<void> take_name() {
    skip_space(in_);
    if (!take_string(in_)) return malformed();
    skip_space(in_);
    if (!take_character(in_, ':')) return malformed();
    return {};
  }

  // Behind a value: takes the ends of what is complete with it, up to a comma.
  Result<bool> pass_ends() {
    while (depth_ > 0) {
      skip_space(in_);
      if (take_character(in_, in_object() ? '}' : ']')) {
        --depth_;
        continue;
      }
      if (!take_character(in_, ',')) return malformed();
      if (in_object()) TRY(take_name());
      return false;
    }
    return true;
  }

  Bytes in_;
  std::uint64_t objects_ = 0;  // bit d: the container at depth d + 1 is an object
  unsigned depth_ = 0;

  static_assert(kJsonDepthMax <= 64, "one bit for each level");
};

}  // namespace

Result<void> check_grammar(Bytes text) {
  if (!is_utf8(text)) return fail(Errc::BadInput, "this is not UTF-8");
  return Walk(text).run();
}

}  // namespace codec::json
