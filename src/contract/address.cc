// SPDX-License-Identifier: Apache-2.0
#include "contract/address.h"

#include <algorithm>

#include "codec/utf8.h"

namespace contract {
namespace {

using base::Errc;
using base::fail;
using base::Result;

bool is_control(std::string_view text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte < 0x20 || byte == 0x7f) return true;
  // U+0080 to U+009F
  return byte == 0xc2 && at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xa0;
}

bool has_forbidden(std::string_view text, std::string_view characters) {
  if (text.find_first_of(characters) != std::string_view::npos) return true;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_control(text, at)) return true;
  }
  return false;
}

bool is_dots(std::string_view text) { return text == "." || text == ".."; }

// All rules for a parameter value but UTF-8, which is checked once for the whole address.
bool is_value(std::string_view text) {
  return !text.empty() && text.size() <= kParameterValueBytesMax && !is_dots(text) && !has_forbidden(text, "/*{}?#");
}

// AsyncAPI 3.0, Parameters Object: keys match ^[A-Za-z0-9_\-]+$.
bool is_parameter_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

std::size_t literal_bytes(const Segment& segment) {
  std::size_t bytes = 0;
  for (const std::string& literal : segment.literals()) bytes += literal.size();
  return bytes;
}

// Shapes as patterns of one byte each: a parameter is "one or more of any", written here as any, then any number.
constexpr char kAny = '?';
constexpr char kAnyNumber = '*';

std::string pattern_of(const Segment& segment) {
  std::string pattern;
  for (const char c : segment.shape()) {
    if (c == '*') pattern += kAny;
    pattern += c;
  }
  return pattern;
}

// Whether two patterns have a text in common; row by row from the ends, so bounded by the product of their lengths.
bool patterns_overlap(std::string_view a, std::string_view b) {
  const auto fits = [](char x, char y) { return x == y || x == kAny || y == kAny; };
  std::vector<char> below(b.size() + 1, 0);
  std::vector<char> row(b.size() + 1, 0);
  for (std::size_t i = a.size() + 1; i-- > 0;) {
    for (std::size_t j = b.size() + 1; j-- > 0;) {
      const bool a_ends = i == a.size();
      const bool b_ends = j == b.size();
      bool possible = a_ends && b_ends;
      if (!a_ends && a[i] == kAnyNumber) {
        possible = below[j] || (!b_ends && row[j + 1]);
      } else if (!b_ends && b[j] == kAnyNumber) {
        possible = row[j + 1] || (!a_ends && below[j]);
      } else if (!a_ends && !b_ends) {
        possible = fits(a[i], b[j]) && below[j + 1];
      }
      row[j] = possible ? 1 : 0;
    }
    std::swap(below, row);
  }
  return below[0] != 0;
}

template <class Visit>
void for_each_segment(std::string_view text, Visit visit) {
  for (;;) {
    const std::size_t slash = text.find('/');
    visit(text.substr(0, slash));
    if (slash == std::string_view::npos) return;
    text.remove_prefix(slash + 1);
  }
}

}  // namespace

bool is_parameter_value(std::string_view text) { return is_value(text) && codec::is_utf8(text); }

base::Result<Segment> Segment::parse(std::string_view text) {
  if (is_dots(text)) return fail(Errc::BadInput, "a segment '.' or '..' can never be asked for");
  Segment segment;
  for (;;) {
    const std::size_t open = text.find('{');
    const std::string_view literal = text.substr(0, open);
    if (literal.find('}') != std::string_view::npos) return fail(Errc::BadInput, "a '}' has no '{' before it");
    if (has_forbidden(literal, "*?#")) {
      return fail(Errc::BadInput, "an address cannot contain '*', '?', '#' or control characters");
    }
    if (literal.empty() && !segment.names_.empty() && open != std::string_view::npos) {
      return fail(Errc::BadInput, "two parameters stand side by side, so nobody can tell where one ends");
    }
    segment.literals_.emplace_back(literal);
    segment.shape_ += literal;
    if (open == std::string_view::npos) return segment;
    const std::size_t close = text.find('}', open);
    if (close == std::string_view::npos) return fail(Errc::BadInput, "a '{' has no '}' behind it in its segment");
    const std::string_view name = text.substr(open + 1, close - open - 1);
    if (!is_parameter_name(name)) {
      return fail(Errc::BadInput, "the name of a parameter has letters, digits, '_' and '-', at least one");
    }
    segment.names_.emplace_back(name);
    segment.shape_ += '*';
    text.remove_prefix(close + 1);
  }
}

Segment::Kind Segment::kind() const {
  if (names_.empty()) return Kind::Literal;
  return shape_ == "*" ? Kind::Whole : Kind::Mixed;
}

bool Segment::match(std::string_view text, Wildcards wildcards, std::vector<std::string_view>& values) const {
  if (names_.empty()) return text == literals_[0];
  if (kind() == Kind::Whole && wildcards == Wildcards::Allow && text == "*") {
    values.push_back(text);
    return true;
  }
  const std::size_t values_before = values.size();
  const auto give_up = [&] {
    values.resize(values_before);
    return false;
  };
  if (!text.starts_with(literals_.front()) || !text.ends_with(literals_.back())) return false;
  std::size_t at = literals_.front().size();
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const bool last = i + 1 == names_.size();
    const std::string& next = literals_[i + 1];
    if (at + 1 + next.size() > text.size()) return give_up();
    const std::size_t end = last ? text.size() - next.size() : text.find(next, at + 1);
    if (end == std::string_view::npos) return give_up();
    values.push_back(text.substr(at, end - at));
    if (!is_value(values.back())) return give_up();
    at = end + next.size();
  }
  return true;
}

std::strong_ordering precedence(const Segment& a, const Segment& b) {
  if (const auto order = a.kind() <=> b.kind(); order != 0) return order;
  if (a.kind() == Segment::Kind::Mixed) {
    const auto longer_first = [](std::size_t x, std::size_t y) { return y <=> x; };
    if (const auto order = longer_first(a.literals().front().size(), b.literals().front().size()); order != 0) {
      return order;
    }
    if (const auto order = longer_first(a.literals().back().size(), b.literals().back().size()); order != 0) {
      return order;
    }
    if (const auto order = longer_first(literal_bytes(a), literal_bytes(b)); order != 0) return order;
  }
  return a.shape() <=> b.shape();
}

bool overlap(const Segment& a, const Segment& b) {
  std::vector<std::string_view> values;
  if (a.kind() == Segment::Kind::Literal) return b.match(a.literals()[0], Wildcards::Refuse, values);
  if (b.kind() == Segment::Kind::Literal) return a.match(b.literals()[0], Wildcards::Refuse, values);
  const auto fits_whole = [](const Segment& s) {
    return literal_bytes(s) + s.names().size() <= kParameterValueBytesMax;
  };
  if (a.kind() == Segment::Kind::Whole) return fits_whole(b);
  if (b.kind() == Segment::Kind::Whole) return fits_whole(a);
  return patterns_overlap(pattern_of(a), pattern_of(b));
}

base::Result<AddressTemplate> AddressTemplate::parse(std::string_view text) {
  if (text.starts_with('/')) text.remove_prefix(1);
  if (text.size() > kAddressBytesMax) return fail(Errc::TooLarge, "an address has at most 1024 bytes");
  if (!codec::is_utf8(text)) return fail(Errc::BadInput, "an address is UTF-8");
  AddressTemplate result;
  result.text_ = text;
  Result<void> outcome;
  for_each_segment(text, [&](std::string_view part) {
    auto segment = Segment::parse(part);
    if (!segment) {
      if (outcome) outcome = std::unexpected(segment.error());
      return;
    }
    if (!result.segments_.empty()) result.identity_ += '/';
    result.identity_ += segment->shape();
    for (const std::string& name : segment->names()) result.parameters_.push_back(name);
    result.segments_.push_back(*std::move(segment));
  });
  TRY(std::move(outcome));
  if (result.parameters_.size() > kAddressParametersMax) {
    return fail(Errc::TooLarge, "an address has at most 8 parameters");
  }
  for (auto name = result.parameters_.begin(); name != result.parameters_.end(); ++name) {
    if (std::find(result.parameters_.begin(), name, *name) != name) {
      return fail(Errc::BadInput, "a parameter stands twice in the address");
    }
  }
  return result;
}

std::optional<std::vector<std::string_view>> AddressTemplate::match(std::string_view address,
                                                                    Wildcards wildcards) const {
  const auto text = normalised(address);
  if (!text) return std::nullopt;
  std::vector<std::string_view> values;
  std::size_t next = 0;
  bool matches = true;
  for_each_segment(*text, [&](std::string_view part) {
    matches = matches && next < segments_.size() && segments_[next].match(part, wildcards, values);
    ++next;
  });
  if (!matches || next != segments_.size()) return std::nullopt;
  return values;
}

base::Result<std::string> AddressTemplate::fill(const std::vector<std::string_view>& values) const {
  if (values.size() != parameters_.size()) return fail(Errc::BadInput, "one value is needed for each parameter");
  std::string address;
  std::size_t value = 0;
  for (const Segment& segment : segments_) {
    if (&segment != &segments_.front()) address += '/';
    address += segment.literals()[0];
    for (std::size_t i = 0; i < segment.names().size(); ++i, ++value) {
      if (!is_parameter_value(values[value])) {
        return fail(Errc::BadInput, "a value is 1-256 bytes of UTF-8 without / * { } ? # and not '.' or '..'");
      }
      address += values[value];
      address += segment.literals()[i + 1];
    }
  }
  if (address.size() > kAddressBytesMax) return fail(Errc::TooLarge, "an address has at most 1024 bytes");
  return address;
}

std::strong_ordering precedence(const AddressTemplate& a, const AddressTemplate& b) {
  const std::size_t both = std::min(a.segments().size(), b.segments().size());
  for (std::size_t i = 0; i < both; ++i) {
    if (const auto order = precedence(a.segments()[i], b.segments()[i]); order != 0) return order;
  }
  return a.segments().size() <=> b.segments().size();
}

std::optional<std::string_view> normalised(std::string_view address) {
  if (address.starts_with('/')) address.remove_prefix(1);
  if (address.size() > kAddressBytesMax || !codec::is_utf8(address)) return std::nullopt;
  return address;
}

}  // namespace contract
