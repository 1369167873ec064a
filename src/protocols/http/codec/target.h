// SPDX-License-Identifier: Apache-2.0
#pragma once
// What an origin-form request target names: a decoded path and decoded query parameters (RFC 3986 sections 2.1, 3.3,
// 3.4), ready to be matched and compared. Pure; owns what it decoded.
//
// Because an escaped slash is refused in a path, every `/` of path() separates segments. What an escaped `*` was
// decoded from stays visible, because `%2A` is no wildcard. `+` stays `+`: times and cursors contain it, and nothing
// here is a form.
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace protocols::http {

struct Parameter {
  std::string name;
  std::string value;
  bool escaped_star = false;  // the value contains a `*` that was sent as `%2A`
};

class Target final {
 public:
  // `raw` begins with `/`, or is empty or begins with `?`, which both mean the path `/`.
  // Errc::BadInput for a broken escape, `%00`, what is not UTF-8, a fragment, and `%2F` in the path.
  static base::Result<Target> parse(std::string_view raw);

  // Begins with `/`. Segments `.` and `..` are kept: has_dot_segment() tells of them.
  const std::string& path() const { return path_; }
  bool has_dot_segment() const { return has_dot_segment_; }
  bool has_escaped_star() const { return has_escaped_star_; }

  // The parts between slashes, behind the first one: `/a//b` has `a`, ``, `b`; `/` has one empty segment.
  std::vector<std::string_view> segments() const;

  // In the order of the target, repeated names included. `a` and `a=` have an empty value; empty pairs are left out.
  const std::vector<Parameter>& query() const { return query_; }
  std::optional<std::string_view> find(std::string_view name) const;  // the first of its name
  std::size_t count(std::string_view name) const;

 private:
  std::string path_;
  std::vector<Parameter> query_;
  bool has_dot_segment_ = false;
  bool has_escaped_star_ = false;
};

}  // namespace protocols::http
