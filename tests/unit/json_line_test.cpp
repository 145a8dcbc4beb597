#include <catch2/catch.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "checks/api/json_line.h"
#include "checks/api/utf8.h"

using namespace rackproof;
using namespace std::string_literals;

namespace {

std::string as_json(std::string_view text) {
  std::string out;
  append_json_text(out, text);
  return out;
}

template <class T>
std::string member(const T& value) {
  JsonLine line;
  line.add("x", value);
  return std::move(line).text();
}

}  // namespace

TEST_CASE("json_line: members stand in the order in which they are added") {
  JsonLine line;
  line.add("b", "text");
  line.add("a", 1);
  line.open("inner");
  line.add("z", true);
  line.add("y", 0.5);
  line.close();
  line.open_array("list");
  line.push("one");
  line.push("two");
  line.close_array();
  line.open_array("objects");
  line.open_element();
  line.add("k", 1);
  line.close();
  line.open_element();
  line.close();
  line.close_array();
  line.add_raw("raw", "[]");
  line.add("last", false);
  CHECK(std::move(line).text() ==
        R"({"b":"text","a":1,"inner":{"z":true,"y":0.5},"list":["one","two"],)"
        R"("objects":[{"k":1},{}],"raw":[],"last":false})");
}

TEST_CASE("json_line: empty objects and lists") {
  CHECK(JsonLine().text() == "{}");
  JsonLine line;
  line.open("o");
  line.close();
  line.open_array("a");
  line.close_array();
  CHECK(std::move(line).text() == R"({"o":{},"a":[]})");
}

TEST_CASE("json_line: a text that ends like an opening does not swallow the comma") {
  JsonLine line;
  line.add("a", "{");
  line.add("b", "[");
  line.add_raw("c", R"("{")");
  line.add("d", 1);
  CHECK(std::move(line).text() == R"({"a":"{","b":"[","c":"{","d":1})");
}

TEST_CASE("json_line: quotes, backslashes and every control character are escaped") {
  CHECK(as_json(R"(say "no" \ yes)") == R"("say \"no\" \\ yes")");
  CHECK(as_json("a\nb\tc") == R"("a\nb\tc")");
  CHECK(as_json("\r\0\x1b\x7f"s) == R"("\u000d\u0000\u001b\u007f")");
  for (int c = 0; c < 0x20; ++c) {
    const std::string escaped = as_json(std::string(1, static_cast<char>(c)));
    INFO(c);
    CHECK(escaped.size() > 3);
    CHECK(escaped[1] == '\\');
  }
  CHECK(member("line one\nline two") == R"({"x":"line one\nline two"})");
}

TEST_CASE("json_line: names are escaped as values are") {
  JsonLine line;
  line.add("a\"b\n", 1);
  CHECK(std::move(line).text() == R"({"a\"b\n":1})");
}

TEST_CASE("json_line: valid UTF-8 passes as it is") {
  for (const char* text : {"µs", "°C", "€", "日本", "\U0001F600", "\u07FF", "\u0800", "\uFFFD", "\U0010FFFF"}) {
    CHECK(as_json(text) == "\"" + std::string(text) + "\"");
    CHECK(repaired_utf8(text) == text);
  }
}

TEST_CASE("json_line: each byte that is no UTF-8 becomes U+FFFD") {
  const std::string r(kReplacement);
  CHECK(as_json("a\xff z") == "\"a" + r + " z\"");
  CHECK(repaired_utf8("\x80") == r);                       // a continuation alone
  CHECK(repaired_utf8("\xC0\xAF") == r + r);               // overlong '/'
  CHECK(repaired_utf8("\xE0\x80\xAF") == r + r + r);       // overlong again
  CHECK(repaired_utf8("\xED\xA0\x80") == r + r + r);       // a surrogate
  CHECK(repaired_utf8("\xF4\x90\x80\x80") == r + r + r + r);  // above U+10FFFF
  CHECK(repaired_utf8("\xF0\x80\x80\xAF") == r + r + r + r);  // overlong once more
  CHECK(repaired_utf8("\xF5\x80\x80\x80") == r + r + r + r);
  CHECK(repaired_utf8(std::string_view("€").substr(0, 2)) == r + r);  // cut off, whatever lies behind it
  CHECK(repaired_utf8("\xE2\x82"s + "A") == r + r + "A");
  CHECK(repaired_utf8("\xC3\"") == r + "\"");
  CHECK(as_json("\xC3\"") == "\"" + r + "\\\"\"");
}

TEST_CASE("json_line: a double keeps a fraction or an exponent, and what is no number is null") {
  CHECK(member(42.0) == R"({"x":42.0})");
  CHECK(member(-0.0) == R"({"x":-0.0})");
  CHECK(member(0.1) == R"({"x":0.1})");
  CHECK(member(1e22) == R"({"x":1e+22})");
  CHECK(member(1e300) == R"({"x":1e+300})");
  CHECK(member(5e-324) == R"({"x":5e-324})");
  CHECK(member(std::nan("")) == R"({"x":null})");
  CHECK(member(std::numeric_limits<double>::infinity()) == R"({"x":null})");
  CHECK(member(-std::numeric_limits<double>::infinity()) == R"({"x":null})");
}

TEST_CASE("json_line: integers are written whole over their full range") {
  CHECK(member(std::numeric_limits<std::int64_t>::min()) == R"({"x":-9223372036854775808})");
  CHECK(member(std::numeric_limits<std::uint64_t>::max()) == R"({"x":18446744073709551615})");
  CHECK(member(true) == R"({"x":true})");
}
