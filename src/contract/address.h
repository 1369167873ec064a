// SPDX-License-Identifier: Apache-2.0
#pragma once
// Address templates: `comments/{commentId}/likes`, what they match, and which of two that match wins.
//
// WIRE.md section 6 "Addresses". One leading '/' is dropped. A parameter value is 1-256 bytes of UTF-8 without
// '/ * { } ? #' and controls, and not "." or ".." alone. Parameters inside a segment (`{a}-{b}`) match shortest, from
// left to right; a value found so that is none makes the address not match. The identity of a template is the template
// with each parameter replaced by '*'. `enum` and `default` of parameters are the caller's business.
#include <compare>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "contract/limits.h"

namespace contract {

// Whether `*` may stand in place of a whole parameter: in subscriptions only.
enum class Wildcards : unsigned char { Refuse, Allow };

bool is_parameter_value(std::string_view);

// One segment of a template: literals_[0] {names_[0]} literals_[1] {names_[1]} ... literals_[n].
class Segment final {
 public:
  enum class Kind : unsigned char { Literal, Mixed, Whole };  // in order of precedence

  static base::Result<Segment> parse(std::string_view text);

  Kind kind() const;
  const std::vector<std::string>& literals() const { return literals_; }
  const std::vector<std::string>& names() const { return names_; }
  const std::string& shape() const { return shape_; }  // parameters replaced by '*'

  // Appends the values to `values`, or leaves it as it was and returns false.
  bool match(std::string_view text, Wildcards, std::vector<std::string_view>& values) const;

 private:
  std::vector<std::string> literals_;
  std::vector<std::string> names_;
  std::string shape_;
};

// Less: the first wins where both match. Literal before mixed before whole parameter; among mixed ones the longer
// leading literal, then the longer trailing one, then more literal bytes, then the bytes of the shape.
std::strong_ordering precedence(const Segment&, const Segment&);

// True if some text matches both.
bool overlap(const Segment&, const Segment&);

class AddressTemplate final {
 public:
  // BadInput with a sentence that says what is wrong; TooLarge beyond the limits.
  static base::Result<AddressTemplate> parse(std::string_view text);

  // The values in order of parameters(); views into `address`.
  std::optional<std::vector<std::string_view>> match(std::string_view address, Wildcards = Wildcards::Refuse) const;

  // The address with these values; the inverse of match for values that are in order of parameters().
  base::Result<std::string> fill(const std::vector<std::string_view>& values) const;

  const std::string& text() const { return text_; }  // without the leading '/'
  const std::string& identity() const { return identity_; }
  const std::vector<std::string>& parameters() const { return parameters_; }
  const std::vector<Segment>& segments() const { return segments_; }

 private:
  std::string text_;
  std::string identity_;
  std::vector<std::string> parameters_;
  std::vector<Segment> segments_;
};

// By segments, leftmost first.
std::strong_ordering precedence(const AddressTemplate&, const AddressTemplate&);

// An address without its one leading '/', or nothing if it is longer than the limit or not UTF-8.
std::optional<std::string_view> normalised(std::string_view address);

}  // namespace contract
