// SPDX-License-Identifier: Apache-2.0
#include "server/commands/text_table.h"

#include <algorithm>

#include "base/result.h"

namespace server {

namespace {

constexpr const char* kIndent = "  ";
constexpr const char* kGap = "  ";

// Of UTF-8: as many columns as code points, which is right for what topics are called.
std::size_t width_of(const std::string& word) {
  return static_cast<std::size_t>(std::ranges::count_if(word, [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

void TextTable::add(std::vector<std::string> row) {
  CHECK(row.size() == columns_.size(), "a row of a table has another number of columns");
  rows_.push_back(std::move(row));
}

std::string TextTable::text() const {
  std::vector<std::string> headings;
  for (const Column& column : columns_) headings.push_back(column.heading);
  std::vector<std::size_t> widths(columns_.size());
  const auto widen = [&](const std::vector<std::string>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  };
  widen(headings);
  for (const auto& row : rows_) widen(row);
  std::string out;
  const auto append = [&](const std::vector<std::string>& row) {
    std::string line = kIndent;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string blanks(widths[i] - width_of(row[i]), ' ');
      line += (i == 0 ? "" : kGap) + (columns_[i].align == Align::Left ? row[i] + blanks : blanks + row[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  };
  append(headings);
  for (const auto& row : rows_) append(row);
  return out;
}

}  // namespace server
