// SPDX-License-Identifier: Apache-2.0
#include "contract/yaml_scalar.h"

#include <algorithm>
#include <array>

namespace contract {
namespace {

template <std::size_t N>
bool one_of(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

constexpr std::array<std::string_view, 5> kNulls{"", "~", "null", "Null", "NULL"};
constexpr std::array<std::string_view, 6> kBools{"true", "True", "TRUE", "false", "False", "FALSE"};
constexpr std::array<std::string_view, 3> kInfinities{".inf", ".Inf", ".INF"};
constexpr std::array<std::string_view, 3> kNotNumbers{".nan", ".NaN", ".NAN"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_octal(char c) { return c >= '0' && c <= '7'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

template <class Predicate>
bool all(std::string_view text, Predicate predicate) {
  return !text.empty() && std::all_of(text.begin(), text.end(), predicate);
}

std::size_t digits_at(std::string_view text, std::size_t from) {
  std::size_t end = from;
  while (end < text.size() && is_digit(text[end])) ++end;
  return end - from;
}

// ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool is_decimal_float(std::string_view text) {
  const std::size_t whole = digits_at(text, 0);
  std::size_t at = whole;
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = digits_at(text, at + 1);
    if (whole == 0 && fraction == 0) return false;
    at += 1 + fraction;
  } else if (whole == 0) {
    return false;
  }
  if (at == text.size()) return true;
  if (text[at] != 'e' && text[at] != 'E') return false;
  ++at;
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
  const std::size_t exponent = digits_at(text, at);
  return exponent > 0 && at + exponent == text.size();
}

}  // namespace

Kind core_schema_kind(std::string_view plain) {
  if (one_of(plain, kNulls)) return Kind::Null;
  if (one_of(plain, kBools)) return Kind::Bool;
  if (plain.starts_with("0o") && all(plain.substr(2), is_octal)) return Kind::Int;
  if (plain.starts_with("0x") && all(plain.substr(2), is_hex)) return Kind::Int;
  const std::string_view unsigned_text = plain[0] == '+' || plain[0] == '-' ? plain.substr(1) : plain;
  if (all(unsigned_text, is_digit)) return Kind::Int;
  if (is_decimal_float(unsigned_text) || one_of(unsigned_text, kInfinities)) return Kind::Float;
  if (one_of(plain, kNotNumbers)) return Kind::Float;
  return Kind::String;
}

}  // namespace contract
