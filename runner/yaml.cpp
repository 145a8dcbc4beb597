#include "runner/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <sstream>
#include <unordered_map>

namespace rackproof {
namespace {

constexpr std::size_t kDeepest = 64;
constexpr std::size_t kMostNodes = 100'000;

using Kind = YamlNode::Kind;

// Translates yaml-cpp's marks, which count bytes from 0, into places.
class Places {
 public:
  Places(std::string_view file, std::string_view text) : file_(file), text_(text), characters_(text.size() + 1) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool begins = (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
      characters_[i + 1] = characters_[i] + (begins ? 1 : 0);
    }
  }

  std::size_t offset(const YAML::Mark& mark) const {
    return std::min(static_cast<std::size_t>(std::max(mark.pos, 0)), text_.size());
  }

  Place operator()(const YAML::Mark& mark) const {
    if (mark.is_null()) return {file_, 0, 0};
    const std::size_t at = offset(mark);
    const std::size_t line_begin = at - std::min(at, static_cast<std::size_t>(std::max(mark.column, 0)));
    return {file_, mark.line + 1, static_cast<int>(characters_[at] - characters_[line_begin]) + 1};
  }

  // The tab among the blanks that the line of `mark` begins with; a place without a line when there is none.
  Place tab_before(const YAML::Mark& mark) const {
    std::size_t at = offset(mark);
    at = at == 0 ? 0 : text_.rfind('\n', at - 1) + 1;
    for (int column = 1; at < text_.size() && (text_[at] == ' ' || text_[at] == '\t'); ++at, ++column) {
      if (text_[at] == '\t') return {file_, mark.line + 1, column};
    }
    return {file_, 0, 0};
  }

 private:
  std::string_view file_;
  std::string_view text_;
  std::vector<std::uint32_t> characters_;  // that begin before each byte
};

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, const Places& places, std::deque<YamlNode>& nodes)
      : text_(text), places_(places), nodes_(nodes) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (nodes_.empty()) return;
    if (text_.substr(places_.offset(mark)).starts_with("---")) {
      refuse(places_(mark), "a second document begins here, and a file holds one");
    }
    refuse(places_(mark), "this stands after the end of the file's one value; is it indented as it should be?");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const YamlNode& node = add(Kind::nothing, mark);
    remember(anchor, node, 1);
    attach(node);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode& node = add(Kind::scalar, mark);
    if (tag != "?" && tag != "!") refuse_tag(node);
    const auto control =
        std::ranges::find_if(value, [](char c) { return (c >= 0 && c < 0x20 && c != '\n' && c != '\t') || c == 0x7F; });
    if (control != value.end()) refuse(node.place, "this text holds a control character, which no field may");
    node.quoted = tag == "!";
    node.text = value;
    const std::string_view source = text_.substr(places_.offset(mark));
    if (source.starts_with(value)) node.text_column = node.place.column;
    if (node.quoted && source.size() > 1 && source.substr(1).starts_with(value)) {
      node.text_column = node.place.column + 1;
    }
    remember(anchor, node, 1);
    attach(node);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchored_.find(anchor);
    if (found == anchored_.end()) refuse(places_(mark), "this alias stands inside the value that it repeats");
    count(found->second.size, places_(mark));
    attach(*found->second.node);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Kind::list, mark, tag, anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Kind::map, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    YamlNode* node;
    YAML::anchor_t anchor;
    std::size_t counted_before;
    const YamlNode* key = nullptr;                                 // of a map, until its value comes
    std::unordered_map<std::string_view, const YamlNode*> keys{};  // so far
  };
  struct Anchored {
    const YamlNode* node;
    std::size_t size;  // nodes, aliases within expanded
  };

  void count(std::size_t nodes, const Place& place) {
    counted_ += nodes;
    if (counted_ > kMostNodes) {
      refuse(place, fmt::format("expands to more than {} nodes; is an alias repeated?", kMostNodes));
    }
  }

  YamlNode& add(Kind kind, const YAML::Mark& mark) {
    const Place place = places_(mark);
    count(1, place);
    YamlNode& node = nodes_.emplace_back();
    node.kind = kind;
    node.place = place;
    return node;
  }

  void remember(YAML::anchor_t anchor, const YamlNode& node, std::size_t size) {
    if (anchor != YAML::NullAnchor) anchored_[anchor] = {&node, size};
  }

  [[noreturn]] void refuse_tag(const YamlNode& node) const {
    refuse(node.place, "tags such as '!!int' are not part of this language; leave it out");
  }

  void open(Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    const std::size_t counted_before = counted_;
    YamlNode& node = add(kind, mark);
    if (tag != "?" && !tag.empty()) refuse_tag(node);
    if (open_.size() == kDeepest) refuse(node.place, fmt::format("nested more than {} deep", kDeepest));
    attach(node);
    open_.push_back(Open{&node, anchor, counted_before});
  }

  void close() {
    const Open& closed = open_.back();
    remember(closed.anchor, *closed.node, counted_ - closed.counted_before);
    open_.pop_back();
  }

  void attach(const YamlNode& node) {
    if (open_.empty()) return;
    Open& parent = open_.back();
    if (parent.node->kind == Kind::list) {
      parent.node->items.push_back(&node);
    } else if (parent.key == nullptr) {
      check_key(parent, node);
      parent.key = &node;
    } else {
      parent.node->entries.emplace_back(parent.key, &node);
      parent.key = nullptr;
    }
  }

  void check_key(Open& map, const YamlNode& key) const {
    if (key.kind == Kind::nothing) refuse(key.place, "a key must be a name, not nothing");
    if (key.kind != Kind::scalar) {
      // yaml-cpp also takes what is never closed for a key.
      refuse(key.place, fmt::format("a key must be a name, not {}; is a closing '{}' missing?", describe(key),
                                    key.kind == Kind::list ? ']' : '}'));
    }
    if (key.text == "<<" && !key.quoted) {
      refuse(key.place, "merge keys ('<<') are not part of this language; what steps share is said under 'defaults'");
    }
    const auto [first, is_new] = map.keys.emplace(key.text, &key);
    if (is_new) return;
    const Place& before = first->second->place;
    refuse(key.place, fmt::format("the key '{}' stands twice; first at {}:{}", key.text, before.line, before.column));
  }

  std::string_view text_;
  const Places& places_;
  std::deque<YamlNode>& nodes_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Anchored> anchored_;  // complete ones
  std::size_t counted_ = 0;                      // nodes so far, aliases expanded
};

// What most likely made yaml-cpp stop.
std::string_view hint(std::string_view error) {
  using namespace YAML::ErrorMsg;
  if (error == MAP_VALUE) return "; a text that holds ': ' must be in quotes";
  if (error == UNKNOWN_TOKEN) return "; a text that begins with '%', '@' or '`' must be in quotes";
  const bool is_alias = error == UNKNOWN_ANCHOR || error == CHAR_IN_ALIAS || error == ALIAS_NOT_FOUND;
  return is_alias ? "; a text that begins with '*' must be in quotes" : "";
}

[[noreturn]] void refuse_syntax(const Places& places, const YAML::Exception& error) {
  if (const Place tab = places.tab_before(error.mark); tab.line > 0) {
    refuse(tab, "a tab in the indentation, where YAML allows only blanks");
  }
  refuse(places(error.mark), fmt::format("not YAML: {}{}", error.msg, hint(error.msg)));
}

}  // namespace

YamlDocument::YamlDocument(std::string file, const std::string& text) : file_(std::move(file)) {
  const Places places(file_, text);
  TreeBuilder builder(text, places, nodes_);
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    refuse_syntax(places, error);
  }
  if (nodes_.empty() || root().kind == Kind::nothing) refuse({file_, 1, 1}, "the file is empty");
}

}  // namespace rackproof
