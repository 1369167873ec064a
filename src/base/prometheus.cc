// SPDX-License-Identifier: Apache-2.0
#include "base/prometheus.h"

namespace base {

namespace {

void append_label_value(std::string& out, std::string_view value) {
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
}

}  // namespace

void Prometheus::family(std::string_view name, std::string_view help, Kind kind) {
  name_ = name;
  out_.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ").append(name);
  out_ += kind == Kind::Counter ? " counter\n" : " gauge\n";
}

void Prometheus::sample(Labels labels, std::uint64_t value) {
  out_ += name_;
  char before = '{';
  for (const auto& [label, text] : labels) {
    out_ += before;
    out_.append(label).append("=\"");
    append_label_value(out_, text);
    out_ += '"';
    before = ',';
  }
  if (before == ',') out_ += '}';
  out_ += ' ';
  out_ += std::to_string(value);
  out_ += '\n';
}

}  // namespace base
