// SPDX-License-Identifier: Apache-2.0
#pragma once
// Writes JSON at the end of a string, commas included. Any thread; borrows the string.
//
// The caller keeps to the grammar: a key before every value of an object, ends that match. Text is UTF-8 already.
//
//   Writer json(out);
//   json.begin_object().member("type", "pong").key("data").raw(value).end_object();
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace codec::json {

// The text without quotes: `"`, `\` and controls escaped, everything else as it is.
void append_escaped(std::string& out, std::string_view text);

// The same in quotes.
void append_string(std::string& out, std::string_view text);

class Writer final {
 public:
  explicit Writer(std::string& out) : out_(out), start_(out.size()) {}

  Writer& begin_object() { return open('{'); }
  Writer& end_object() { return close('}'); }
  Writer& begin_array() { return open('['); }
  Writer& end_array() { return close(']'); }

  Writer& key(std::string_view name) {
    string(name);
    out_ += ':';
    return *this;
  }
  Writer& string(std::string_view text) {
    comma();
    append_string(out_, text);
    return *this;
  }
  Writer& raw(base::Bytes json) {  // one JSON text
    comma();
    out_.append(json);
    return *this;
  }
  Writer& null() { return raw("null"); }
  Writer& boolean(bool value) { return raw(value ? "true" : "false"); }
  Writer& integer(std::int64_t value);
  Writer& unsigned_integer(std::uint64_t value);
  Writer& base64(base::Bytes bytes);  // as a string

  Writer& member(std::string_view name, std::string_view text) { return key(name).string(text); }

 private:
  // A comma is due unless the last character opens something or announces a value; no value ends in one of these.
  void comma() {
    if (out_.size() == start_) return;
    const char last = out_.back();
    if (last != '{' && last != '[' && last != ':') out_ += ',';
  }
  Writer& open(char c) {
    comma();
    out_ += c;
    return *this;
  }
  Writer& close(char c) {
    out_ += c;
    return *this;
  }

  std::string& out_;
  std::size_t start_;
};

}  // namespace codec::json
