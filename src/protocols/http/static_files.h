// SPDX-License-Identifier: Apache-2.0
#pragma once
// The files of one folder, beneath its root only, with `index.html` for folders: strong ETag of the content,
// `Cache-Control: no-cache`, 304 (RFC 9110 section 13.1.2). Links that leave the folder are not followed.
//
// Thread: one loop; files are read by io::Files and answered when they are there.
#include <cstdint>
#include <string>
#include <string_view>

#include "protocols/http/exchange.h"

namespace protocols::http {

inline constexpr std::uint64_t kStaticFileBytesMax = 16 << 20;

class StaticFiles final {
 public:
  explicit StaticFiles(std::string root) : root_(std::move(root)) {}
  bool has_root() const { return !root_.empty(); }

  // `path` is decoded, begins with '/' and has no dot segment.
  void answer(const ExchangePtr&, std::string_view path) const;

 private:
  void read(const ExchangePtr&, std::string path) const;
  std::string root_;
};

std::string_view media_type_of(std::string_view path);

}  // namespace protocols::http
