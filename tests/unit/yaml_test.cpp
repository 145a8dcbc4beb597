#include "runner/yaml.h"

#include <catch2/catch.hpp>

#include "runner/text_file.h"
#include "tests/support/text_files.h"

using namespace rackproof;

namespace {

std::string refusal(const std::string& text) {
  try {
    check_text("x.yaml", text);
    YamlDocument("x.yaml", text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

bool refused_with(const std::string& text, const std::string& part) {
  const std::string why = refusal(text);
  CAPTURE(why);
  CHECK(why.find(part) != std::string::npos);
  return why.starts_with("x.yaml:");
}

std::string where(const YamlNode* node) { return to_text(node->place); }

}  // namespace

TEST_CASE("every node knows its line and column, in characters") {
  const YamlDocument document("x.yaml", "a: 1\nlist:\n  - \xC3\xBC: {k: v}\n    b: \"q\"\n");
  const YamlNode& root = document.root();
  CHECK(where(&root) == "x.yaml:1:1");
  CHECK(where(root.find("a")) == "x.yaml:1:4");
  const YamlNode& item = *root.find("list")->items[0];
  CHECK(where(&item) == "x.yaml:3:5");
  CHECK(where(item.entries[0].second->find("k")) == "x.yaml:3:12");  // 13th byte
  CHECK(where(item.find("b")) == "x.yaml:4:8");
  CHECK(root.find("c") == nullptr);
}

TEST_CASE("lines may end as in DOS, and a byte order mark counts for nothing") {
  const TextFiles files;
  const std::string file = files.write("dos.yaml",
                                       "\xEF\xBB\xBF"
                                       "a: 1\r\nb: 2\r\n");
  const YamlDocument document("x.yaml", read_text_file(file, {file, 0, 0}));
  CHECK(where(document.root().find("a")) == "x.yaml:1:4");
  CHECK(where(document.root().find("b")) == "x.yaml:2:4");
  CHECK(document.root().find("a")->text == "1");
}

TEST_CASE("scalars are what YAML 1.2's core schema says, less yes, no and octals") {
  const auto kind = [](const std::string& scalar) { return kind_of(YamlDocument("x.yaml", scalar).root()); };
  for (const char* number : {"0", "-12", "+12", "012", "1.5", ".5", "1.", "1e3", "1.5E-3", "0x1F", "0o14"}) {
    CAPTURE(number);
    CHECK(kind(number) == ScalarKind::number);
  }
  for (const char* text : {"yes", "no", "on", "off", "True", "FALSE", "x16", "8 GiB", "1_000", "e3", ".", "-", "0x",
                           "1e", "'12'", "\"true\"", "! 12", "12:30", ".inf"}) {
    CAPTURE(text);
    CHECK(kind(text) == ScalarKind::text);
  }
  CHECK(kind("true") == ScalarKind::boolean);
  CHECK(kind("false") == ScalarKind::boolean);
  CHECK(YamlDocument("x.yaml", "a: ~").root().find("a")->kind == YamlNode::Kind::nothing);
  CHECK(YamlDocument("x.yaml", "a: null").root().find("a")->kind == YamlNode::Kind::nothing);
  CHECK(YamlDocument("x.yaml", "a: 'null'").root().find("a")->text == "null");
}

TEST_CASE("a character within a text is found where the text stands as it is") {
  const YamlDocument document("x.yaml",
                              "- plain text\n- 'quoted text'\n- \"\xC3\xBC text\"\n- &anchored text\n- \"a\\tb\"\n- |\n"
                              "  block\n- two\n  lines\n");
  const auto place = [&](std::size_t item, std::size_t offset) {
    return to_text(place_in(*document.root().items[item], offset));
  };
  CHECK(place(0, 6) == "x.yaml:1:9");
  CHECK(place(1, 7) == "x.yaml:2:11");
  CHECK(place(2, 3) == "x.yaml:3:6");  // after a letter of two bytes
  CHECK(place(3, 2) == "x.yaml:4:3");  // the node's own place from here on
  CHECK(place(4, 2) == "x.yaml:5:3");
  CHECK(place(5, 2) == "x.yaml:6:3");
  CHECK(place(6, 5) == "x.yaml:8:3");
  CHECK(place(0, 99) == "x.yaml:1:3");
}

TEST_CASE("aliases repeat a value and keep its place") {
  const YamlDocument document("x.yaml", "a: &list [ one, two ]\nb: *list\nc: &word w\n*word : 1\n");
  const YamlNode& root = document.root();
  CHECK(root.find("b") == root.find("a"));
  CHECK(where(root.find("b")) == "x.yaml:1:4");
  CHECK(root.find("w")->text == "1");
}

TEST_CASE("aliases cannot make a small file endless") {
  std::string bomb = "- &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 0; i < 9; ++i) {
    const std::string one = "*a" + std::to_string(i);
    bomb += "- &a" + std::to_string(i + 1) + " [" + one;
    for (int j = 0; j < 9; ++j) bomb += ", " + one;
    bomb += "]\n";
  }
  CHECK(refused_with(bomb, "expands to more than 100000 nodes; is an alias repeated?"));
  CHECK(refused_with("a: &a [ *a ]", "1:9: this alias stands inside the value that it repeats"));
}

TEST_CASE("the number of nodes is bounded without aliases too") {
  std::string text = "[";
  for (int i = 0; i < 99'999; ++i) text += "x,";
  CHECK(refusal(text + "]") == "accepted");
  CHECK(refused_with(text + "x]", "expands to more than 100000 nodes"));
}

TEST_CASE("nesting is bounded, however it is written") {
  const auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(refusal(nested(64)) == "accepted");
  CHECK(refused_with(nested(65), "1:65: nested more than 64 deep"));
  for (const char* unit : {"[", "{", "? ", "- ", ": ", "[a: ", "{a: ", "[? ", "{? "}) {
    std::string deep;
    while (deep.size() < 200'000) deep += unit;
    CAPTURE(unit);
    CHECK(refusal(deep).starts_with("x.yaml:1:"));
  }
}

TEST_CASE("what is not one YAML value in UTF-8 is refused where it goes wrong") {
  CHECK(refused_with("", "x.yaml:1:1: the file is empty"));
  CHECK(refused_with("# comment\n", "the file is empty"));
  CHECK(refused_with("~", "the file is empty"));
  CHECK(refused_with("a: \xC3\xBC\xFF", "1:5: byte 0xff is not UTF-8"));
  CHECK(refused_with(std::string("a: b\n\0", 6), "2:1: a NUL byte"));
  CHECK(refused_with("a: \x04", "1:4: a control character (0x04)"));
  CHECK(refused_with("a: \x7F", "a control character (0x7f)"));
  CHECK(refused_with("a: \xC2\x9B", "a control character (0x9b)"));
  CHECK(refused_with("a: b\rc: d", "1:5: a carriage return without a line feed"));
  CHECK(refused_with("a: b\n---\nc: d\n", "2:1: a second document begins here"));
  CHECK(refused_with("- a\nb: c\n", "2:1: this stands after the end of the file's one value"));
  CHECK(refused_with("a:\n\tb: c\n", "2:1: a tab in the indentation"));
  CHECK(refused_with("a:\n  b: c\n \td: e\n", "3:2: a tab in the indentation"));
  CHECK(refused_with("a: b: c", "1:5: not YAML: illegal map value; a text that holds ': ' must be in quotes"));
  CHECK(refused_with("a: *b", "1:4: not YAML: the referenced anchor is not defined"));
  CHECK(refused_with("a: [", "not YAML"));
  CHECK(refused_with("a: \"\\ud800\"", "not YAML: invalid unicode"));
}

TEST_CASE("what YAML allows and this language does not is refused") {
  CHECK(refused_with("a: 1\nb: 2\na: 3\n", "3:1: the key 'a' stands twice; first at 1:1"));
  CHECK(refused_with("a: 1\n'a': 3\n", "the key 'a' stands twice"));
  CHECK(refused_with("{ a: 1, b: { c: 1, c: 2 } }", "1:20: the key 'c' stands twice"));
  CHECK(refused_with("a: &x { b: 1 }\nc: { <<: *x }\n", "2:6: merge keys ('<<') are not part of this language"));
  CHECK(refusal("'<<': 1") == "accepted");
  CHECK(refused_with("a: !!int 5", "1:4: tags such as '!!int'"));
  CHECK(refused_with("a: !mine [ 5 ]", "1:4: tags"));
  CHECK(refused_with("a: !!map { }", "1:4: tags"));
  CHECK(refused_with("? [ a ]\n: 1", "1:3: a key must be a name, not a list"));
  CHECK(refused_with(": 1", "a key must be a name, not nothing"));
  CHECK(refused_with("a: \"x\\0y\"", "1:4: this text holds a control character"));
}

TEST_CASE("a refusal is one line, whatever the file holds") {
  try {
    refuse({"x.yaml", 1, 2}, "a\nb\x1B[31m\xFF");
  } catch (const InputError& error) {
    CHECK(std::string(error.what()) == "x.yaml:1:2: a\\x0ab\\x1b[31m\\xff");
  }
  try {
    refuse({"x.yaml", 1, 2}, std::string(1'000'000, 'a'));
  } catch (const InputError& error) {
    CHECK(std::string(error.what()).size() < 1100);
  }
}

TEST_CASE("a file that cannot be read is said where it is named") {
  const TextFiles files;
  const auto refused = [](const std::string& file, const Place& place) {
    try {
      read_text_file(file, place);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("read");
  };
  const std::string missing = (files.folder() / "missing.yaml").string();
  CHECK(refused(missing, {missing, 0, 0}) == missing + ": No such file or directory");
  CHECK(refused(missing, {"a.yaml", 3, 5}) == "a.yaml:3:5: cannot read '" + missing + "': No such file or directory");
  const std::string folder = files.folder().string();
  CHECK(refused(folder, {folder, 0, 0}) == folder + ": is a directory, not a file");
  const std::string large = files.write("large.yaml", std::string((1 << 20) + 1, '#'));
  CHECK(refused(large, {large, 0, 0}) == large + ": is larger than 1 MiB, which no recipe or limits file is");
  CHECK(refused("/dev/zero", {"/dev/zero", 0, 0}) ==
        "/dev/zero: is larger than 1 MiB, which no recipe or limits file is");
  const std::string largest = files.write("largest.yaml", std::string(1 << 20, '#'));
  CHECK(refused(largest, {largest, 0, 0}) == "read");
}
