// SPDX-License-Identifier: Apache-2.0
#pragma once
// JSON (RFC 8259): check, read, and write without insignificant white space. The one header that shows a library.
//
// A Parser belongs to one thread and is used again and again. A Value is a view into the last document of its Parser:
// the next check or parse ends it. simdjson does not notice duplicate names (has_duplicate_names does) and gives the
// first of them. json_raw.h keeps values as written, json_writer.h writes; those two do not need simdjson.
#include <simdjson.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/json_grammar.h"
#include "codec/json_raw.h"
#include "codec/json_writer.h"

namespace codec::json {

inline constexpr std::size_t kJsonBytesMax = std::size_t{1} << 30;
// A parser keeps about 16 bytes for each byte of its largest document; what a larger one took is given back.
inline constexpr std::size_t kJsonBytesKept = std::size_t{1} << 20;

enum class Kind : std::uint8_t { Object, Array, String, Number, Boolean, Null };

class Value final {
 public:
  explicit Value(simdjson::dom::element element) : element_(element) {}

  Kind kind() const {
    switch (element_.type()) {
      case simdjson::dom::element_type::OBJECT: return Kind::Object;
      case simdjson::dom::element_type::ARRAY: return Kind::Array;
      case simdjson::dom::element_type::STRING: return Kind::String;
      case simdjson::dom::element_type::BOOL: return Kind::Boolean;
      case simdjson::dom::element_type::NULL_VALUE: return Kind::Null;
      default: return Kind::Number;
    }
  }
  bool is(Kind wanted) const { return kind() == wanted; }

  // Nothing if the value is of another kind or, for integers, does not fit.
  std::optional<std::string_view> string() const { return as<std::string_view>(); }
  std::optional<std::int64_t> integer() const { return as<std::int64_t>(); }  // 1.0 is none
  std::optional<std::uint64_t> unsigned_integer() const { return as<std::uint64_t>(); }
  std::optional<double> number() const { return as<double>(); }
  std::optional<bool> boolean() const { return as<bool>(); }

  // The first member of that name; nothing if there is none or this is no object.
  std::optional<Value> member(std::string_view name) const {
    simdjson::dom::element found;
    if (element_.at_key(name).get(found) != simdjson::SUCCESS) return std::nullopt;
    return Value(found);
  }

  // visit(std::string_view name, Value) for each member in order; nothing happens for another kind.
  template <class Visit>
  void for_each_member(Visit&& visit) const {
    simdjson::dom::object object;
    if (element_.get(object) != simdjson::SUCCESS) return;
    for (const auto field : object) visit(field.key, Value(field.value));
  }

  // visit(Value) for each item in order; nothing happens for another kind.
  template <class Visit>
  void for_each_item(Visit&& visit) const {
    simdjson::dom::array array;
    if (element_.get(array) != simdjson::SUCCESS) return;
    for (const auto item : array) visit(Value(item));
  }

  // For code that walks the document itself.
  simdjson::dom::element element() const { return element_; }

 private:
  template <class T>
  std::optional<T> as() const {
    T value;
    if (element_.get(value) != simdjson::SUCCESS) return std::nullopt;
    return value;
  }

  simdjson::dom::element element_;
};

class Parser final {
 public:
  Parser();
  ~Parser();
  Parser(Parser&&) noexcept;
  Parser& operator=(Parser&&) noexcept;

  // Exactly one well-formed JSON text in UTF-8, at most kJsonDepthMax deep; check_grammar lists the errors.
  base::Result<void> check(base::Bytes text);

  // The same, and reads it. Well-formed, but beyond what can be read (an integer beyond 64 bits, a number beyond a
  // double, half a surrogate pair) is Errc::Unsupported.
  base::Result<Value> parse(base::Bytes text);

 private:
  using Slot = std::unique_ptr<simdjson::dom::parser>;

  static base::Result<simdjson::dom::element> read(Slot&, std::size_t depth_max, base::Bytes text);

  Slot parser_;
  Slot deepest_;  // for documents of exactly kJsonDepthMax; rarely there
};

inline base::Result<void> check_json(Parser& parser, base::Bytes text) { return parser.check(text); }

// Appends well-formed JSON without insignificant white space; numbers, strings and the order of members stay as they
// are. What is not well-formed is Errc::BadInput at best: check first. On an error `out` is as before.
base::Result<void> minify(std::string& out, base::Bytes text);

}  // namespace codec::json
