// SPDX-License-Identifier: Apache-2.0
#include "codec/mime.h"

#include <algorithm>

namespace codec {

using base::Bytes;
using base::Errc;
using base::fail;
using base::Result;

namespace {

constexpr int kWeightMax = 1000;  // a weight of 1, in thousandths

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(Bytes text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

bool equals_ignoring_case(Bytes text, std::string_view lower_case) {
  return std::ranges::equal(text, lower_case, [](char a, char b) { return lower(a) == b; });
}

// RFC 9110 section 5.6.2.
bool is_token_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").contains(c));
}

void skip_space(Bytes& in) { in.remove_prefix(std::min(in.find_first_not_of(" \t"), in.size())); }

bool take_character(Bytes& in, char c) {
  if (!in.starts_with(c)) return false;
  in.remove_prefix(1);
  return true;
}

// Empty if there is none.
Bytes take_token(Bytes& in) {
  const Bytes from = in;
  while (!in.empty() && is_token_character(in[0])) in.remove_prefix(1);
  return from.substr(0, from.size() - in.size());
}

// quoted-string, RFC 9110 section 5.6.4, at its opening quote; nothing if it does not end.
std::optional<std::string> take_quoted(Bytes& in) {
  std::string value;
  for (in.remove_prefix(1); !in.empty(); in.remove_prefix(1)) {
    if (in[0] == '"') {
      in.remove_prefix(1);
      return value;
    }
    if (in[0] == '\\') in.remove_prefix(1);
    if (in.empty()) break;
    const auto octet = static_cast<unsigned char>(in[0]);
    if ((octet < ' ' && octet != '\t') || octet == 0x7f) break;
    value += in[0];
  }
  return std::nullopt;
}

// name "=" ( token / quoted-string )
std::optional<MediaType::Parameter> take_parameter(Bytes& in) {
  const Bytes name = take_token(in);
  if (name.empty() || !take_character(in, '=')) return std::nullopt;
  if (!in.starts_with('"')) {
    const Bytes value = take_token(in);
    if (value.empty()) return std::nullopt;
    return MediaType::Parameter{lower(name), std::string(value)};
  }
  auto value = take_quoted(in);
  if (!value) return std::nullopt;
  return MediaType::Parameter{lower(name), std::move(*value)};
}

// Takes a media type from the front, and stops in front of whatever is neither white space nor a parameter.
Result<MediaType> take_media_type(Bytes& in) {
  MediaType media;
  media.type = lower(take_token(in));
  const bool slash = take_character(in, '/');
  media.subtype = lower(take_token(in));
  if (media.type.empty() || !slash || media.subtype.empty()) {
    return fail(Errc::BadInput, "a media type is not type/subtype");
  }
  for (skip_space(in); take_character(in, ';'); skip_space(in)) {
    skip_space(in);
    if (in.empty() || in[0] == ';' || in[0] == ',') continue;  // RFC 9110 section 5.6.6 permits empty parameters
    auto parameter = take_parameter(in);
    if (!parameter) return fail(Errc::BadInput, "a media type has a malformed parameter");
    if (media.parameters.size() == kMediaTypeParametersMax) {
      return fail(Errc::TooLarge, "a media type has more than 16 parameters");
    }
    media.parameters.push_back(std::move(*parameter));
  }
  return media;
}

// Behind a malformed element, to the comma that ends it; commas in quotes end nothing.
void skip_element(Bytes& in) {
  bool quoted = false;
  for (; !in.empty(); in.remove_prefix(1)) {
    if (in[0] == '\\' && quoted && in.size() > 1) {
      in.remove_prefix(1);
    } else if (in[0] == '"') {
      quoted = !quoted;
    } else if (in[0] == ',' && !quoted) {
      return;
    }
  }
}

// RFC 9110 section 12.4.2: "0" or "1" with at most three decimals; in thousandths.
std::optional<int> parse_weight(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int weight = (text[0] - '0') * kWeightMax;
  int unit = kWeightMax / 10;
  for (const char c : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (c < '0' || c > '9') return std::nullopt;
    weight += (c - '0') * unit;
    unit /= 10;
  }
  if (weight > kWeightMax) return std::nullopt;
  return weight;
}

struct Range {
  MediaType media;
  int weight = kWeightMax;
};

// The parameters before "q" belong to the range, those behind it were extensions that RFC 9110 removed.
std::optional<Range> range_of(MediaType media) {
  Range range;
  const auto q = std::ranges::find(media.parameters, "q", &MediaType::Parameter::name);
  if (q != media.parameters.end()) {
    const auto weight = parse_weight(q->value);
    if (!weight) return std::nullopt;
    range.weight = *weight;
    media.parameters.erase(q, media.parameters.end());
  }
  std::erase_if(media.parameters, [](const MediaType::Parameter& parameter) {
    return parameter.name == "charset" && equals_ignoring_case(parameter.value, "utf-8");
  });
  if (media.type == "*" && media.subtype != "*") return std::nullopt;
  range.media = std::move(media);
  return range;
}

std::vector<Range> parse_accept(Bytes in) {
  std::vector<Range> ranges;
  while (!in.empty()) {
    skip_space(in);
    auto media = take_media_type(in);
    const bool complete = in.empty() || in[0] == ',';
    if (!complete) skip_element(in);
    if (media && complete) {
      if (auto range = range_of(std::move(*media))) ranges.push_back(std::move(*range));
    }
    take_character(in, ',');
  }
  return ranges;
}

// 0: does not match; */* is 1, type/* 2, type/subtype 3, and each parameter adds one.
std::size_t specificity(const MediaType& range, const MediaType& offer) {
  if (range.type == "*") return 1;
  if (range.type != offer.type) return 0;
  if (range.subtype == "*") return 2;
  if (range.subtype != offer.subtype) return 0;
  for (const MediaType::Parameter& wanted : range.parameters) {
    const auto value = offer.parameter(wanted.name);
    if (!value || !equals_ignoring_case(*value, lower(wanted.value))) return 0;
  }
  return 3 + range.parameters.size();
}

int weight_of(const MediaType& offer, const std::vector<Range>& ranges) {
  std::size_t best = 0;
  int weight = 0;
  for (const Range& range : ranges) {
    const std::size_t specific = specificity(range.media, offer);
    if (specific <= best) continue;
    best = specific;
    weight = range.weight;
  }
  return weight;
}

// The part before the parameters.
Bytes essence_of(Bytes content_type) {
  Bytes essence = content_type.substr(0, content_type.find(';'));
  while (essence.ends_with(' ') || essence.ends_with('\t')) essence.remove_suffix(1);
  return essence;
}

}  // namespace

std::optional<std::string_view> MediaType::parameter(std::string_view name) const {
  const auto found = std::ranges::find(parameters, name, &Parameter::name);
  if (found == parameters.end()) return std::nullopt;
  return found->value;
}

Result<MediaType> parse_media_type(Bytes text) {
  if (text.size() > kMediaTypeBytesMax) return fail(Errc::TooLarge, "a media type is longer than 1 KiB");
  MediaType media = TRY(take_media_type(text));
  if (!text.empty()) return fail(Errc::BadInput, "a media type is followed by something else");
  return media;
}

bool is_json(Bytes content_type) {
  if (content_type == "application/json") return true;
  const Bytes essence = essence_of(content_type);
  if (equals_ignoring_case(essence, "application/json") || equals_ignoring_case(essence, "text/json")) return true;
  const std::size_t slash = essence.find('/');
  if (slash == Bytes::npos || slash == 0 || essence.size() < slash + 1 + 5) return false;
  return equals_ignoring_case(essence.substr(essence.size() - 5), "+json");
}

bool is_text(Bytes content_type) {
  const Bytes essence = essence_of(content_type);
  return essence.size() > 5 && equals_ignoring_case(essence.substr(0, 5), "text/");
}

std::optional<std::size_t> best_offered(Bytes accept, std::span<const std::string_view> offered) {
  if (offered.empty()) return std::nullopt;
  skip_space(accept);
  if (accept.empty()) return 0;
  const std::vector<Range> ranges = parse_accept(accept);
  std::optional<std::size_t> best;
  int best_weight = 0;
  for (std::size_t i = 0; i < offered.size(); ++i) {
    const auto offer = parse_media_type(offered[i]);
    CHECK(offer, "an offered media type is not well-formed");
    const int weight = weight_of(*offer, ranges);
    if (weight <= best_weight) continue;
    best = i;
    best_weight = weight;
  }
  return best;
}

}  // namespace codec
