// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "contract/read.h"

namespace contract {
namespace {

constexpr std::string_view kVersionRule = "asyncapi/version";

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

// AsyncAPI 3.0, "AsyncAPI Version String": major.minor.patch and perhaps a suffix; the minor decides.
bool read_version(Reading& reading, const Node& root) {
  const auto refuse = [&](const Where& where, std::string sentence) {
    reading.findings.error(where, kVersionRule, std::move(sentence));
    return false;
  };
  if (root.kind != Kind::Mapping) {
    return refuse(root.where(), fmt::format("an AsyncAPI document is a mapping, not {}", name(root.kind)));
  }
  const Node* version = root.get("asyncapi");
  if (!version) {
    const Node* openapi = root.get("openapi") ? root.get("openapi") : root.get("swagger");
    if (openapi) return refuse(openapi->where(), "this is an OpenAPI document; an AsyncAPI document is expected");
    return refuse(root.where(), "this is no AsyncAPI document: begin it with 'asyncapi: 3.0.0'");
  }
  if (version->kind != Kind::String) {
    return refuse(version->where(), "the version must be a string of three numbers: write 'asyncapi: 3.0.0'");
  }
  reading.contract.asyncapi = version->text;
  const std::string_view text = version->text;
  const std::size_t first = text.find('.');
  const std::size_t second = first == std::string_view::npos ? first : text.find('.', first + 1);
  const std::string_view major = text.substr(0, first);
  if (major == "2" || major == "1") {
    return refuse(version->where(), fmt::format("AsyncAPI {}.x is not served by this version; convert it with "
                                                "'asyncapi convert FILE --target-version 3.0.0'",
                                                major));
  }
  const bool well_formed =
      second != std::string_view::npos && is_digits(text.substr(second + 1, text.find('-', second) - second - 1));
  const std::string_view minor = well_formed ? text.substr(first + 1, second - first - 1) : std::string_view();
  if (major != "3" || (minor != "0" && minor != "1")) {
    return refuse(version->where(), fmt::format("'{}' is no version that is served: write 3.0.0 or 3.1.0", text));
  }
  return true;
}

void read_info(Reading& reading, const Object& root) {
  root.only({"asyncapi", "id", "info", "servers", "defaultContentType", "channels", "operations", "components"});
  reading.default_content_type = root.text("defaultContentType");
  if (reading.default_content_type.empty()) reading.default_content_type = "application/json";

  if (!root.get("info")) {
    reading.findings.error(root.where(), "asyncapi/required", "the document needs 'info' with a title and a version");
    return;
  }
  const Object info = root.object("info");
  if (!info) return;
  info.only({"title", "version", "description", "termsOfService", "contact", "license", "tags", "externalDocs"});
  reading.contract.info = {info.text("title", Need::Required), info.text("version", Need::Required),
                           info.text("description")};
}

std::string local_reference(const std::vector<std::string_view>& names) {
  std::string out = "#";
  for (const std::string_view name : names) {
    out += '/';
    for (const char c : name) {
      if (c == '~') {
        out += "~0";
      } else if (c == '/') {
        out += "~1";
      } else if (c == '%' || c == '#' || c == ' ') {
        out += fmt::format("%{:02X}", static_cast<unsigned>(c));
      } else {
        out += c;
      }
    }
  }
  return out;
}

}  // namespace contract
