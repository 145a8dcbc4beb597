// A YAML text as a tree whose every node knows where it stands. What YAML allows and this language does not (merge
// keys, tags, duplicate keys, endless aliases) is refused here.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runner/input_error.h"

namespace rackproof {

struct YamlNode {
  enum class Kind { nothing, scalar, list, map };

  Kind kind = Kind::nothing;
  Place place;
  std::string text;     // of a scalar
  bool quoted = false;  // or a block: a text, whatever it looks like
  // Where the text itself begins on the node's line, when it stands there letter by letter; 0 when it does not.
  int text_column = 0;
  std::vector<const YamlNode*> items;                                // of a list
  std::vector<std::pair<const YamlNode*, const YamlNode*>> entries;  // of a map: key, which is a scalar, and value

  const YamlNode* find(std::string_view key) const;  // nullptr: no such key
};

// What a plain scalar is in YAML 1.2's core schema, less what people write without meaning it: only `true` and `false`
// are booleans.
enum class ScalarKind { text, boolean, number };
ScalarKind kind_of(const YamlNode& scalar);

// "the number '5'", "a list": what stands there, for a sentence about what should.
std::string describe(const YamlNode&);

// Where the character `offset` of a scalar's text stands; the place of the node when that is not known.
Place place_in(const YamlNode& scalar, std::size_t offset);

class YamlDocument {
 public:
  // Throws InputError. `text` has passed check_text.
  YamlDocument(std::string file, const std::string& text);
  YamlDocument(const YamlDocument&) = delete;
  YamlDocument& operator=(const YamlDocument&) = delete;

  const std::string& file() const { return file_; }
  const YamlNode& root() const { return nodes_.front(); }

 private:
  const std::string file_;
  std::deque<YamlNode> nodes_;  // an alias is a second way to the same node
};

}  // namespace rackproof
