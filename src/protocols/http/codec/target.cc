// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/codec/target.h"

#include <algorithm>
#include <utility>

#include "codec/percent.h"
#include "codec/utf8.h"

namespace protocols::http {
namespace {

using base::Errc;
using base::fail;
using base::Result;

enum class Slash : unsigned char { MayBeEscaped, MustStandItself };

struct Decoded {
  std::string text;
  bool escaped_star = false;
};

// A `%` always begins an escape, so the three characters are found wherever they stand.
bool has_escape(std::string_view raw, std::string_view upper, std::string_view lower) {
  return raw.find(upper) != raw.npos || raw.find(lower) != raw.npos;
}

Result<std::string> decode(std::string_view raw) {
  std::string text;
  TRY(codec::decode_percent(text, raw));
  if (text.find('\0') != text.npos) return fail(Errc::BadInput, "the target has a NUL");
  if (!codec::is_utf8(text)) return fail(Errc::BadInput, "the target is not UTF-8 once decoded");
  return text;
}

Result<std::vector<Parameter>> parse_query(std::string_view raw) {
  std::vector<Parameter> query;
  while (!raw.empty()) {
    const auto end = std::min(raw.find('&'), raw.size());
    const auto pair = raw.substr(0, end);
    raw.remove_prefix(std::min(end + 1, raw.size()));
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    const auto raw_value = pair.substr(std::min(equals + 1, pair.size()));
    auto name = TRY(decode(pair.substr(0, equals)));
    auto value = TRY(decode(raw_value));
    query.push_back({std::move(name), std::move(value), has_escape(raw_value, "%2A", "%2a")});
  }
  return query;
}

}  // namespace

Result<Target> Target::parse(std::string_view raw) {
  if (raw.find('#') != raw.npos) return fail(Errc::BadInput, "the target has a fragment");
  const auto question = std::min(raw.find('?'), raw.size());
  const auto raw_path = raw.substr(0, question);
  if (!raw_path.empty() && raw_path.front() != '/')
    return fail(Errc::BadInput, "the target does not begin with a slash");
  Target target;
  if (has_escape(raw_path, "%2F", "%2f")) return fail(Errc::BadInput, "the path has an escaped slash");
  target.path_ = raw_path.empty() ? "/" : TRY(decode(raw_path));
  target.has_escaped_star_ = has_escape(raw_path, "%2A", "%2a");
  if (question < raw.size()) target.query_ = TRY(parse_query(raw.substr(question + 1)));
  const auto segments = target.segments();
  target.has_dot_segment_ = std::any_of(segments.begin(), segments.end(),
                                        [](std::string_view segment) { return segment == "." || segment == ".."; });
  return target;
}

std::vector<std::string_view> Target::segments() const {
  std::vector<std::string_view> parts;
  std::string_view rest = std::string_view(path_).substr(1);
  while (true) {
    const auto slash = rest.find('/');
    parts.push_back(rest.substr(0, slash));
    if (slash == rest.npos) return parts;
    rest.remove_prefix(slash + 1);
  }
}

std::optional<std::string_view> Target::find(std::string_view name) const {
  for (const auto& parameter : query_) {
    if (parameter.name == name) return parameter.value;
  }
  return std::nullopt;
}

std::size_t Target::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(query_.begin(), query_.end(), [name](const Parameter& p) { return p.name == name; }));
}

}  // namespace protocols::http
