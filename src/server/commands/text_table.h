// SPDX-License-Identifier: Apache-2.0
#pragma once
// Rows of words in columns, for people. Pure.
#include <string>
#include <vector>

namespace server {

enum class Align : unsigned char { Left, Right };

class TextTable final {
 public:
  struct Column {
    std::string heading;
    Align align = Align::Right;
  };
  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

  void add(std::vector<std::string> row);  // as many as columns
  std::string text() const;                // each line indented, without blanks at its end

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace server
