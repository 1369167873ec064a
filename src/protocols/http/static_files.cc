// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/static_files.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/siphash.h"
#include "codec/base32hex.h"
#include "protocols/http/errors.h"

namespace protocols::http {

namespace {

struct Type {
  std::string_view extension;
  std::string_view media_type;
};
constexpr std::array kTypes = {
    Type{".html", "text/html; charset=utf-8"},
    Type{".css", "text/css; charset=utf-8"},
    Type{".js", "text/javascript; charset=utf-8"},
    Type{".mjs", "text/javascript; charset=utf-8"},
    Type{".json", "application/json"},
    Type{".map", "application/json"},
    Type{".svg", "image/svg+xml"},
    Type{".png", "image/png"},
    Type{".jpg", "image/jpeg"},
    Type{".jpeg", "image/jpeg"},
    Type{".gif", "image/gif"},
    Type{".webp", "image/webp"},
    Type{".ico", "image/x-icon"},
    Type{".woff2", "font/woff2"},
    Type{".txt", "text/plain; charset=utf-8"},
    Type{".md", "text/markdown; charset=utf-8"},
    Type{".yaml", "application/yaml"},
    Type{".yml", "application/yaml"},
    Type{".wasm", "application/wasm"},
    Type{".webmanifest", "application/manifest+json"},
};

// Equal content has an equal tag, on every start; the hash need not resist anybody.
std::string entity_tag(base::Bytes content) {
  const base::Hash128 hash = base::siphash128({}, content);
  std::string tag = "\"";
  codec::append_base32hex(tag, hash.lo);
  return tag + '"';
}

bool has_tag(const RequestHead& head, std::string_view tag) {
  const std::string wanted = head.fields().joined("If-None-Match");
  return wanted == "*" || wanted.find(tag) != std::string::npos;
}

void answer_content(Exchange& exchange, const std::string& path, io::FileReply file) {
  Answer answer{200, std::string(media_type_of(path)), std::move(file.data), {}};
  std::string tag = entity_tag(answer.body);
  if (has_tag(exchange.head(), tag)) {
    answer.status = 304;
    answer.content_type.clear();
    answer.body.clear();
  }
  answer.fields.emplace_back("ETag", std::move(tag));
  answer.fields.emplace_back("Cache-Control", "no-cache");
  answer.fields.emplace_back("X-Content-Type-Options", "nosniff");
  exchange.answer(std::move(answer));
}

}  // namespace

std::string_view media_type_of(std::string_view path) {
  const std::size_t dot = path.rfind('.');
  if (dot == std::string_view::npos) return "application/octet-stream";
  const auto* type = std::ranges::find(kTypes, path.substr(dot), &Type::extension);
  return type == kTypes.end() ? "application/octet-stream" : type->media_type;
}

void StaticFiles::answer(const ExchangePtr& exchange, std::string_view path) const {
  const Method method = exchange->head().method();
  if (method != Method::Get && method != Method::Head) {
    Answer refusal = problem_answer({.status = 405,
                                     .type = "no-such-operation",
                                     .detail = "there is no channel at this path, and files are only read"});
    refusal.fields.emplace_back("Allow", "GET, HEAD, OPTIONS");
    return exchange->answer(std::move(refusal));
  }
  std::string file(path.substr(1));
  if (file.empty() || file.ends_with('/')) file += "index.html";
  read(exchange, std::move(file));
}

void StaticFiles::read(const ExchangePtr& exchange, std::string path) const {
  io::FileRequest request{
      .kind = io::FileRequest::Kind::ReadBeneath, .root = root_, .path = path, .size = kStaticFileBytesMax};
  exchange->loop().files().submit(exchange->loop(), std::move(request),
                                  [exchange, path = std::move(path)](base::Result<io::FileReply> file) mutable {
                                    if (!exchange->is_open()) return;
                                    if (!file) return exchange->answer(file_answer(file.error()));
                                    answer_content(*exchange, path, std::move(*file));
                                  });
}

}  // namespace protocols::http
