// SPDX-License-Identifier: Apache-2.0
// YAML by libyaml's events. Ours are the types of scalars, the refusal of duplicate keys, and shared anchors.
#include <fmt/format.h>
#include <yaml.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/result.h"
#include "contract/limits.h"
#include "contract/tree.h"
#include "contract/yaml_scalar.h"

namespace contract {
namespace {

class Event final {
 public:
  Event() = default;
  ~Event() { clear(); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  bool next(yaml_parser_t& parser) {
    clear();
    full_ = yaml_parser_parse(&parser, &event_) == 1;
    return full_;
  }
  const yaml_event_t* operator->() const { return &event_; }
  const yaml_event_t& operator*() const { return event_; }

 private:
  void clear() {
    if (full_) yaml_event_delete(&event_);
    full_ = false;
  }
  yaml_event_t event_{};
  bool full_ = false;
};

std::string_view text_of(const yaml_char_t* text) {
  return text ? std::string_view(reinterpret_cast<const char*>(text)) : std::string_view();
}

class YamlReader final {
 public:
  YamlReader(const std::string& file, std::string_view text, Budget& budget, Findings& findings)
      : text_(text), budget_(budget), findings_(findings), tree_(std::make_unique<Tree>(file)) {
    CHECK(yaml_parser_initialize(&parser_) == 1, "libyaml has memory for a parser");
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  ~YamlReader() { yaml_parser_delete(&parser_); }
  YamlReader(const YamlReader&) = delete;
  YamlReader& operator=(const YamlReader&) = delete;

  std::unique_ptr<Tree> read() {
    const std::size_t errors_before = findings_.errors();
    Event event;
    do {
      if (!event.next(parser_)) {
        report_syntax();
        return nullptr;
      }
      if (!on_event(*event)) return nullptr;
    } while (event->type != YAML_STREAM_END_EVENT);
    if (!tree_->root()) {
      findings_.error({tree_->file(), 1, 1}, "yaml/empty", "the file is empty: write a document into it");
      return nullptr;
    }
    return findings_.errors() == errors_before ? std::move(tree_) : nullptr;
  }

 private:
  struct Open {
    Node* node;
    bool has_key = false;  // of a mapping: the next node is a value
    Member member;
  };

  // False after an error that makes the rest unreadable.
  bool on_event(const yaml_event_t& event) {
    switch (event.type) {
      case YAML_DOCUMENT_START_EVENT:
        if (!tree_->root()) return true;
        return refuse(event, "yaml/several-documents", "a second document begins here: keep one document per file");
      case YAML_SCALAR_EVENT: return on_scalar(event);
      case YAML_ALIAS_EVENT: return on_alias(event);
      case YAML_SEQUENCE_START_EVENT:
        return open(event, Kind::Sequence, text_of(event.data.sequence_start.tag),
                    text_of(event.data.sequence_start.anchor));
      case YAML_MAPPING_START_EVENT:
        return open(event, Kind::Mapping, text_of(event.data.mapping_start.tag),
                    text_of(event.data.mapping_start.anchor));
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT: close(); return true;
      default: return true;
    }
  }

  bool on_scalar(const yaml_event_t& event) {
    const auto& scalar = event.data.scalar;
    std::string text(reinterpret_cast<const char*>(scalar.value), scalar.length);
    const bool plain = scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (expects_key()) return on_key(event, std::move(text), plain);

    const std::string_view tag = text_of(scalar.tag);
    Kind kind = plain && tag.empty() ? core_schema_kind(text) : Kind::String;
    if (!tag.empty() && tag != "!" && !apply_tag(tag, text, kind)) {
      return refuse(event, "yaml/tag", fmt::format("the tag '{}' does not fit here: remove it", tag));
    }
    Node* node = add(event, kind);
    if (!node) return false;
    node->text = std::move(text);
    name_anchor(text_of(scalar.anchor), node);
    return attach(node);
  }

  static bool apply_tag(std::string_view tag, std::string_view text, Kind& kind) {
    const Kind plain = core_schema_kind(text);
    kind = plain;
    if (tag == YAML_NULL_TAG) return plain == Kind::Null;
    if (tag == YAML_BOOL_TAG) return plain == Kind::Bool;
    if (tag == YAML_INT_TAG) return plain == Kind::Int;
    if (tag == YAML_FLOAT_TAG) {
      kind = Kind::Float;
      return plain == Kind::Float || plain == Kind::Int;
    }
    kind = Kind::String;
    return tag == YAML_STR_TAG;
  }

  bool on_key(const yaml_event_t& event, std::string text, bool plain) {
    if (plain && text == "<<") {
      return refuse(event, "yaml/merge-key", "YAML 1.2 has no merge key: write the members out, or use $ref");
    }
    // A key may carry an anchor, as any node; an alias may then bring its text back as a value.
    const std::string_view anchor = text_of(event.data.scalar.anchor);
    if (!anchor.empty()) {
      Node* node = add(event, plain ? core_schema_kind(text) : Kind::String);
      if (!node) return false;
      node->text = text;
      name_anchor(anchor, node);
    }
    set_key(event, std::move(text));
    return true;
  }

  bool on_alias(const yaml_event_t& event) {
    const std::string_view anchor = text_of(event.data.alias.anchor);
    const auto found = anchors_.find(std::string(anchor));
    if (found == anchors_.end()) {
      return refuse(event, "yaml/alias", fmt::format("no anchor '&{}' stands before this alias: add it", anchor));
    }
    const Node* node = found->second;
    const auto holds = [&](const Open& open) { return open.node == node; };
    if (std::any_of(stack_.begin(), stack_.end(), holds)) {
      return refuse(event, "yaml/alias", fmt::format("'*{}' stands within its own anchor: use $ref", anchor));
    }
    if (expects_key()) {
      if (node->height > 0) return refuse_key(event);
      set_key(event, node->text);
      return true;
    }
    if (stack_.size() + node->height > kDepthMax) return refuse_depth(event);
    return attach(node);
  }

  bool open(const yaml_event_t& event, Kind kind, std::string_view tag, std::string_view anchor) {
    if (expects_key()) return refuse_key(event);
    const std::string_view own_tag = kind == Kind::Sequence ? YAML_SEQ_TAG : YAML_MAP_TAG;
    if (!tag.empty() && tag != "!" && tag != own_tag) {
      return refuse(event, "yaml/tag", fmt::format("the tag '{}' does not fit here: remove it", tag));
    }
    if (stack_.size() >= kDepthMax) return refuse_depth(event);
    Node* node = add(event, kind);
    if (!node) return false;
    name_anchor(anchor, node);
    stack_.push_back({node, false, {}});
    return true;
  }

  void close() {
    Node* node = stack_.back().node;
    stack_.pop_back();
    tree_->seal(*node, findings_);
    attach(node);
  }

  bool expects_key() const {
    return !stack_.empty() && stack_.back().node->kind == Kind::Mapping && !stack_.back().has_key;
  }

  void set_key(const yaml_event_t& event, std::string text) {
    const auto line = static_cast<std::uint32_t>(event.start_mark.line + 1);
    const auto column = static_cast<std::uint32_t>(event.start_mark.column + 1);
    stack_.back().member = {std::move(text), line, column, nullptr};
    stack_.back().has_key = true;
  }

  bool attach(const Node* node) {
    if (stack_.empty()) {
      tree_->set_root(node);
      return true;
    }
    Open& parent = stack_.back();
    if (parent.node->kind == Kind::Sequence) {
      parent.node->items.push_back(node);
      return true;
    }
    parent.member.value = node;
    parent.node->members.push_back(std::exchange(parent.member, {}));
    parent.has_key = false;
    return true;
  }

  void name_anchor(std::string_view anchor, const Node* node) {
    if (!anchor.empty()) anchors_[std::string(anchor)] = node;  // a later anchor of the same name wins
  }

  Node* add(const yaml_event_t& event, Kind kind) {
    if (++budget_.nodes > kNodesMax) {
      refuse(event, "contract/size", fmt::format("the contract has more than {} values: split it", kNodesMax));
      return nullptr;
    }
    return &tree_->add(kind, static_cast<std::uint32_t>(event.start_mark.line + 1),
                       static_cast<std::uint32_t>(event.start_mark.column + 1));
  }

  bool refuse(const yaml_event_t& event, std::string_view rule, std::string sentence) {
    findings_.error({tree_->file(), static_cast<std::uint32_t>(event.start_mark.line + 1),
                     static_cast<std::uint32_t>(event.start_mark.column + 1)},
                    rule, std::move(sentence));
    return false;
  }

  bool refuse_key(const yaml_event_t& event) {
    return refuse(event, "yaml/key", "a key must be a scalar: give the member a plain name");
  }

  bool refuse_depth(const yaml_event_t& event) {
    return refuse(event, "file/depth", fmt::format("more than {} levels of nesting: use $ref", kDepthMax));
  }

  void report_syntax() {
    const std::string_view problem = parser_.problem ? parser_.problem : "not well-formed";
    Where where{tree_->file(), static_cast<std::uint32_t>(parser_.problem_mark.line + 1),
                static_cast<std::uint32_t>(parser_.problem_mark.column + 1)};
    if (parser_.error == YAML_READER_ERROR) {
      // libyaml points behind the beginning of a broken character, and at other characters that it refuses.
      where = where_of(tree_->file(), text_, std::min(first_bad_utf8(text_), parser_.problem_offset));
    }
    std::string sentence = fmt::format("not YAML: {}", problem);
    if (parser_.context) sentence += fmt::format(" {}", parser_.context);
    if (parser_.context && parser_.context_mark.line != parser_.problem_mark.line) {
      sentence += fmt::format(" that begins on line {}", parser_.context_mark.line + 1);
    }
    findings_.error(where, "yaml/syntax", std::move(sentence));
  }

  yaml_parser_t parser_{};
  const std::string_view text_;
  Budget& budget_;
  Findings& findings_;
  std::unique_ptr<Tree> tree_;
  std::vector<Open> stack_;
  std::unordered_map<std::string, const Node*> anchors_;
};

}  // namespace

std::unique_ptr<Tree> read_yaml(const std::string& file, std::string_view text, Budget& budget, Findings& findings) {
  return YamlReader(file, text, budget, findings).read();
}

}  // namespace contract
