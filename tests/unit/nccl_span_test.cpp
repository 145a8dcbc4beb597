#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/simulator/nccl_span.h"

using namespace rackproof::simulator;

namespace {

struct Folder {
  Folder() {
    char name[] = "/tmp/rackproof-test-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path;
};

std::vector<char> bytes(const std::string& text) { return {text.begin(), text.end()}; }

Brought brought(double came, std::uint64_t content, const std::string& text) {
  return {.came_ns = came, .takes_ns = 1, .kind = 0, .root = 0, .content = content, .bytes = text.size(),
          .messages = {{0, 2, 0, text.size()}}};
}

}  // namespace

TEST_CASE("simulated ranks of several processes meet, bring what they have, and leave nothing behind") {
  const Folder folder;
  const std::string place = folder.path + "/nccl";
  {
    Span a(place, 3, {0, 1});
    CHECK_FALSE(a.is_whole());
    {
      Span b(place, 3, {2});
      REQUIRE(b.is_whole());
      REQUIRE(a.is_whole());
      CHECK(a.processes() == 2);
      CHECK(a.process_of(1) == 0);
      CHECK(b.process_of(2) == 1);
      a.put(0, brought(5, 77, "one"), [] { return bytes("one"); });
      CHECK(b.all_of(0).empty());
      b.put(0, brought(6, 77, "two"), [] { return bytes("two"); });
      const auto all = a.all_of(0);
      REQUIRE(all.size() == 2);
      CHECK(all[1].came_ns == 6);
      CHECK(all[1].messages.front().to == 2);
      // Equal numbers of two processes name different bytes.
      CHECK(a.bytes_of(0, all[0]).text() == "one");
      CHECK(a.bytes_of(1, all[1]).text() == "two");
      // The same content is not made again, and stays as long as it is the last or the one before.
      for (std::uint64_t number = 1; number < 6; ++number) {
        a.put(number, brought(5, 77 + number % 2, "abc"), [] { return bytes("abc"); });
        b.put(number, brought(5, 77 + number % 2, "abc"), [] { return bytes("abc"); });
        CHECK(b.all_of(number).size() == 2);
      }
      CHECK_FALSE(a.is_anyone_dead());
    }
    CHECK_FALSE(a.is_anyone_dead());
    CHECK(std::filesystem::exists(place));
  }
  CHECK_FALSE(std::filesystem::exists(place));
}

TEST_CASE("simulated ranks that wait for others in vain leave nothing behind either") {
  const Folder folder;
  {
    Span a(folder.path + "/nccl", 2, {0});
    CHECK_FALSE(a.is_whole());
  }
  CHECK(std::filesystem::is_empty(folder.path));
  CHECK_THROWS_AS(Span(folder.path + "/gone/nccl", 2, {0}), std::runtime_error);
}
