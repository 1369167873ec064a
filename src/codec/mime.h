// SPDX-License-Identifier: Apache-2.0
#pragma once
// Media types (RFC 9110 section 8.3.1) and the choice among them by an Accept field (section 12.5.1). Pure functions,
// any thread; is_json and is_text do not allocate.
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace codec {

inline constexpr std::size_t kMediaTypeBytesMax = 1024;
inline constexpr std::size_t kMediaTypeParametersMax = 16;

struct MediaType {
  struct Parameter {
    std::string name;   // lower-case
    std::string value;  // as written, without quotes
  };

  std::string type;     // lower-case
  std::string subtype;  // lower-case
  std::vector<Parameter> parameters;

  // Nothing if there is no such parameter; `name` in lower case. The view lasts as long as the media type.
  std::optional<std::string_view> parameter(std::string_view name) const;
  std::string essence() const { return type + '/' + subtype; }
};

// type "/" subtype *( OWS ";" OWS name "=" value ), all of `text`; else Errc::BadInput. "*" is a token like others.
base::Result<MediaType> parse_media_type(base::Bytes text);

// application/json, text/json and every +json, in any case and with any parameters.
bool is_json(base::Bytes content_type);
// text/*, in any case and with any parameters.
bool is_text(base::Bytes content_type);

// The index of the offered media type that an Accept field prefers; the first of equals. An empty field accepts
// everything. Nothing if no offer has a weight above 0. For each offer the most specific range decides. Ranges that
// are not well-formed count for nothing; charset=utf-8 in a range is no demand, because all that is offered is UTF-8.
std::optional<std::size_t> best_offered(base::Bytes accept, std::span<const std::string_view> offered);

}  // namespace codec
