// SPDX-License-Identifier: Apache-2.0
#pragma once
// JSON as it is written: the members of an object and the items of an array as slices of the text, so that a value
// can be handed on without parsing and printing it (numbers and member order stay as sent). Any thread; borrows.
//
// The text was checked before (check_json); unchecked text gives slices without meaning, never one outside of it.
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace codec::json {

// The text of a string from between its quotes, escapes resolved; a surrogate without its twin becomes U+FFFD.
void append_unescaped(std::string& out, base::Bytes raw);

// while (members.next()) use(members.name(), members.value());
class RawMembers final {
 public:
  explicit RawMembers(base::Bytes object);

  bool next();
  base::Bytes name() const { return name_; }    // between the quotes, escapes as written
  base::Bytes value() const { return value_; }  // without white space around it
  bool name_is(std::string_view name) const;    // with escapes resolved

 private:
  base::Bytes rest_;
  base::Bytes name_;
  base::Bytes value_;
};

// while (items.next()) use(items.value());
class RawItems final {
 public:
  explicit RawItems(base::Bytes array);

  bool next();
  base::Bytes value() const { return value_; }  // without white space around it

 private:
  base::Bytes rest_;
  base::Bytes value_;
};

// The value of the first member of that name.
std::optional<base::Bytes> raw_member(base::Bytes object, std::string_view name);

// Does one name stand twice in this object (its members' own members apart)? simdjson does not tell.
bool has_duplicate_names(base::Bytes object);

}  // namespace codec::json
