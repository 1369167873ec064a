// SPDX-License-Identifier: Apache-2.0
// JSON (RFC 8259) with the place of every value and key. Strict: what the grammar does not have is refused.
#include <fmt/format.h>

#include <utility>

#include "codec/utf8.h"
#include "contract/limits.h"
#include "contract/tree.h"

namespace contract {
namespace {

class JsonReader final {
 public:
  JsonReader(const std::string& file, std::string_view text, Budget& budget, Findings& findings)
      : text_(text), budget_(budget), findings_(findings), tree_(std::make_unique<Tree>(file)) {}

  std::unique_ptr<Tree> read() {
    const std::size_t errors_before = findings_.errors();
    skip_space();
    const Node* root = value(0);
    if (!root) return nullptr;
    skip_space();
    if (at_ < text_.size()) {
      refuse("nothing may follow the value: remove the rest");
      return nullptr;
    }
    tree_->set_root(root);
    return findings_.errors() == errors_before ? std::move(tree_) : nullptr;
  }

 private:
  const Node* value(std::size_t depth) {
    if (at_ == text_.size()) return refuse("the text ends where a value is expected");
    switch (text_[at_]) {
      case '{': return object(depth);
      case '[': return array(depth);
      case '"': {
        Node* node = add(Kind::String);
        return node && string(node->text) ? node : nullptr;
      }
      case 't': return word(Kind::Bool, "true");
      case 'f': return word(Kind::Bool, "false");
      case 'n': return word(Kind::Null, "null");
      default: return number();
    }
  }

  const Node* object(std::size_t depth) {
    Node* node = open(Kind::Mapping, depth);
    if (!node) return nullptr;
    skip_space();
    if (take('}')) return seal(node);
    for (;;) {
      skip_space();
      Member member{{}, line_, column(), nullptr};
      if (at_ == text_.size() || text_[at_] != '"') return refuse("a member begins with its name in double quotes");
      if (!string(member.key)) return nullptr;
      skip_space();
      if (!take(':')) return refuse("a colon is expected behind the name of a member");
      skip_space();
      member.value = value(depth + 1);
      if (!member.value) return nullptr;
      node->members.push_back(std::move(member));
      skip_space();
      if (take('}')) return seal(node);
      if (!take(',')) return refuse("a comma or '}' is expected here");
    }
  }

  const Node* array(std::size_t depth) {
    Node* node = open(Kind::Sequence, depth);
    if (!node) return nullptr;
    skip_space();
    if (take(']')) return seal(node);
    for (;;) {
      skip_space();
      const Node* item = value(depth + 1);
      if (!item) return nullptr;
      node->items.push_back(item);
      skip_space();
      if (take(']')) return seal(node);
      if (!take(',')) return refuse("a comma or ']' is expected here");
    }
  }

  const Node* word(Kind kind, std::string_view expected) {
    if (!text_.substr(at_).starts_with(expected)) return refuse("a value is expected here");
    Node* node = add(kind);
    if (!node) return nullptr;
    node->text = expected;
    at_ += expected.size();
    return node;
  }

  // number = [ minus ] int [ frac ] [ exp ]
  const Node* number() {
    const std::size_t start = at_;
    Node* node = add(Kind::Int);
    if (!node) return nullptr;
    take('-');
    const bool zero = take('0');
    if (!zero && !digits()) return refuse("a value is expected here");
    if (take('.')) {
      node->kind = Kind::Float;
      if (!digits()) return refuse("a digit is expected behind the point");
    }
    if (take('e') || take('E')) {
      node->kind = Kind::Float;
      if (!take('+')) take('-');
      if (!digits()) return refuse("a digit is expected in the exponent");
    }
    node->text = text_.substr(start, at_ - start);
    return node;
  }

  bool digits() {
    const std::size_t start = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
    return at_ > start;
  }

  // The quote stands at at_.
  bool string(std::string& out) {
    ++at_;
    for (;;) {
      if (at_ == text_.size()) return refuse("the text ends within a string") != nullptr;
      const char c = text_[at_];
      if (static_cast<unsigned char>(c) < 0x20) {
        return refuse("a control character in a string must be written as an escape") != nullptr;
      }
      if (c == '"') break;
      if (c == '\\') {
        if (!escape(out)) return false;
        continue;
      }
      out += c;
      ++at_;
    }
    ++at_;
    return true;
  }

  bool escape(std::string& out) {
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const char letter = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (letter == 'u') return unicode_escape(out);
    const std::size_t found = kLetters.find(letter);
    if (letter == '\0' || found == std::string_view::npos) {
      return refuse("this is no escape of JSON: write \\\\ for a backslash") != nullptr;
    }
    out += kMeanings[found];
    at_ += 2;
    return true;
  }

  bool unicode_escape(std::string& out) {
    const std::size_t start = at_;
    std::uint32_t code = 0;
    if (!hex4(at_ + 2, code)) return refuse("four hexadecimal digits are expected behind \\u") != nullptr;
    at_ += 6;
    if (code >= 0xd800 && code < 0xe000) {
      std::uint32_t low = 0;
      const bool pair =
          code < 0xdc00 && text_.substr(at_).starts_with("\\u") && hex4(at_ + 2, low) && low >= 0xdc00 && low < 0xe000;
      if (!pair) {
        at_ = start;
        return refuse("half of a surrogate pair stands alone: write both halves") != nullptr;
      }
      at_ += 6;
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    codec::append_utf8(out, code);
    return true;
  }

  bool hex4(std::size_t from, std::uint32_t& code) const {
    if (from + 4 > text_.size()) return false;
    code = 0;
    for (const char c : text_.substr(from, 4)) {
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) return false;
      code = code * 16 + static_cast<std::uint32_t>(digit);
    }
    return true;
  }

  Node* open(Kind kind, std::size_t depth) {
    if (depth >= kDepthMax) {
      findings_.error(here(), "file/depth", fmt::format("more than {} levels of nesting: use $ref", kDepthMax));
      return nullptr;
    }
    Node* node = add(kind);
    ++at_;
    return node;
  }

  const Node* seal(Node* node) {
    tree_->seal(*node, findings_);
    return node;
  }

  bool take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  void skip_space() {
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '\n') {
        ++line_;
        line_start_ = at_ + 1;
      } else if (c != ' ' && c != '\t' && c != '\r') {
        return;
      }
    }
  }

  // Line ends occur between tokens only, so the line is always known; columns are counted on from the last one asked
  // for, because a file may be one long line.
  std::uint32_t column() {
    if (column_line_start_ != line_start_) {
      column_line_start_ = line_start_;
      column_at_ = line_start_;
      column_ = 1;
    }
    if (at_ < column_at_) {  // an error points back to where its token began
      column_at_ = line_start_;
      column_ = 1;
    }
    for (; column_at_ < at_; ++column_at_) {
      if ((static_cast<unsigned char>(text_[column_at_]) & 0xc0) != 0x80) ++column_;
    }
    return column_;
  }

  Where here() { return {tree_->file(), line_, column()}; }

  Node* add(Kind kind) {
    if (++budget_.nodes > kNodesMax) {
      findings_.error(here(), "contract/size",
                      fmt::format("the contract has more than {} values: split it", kNodesMax));
      return nullptr;
    }
    return &tree_->add(kind, line_, column());
  }

  // Always null, so that every reading function can end with it.
  const Node* refuse(std::string_view sentence) {
    findings_.error(here(), "json/syntax", fmt::format("not JSON: {}", sentence));
    return nullptr;
  }

  const std::string_view text_;
  Budget& budget_;
  Findings& findings_;
  std::unique_ptr<Tree> tree_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 1;
  std::size_t line_start_ = 0;
  std::size_t column_line_start_ = 0;
  std::size_t column_at_ = 0;
  std::uint32_t column_ = 1;
};

}  // namespace

std::unique_ptr<Tree> read_json(const std::string& file, std::string_view text, Budget& budget, Findings& findings) {
  if (const std::size_t bad = first_bad_utf8(text); bad < text.size()) {
    findings.error(where_of(file, text, bad), "json/syntax", "not JSON: this is not UTF-8: save the file as UTF-8");
    return nullptr;
  }
  return JsonReader(file, text, budget, findings).read();
}

}  // namespace contract
