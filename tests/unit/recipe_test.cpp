#include "runner/recipe.h"

#include <catch2/catch.hpp>

#include "tests/support/known_checks.h"
#include "tests/support/text_files.h"

using namespace rackproof;
using namespace std::chrono_literals;

namespace {

Recipe read(const std::string& file, std::vector<std::string> sets = {}) {
  Catalog catalog(known_checks());
  return read_recipe({.file = file, .limits = {}, .sets = std::move(sets)}, catalog);
}

Recipe read_text(const std::string& text, std::vector<std::string> sets = {}) {
  const TextFiles files;
  return read(files.write("recipe.yaml", text), std::move(sets));
}

std::string refusal(const std::string& file, std::vector<std::string> sets = {}) {
  try {
    read(file, std::move(sets));
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

std::vector<std::string> ids(const Recipe& recipe) {
  std::vector<std::string> ids;
  for (const Step& step : recipe.steps) ids.push_back(step.id);
  return ids;
}

using Texts = std::vector<std::string>;

constexpr const char* kNode = R"(recipe: node
summary: One node, from the bottom layer up
defaults: { timeout: 90 s, watch: [ host.counters ] }
layers:
  - layer: pcie
    summary: Every link runs as it can
    steps:
      - id: links
        check: pcie.link
        summary: Width and speed
        expect:
          - width == 100 % of width_capable
          - aer_correctable == 0
        timeout: 1.5 s
      - check: pcie.bandwidth
  - layer: fabric
    steps: []
  - layer: storage
    steps:
      - id: scratch
        check: storage.throughput
        with: { path: /var/tmp, size: 2GiB, jobs: 4, verify: false, mode: read, ratio: 2, label: 012 }
        optional: true
        expect: verify_errors == 0
        prefer: [ "read >= 50 % of pcie-bandwidth.h2d" ]
        claims: [ disk ]
        watch: []
        grace: 250 ms
        memory: 1 GiB
)";

}  // namespace

TEST_CASE("a recipe is read whole") {
  const TextFiles files;
  const std::string file = files.write("node.yaml", kNode);
  const Recipe recipe = read(file);
  CHECK(recipe.name == "node");
  CHECK(recipe.summary == "One node, from the bottom layer up");
  CHECK(recipe.file == file);
  CHECK(recipe.layers == Texts{"pcie", "fabric", "storage"});
  REQUIRE(ids(recipe) == Texts{"links", "pcie-bandwidth", "scratch"});

  const Step& links = recipe.steps[0];
  CHECK(links.check == "pcie.link");
  CHECK(links.layer == "pcie");
  CHECK(links.summary == "Width and speed");
  CHECK(links.timeout == 1500ms);
  CHECK(links.grace == 2000ms);
  CHECK(links.memory == 0);
  CHECK(links.claims == Texts{"node"});
  CHECK(links.watch == Texts{"host.counters"});
  CHECK_FALSE(links.optional);
  REQUIRE(links.metrics.size() == 5);
  CHECK(links.metrics[4] == MetricDeclaration{"aer_correctable", "count", "lower"});
  REQUIRE(links.expectations.size() == 2);
  CHECK(links.expectations[0].limit.text == "width == 100 % of width_capable");
  CHECK(links.expectations[0].where == file + ":12:13");
  CHECK(links.expectations[0].source.empty());

  const Step& scratch = recipe.steps[2];
  CHECK(scratch.with == std::vector<std::pair<std::string, std::string>>{{"path", "/var/tmp"},
                                                                         {"size", "2 GiB"},
                                                                         {"jobs", "4"},
                                                                         {"verify", "false"},
                                                                         {"mode", "read"},
                                                                         {"ratio", "2"},
                                                                         {"label", "012"}});
  CHECK(scratch.timeout == 90s);
  CHECK(scratch.grace == 250ms);
  CHECK(scratch.memory == 1u << 30);
  CHECK(scratch.optional);
  CHECK(scratch.claims == Texts{"disk"});
  CHECK(scratch.watch.empty());
  CHECK(scratch.metrics.size() == 3);
  REQUIRE(scratch.expectations.size() == 2);
  CHECK_FALSE(scratch.expectations[0].prefer);
  CHECK(scratch.expectations[1].prefer);
}

TEST_CASE("a recipe may be JSON, and sentences may be folded or blocks") {
  const Recipe json = read_text(
      R"({"recipe": "json", "layers": [{"layer": "pcie", "steps": [{"check": "pcie.link", "optional": true}]}]})");
  CHECK(json.steps[0].optional);
  const Recipe block = read_text(
      "recipe: block\nlayers:\n  - layer: pcie\n    steps:\n      - check: pcie.link\n        expect:\n"
      "          - |\n            width == 8 lanes\n          - >-\n            speed ==\n            16 GT/s\n");
  REQUIRE(block.steps[0].expectations.size() == 2);
  CHECK(block.steps[0].expectations[0].limit.text == "width == 8 lanes");
  CHECK(block.steps[0].expectations[1].limit.text == "speed == 16 GT/s");
}

TEST_CASE("a step needs every step of the nearest layer below that has any, unless it says what it needs") {
  const Recipe recipe = read_text(kNode);
  CHECK(recipe.steps[0].needs.empty());
  CHECK(recipe.steps[1].needs.empty());
  CHECK(recipe.steps[2].needs == Texts{"links", "pcie-bandwidth"});

  const auto needs = [](const std::string& said) {
    std::string text = kNode;
    const std::string_view held_against_a_need = "        prefer: [ \"read >= 50 % of pcie-bandwidth.h2d\" ]\n";
    text.erase(text.find(held_against_a_need), held_against_a_need.size());
    text.insert(text.find("        optional: true"), "        needs: " + said + "\n");
    return read_text(text).steps[2].needs;
  };
  CHECK(needs("[ links ]") == Texts{"links"});
  CHECK(needs("[]").empty());
}

TEST_CASE("a need may come later in the recipe, as long as nothing needs itself") {
  const Recipe recipe = read_text(
      "recipe: r\nlayers:\n  - layer: l\n    steps:\n"
      "      - { id: a, check: pcie.link, needs: [ b ] }\n      - { id: b, check: pcie.link }\n");
  CHECK(recipe.steps[0].needs == Texts{"b"});
}

TEST_CASE("a long chain of needs is no circle, and a circle in it is found") {
  std::string text =
      "recipe: r\nlayers:\n  - layer: l\n    steps:\n      - { id: s0, check: pcie.link, needs: [ LAST ] }\n";
  for (int i = 1; i < 1000; ++i) {
    text += "      - { id: s" + std::to_string(i) + ", check: pcie.link, needs: [ s" + std::to_string(i - 1) + " ] }\n";
  }
  const TextFiles files;
  const auto with_last = [&](const std::string& last) {
    std::string filled = text;
    filled.replace(filled.find("LAST"), 4, last);
    return files.write("chain.yaml", filled);
  };
  CHECK(refusal(with_last("")) == "accepted");
  CHECK(refusal(with_last("s2")).find("a circle of needs: s0 → s2 → s1 → s0") != std::string::npos);
  CHECK(refusal(with_last("s999")).find("a circle of needs: s0 → s999") != std::string::npos);
}

TEST_CASE("a circle is told from a step that says what it needs, without the steps that only lead into it") {
  const TextFiles files;
  const std::string file = files.write("circle.yaml",
                                       "recipe: r\nlayers:\n"
                                       "  - { layer: a, steps: [ { id: way, check: pcie.link, needs: [ top ] } ] }\n"
                                       "  - { layer: b, steps: [ { id: low, check: pcie.link, needs: [ top ] } ] }\n"
                                       "  - { layer: c, steps: [ { id: top, check: pcie.link } ] }\n");
  CHECK(refusal(file) == file + ":4:64: a circle of needs: low → top → low");
}

TEST_CASE("needs by default are bounded, and steps that say what they need are not") {
  const auto text = [](std::string_view upper_needs) {
    std::string layers = "recipe: r\nlayers:\n";
    for (const char* layer : {"low", "up"}) {
      layers += std::string("  - layer: ") + layer + "\n    steps:\n";
      for (int i = 0; i < 1001; ++i) {
        layers += "      - { id: " + std::string(layer) + std::to_string(i) + ", check: pcie.link";
        layers += (layer == std::string_view("up") ? std::string(upper_needs) : "") + " }\n";
      }
    }
    return layers;
  };
  const TextFiles files;
  CHECK(refusal(files.write("square.yaml", text(""))).find("need one another more than 1000000 times") != std::string::npos);
  CHECK(refusal(files.write("line.yaml", text(", needs: [ low0 ]"))) == "accepted");
}

TEST_CASE("a limit held against another step must need that step") {
  const auto text = [](std::string_view needs) {
    return "recipe: r\nlayers:\n  - layer: l\n    steps:\n"
           "      - { id: a, check: pcie.link, needs: [] }\n"
           "      - { id: b, check: pcie.link, needs: [ a ] }\n"
           "      - { id: c, check: pcie.link, needs: [" + std::string(needs) + "], expect: [ width >= 50 % of a.width ] }\n";
  };
  const TextFiles files;
  CHECK(refusal(files.write("chance.yaml", text(""))).ends_with(
      "step 'c' is held against 'a' and must need it: add 'a' to its needs"));
  CHECK(refusal(files.write("through.yaml", text("b"))) == "accepted");
}

TEST_CASE("included layers come first, and one of the same name goes on") {
  const TextFiles files;
  files.write("parts/base.yaml",
              "recipe: base\ndefaults: { timeout: 5 s }\nlayers:\n  - layer: pcie\n    steps:\n"
              "      - { id: links, check: pcie.link }\n  - layer: top\n    steps:\n"
              "      - { id: last, check: pcie.link }\n");
  files.write("parts/again.yaml", "recipe: again\ninclude: [ base.yaml, ../parts/base.yaml ]\n");
  const std::string file = files.write("node.yaml",
                                       "recipe: node\ninclude: [ parts/again.yaml, parts/base.yaml ]\nlayers:\n"
                                       "  - layer: storage\n    steps:\n      - { id: middle, check: pcie.link }\n"
                                       "  - layer: pcie\n    steps:\n      - { id: more, check: pcie.bandwidth }\n");
  const Recipe recipe = read(file);
  CHECK(recipe.name == "node");
  CHECK(recipe.layers == Texts{"pcie", "top", "storage"});
  CHECK(ids(recipe) == Texts{"links", "more", "last", "middle"});
  CHECK(recipe.steps[0].timeout == 5s);   // of its own file's defaults
  CHECK(recipe.steps[1].timeout == 60s);  // and not of another's
  CHECK(recipe.steps[2].needs == Texts{"links", "more"});
}

TEST_CASE("a place in an included file is named by the way that led there") {
  const TextFiles files;
  files.write("parts/bad.yaml", "recipe: bad\nlayers: 5\n");
  const std::string file = files.write("node.yaml", "recipe: node\ninclude: [ parts/bad.yaml ]\n");
  CHECK(refusal(file) ==
        (files.folder() / "parts/bad.yaml").string() + ":2:9: 'layers' must be a list, not the number '5'");
}

TEST_CASE("a circle of includes is found whatever the files are called on the way") {
  const TextFiles files;
  const std::string file = files.write("a.yaml", "recipe: a\ninclude: [ sub/../b.yaml ]\n");
  files.write("b.yaml", "recipe: b\ninclude: [ ./a.yaml ]\n");
  files.write("sub/c.yaml", "");
  CHECK(refusal(file).find("a circle of includes: ") != std::string::npos);
  const std::string itself = files.write("itself.yaml", "recipe: itself\ninclude: [ itself.yaml ]\n");
  CHECK(refusal(itself).find(":2:12: a circle of includes: " + itself + " → ") != std::string::npos);
}

TEST_CASE("includes go to a bounded depth") {
  const TextFiles files;
  for (int i = 0; i < 70; ++i) {
    files.write(std::to_string(i) + ".yaml", "recipe: r\ninclude: [ " + std::to_string(i + 1) + ".yaml ]\n");
  }
  CHECK(refusal((files.folder() / "0.yaml").string()).find("includes go more than 64 files deep") != std::string::npos);
}

TEST_CASE("--set replaces or adds a parameter, and is checked like the recipe's own") {
  const auto with = [](const std::vector<std::string>& sets) {
    const Recipe recipe = read_text(kNode, sets);
    std::string text;
    for (const auto& [name, value] : recipe.steps[2].with) text += name + "=" + value + ";";
    return text;
  };
  CHECK(with({"scratch.size=512 MiB"}).find("size=512 MiB;") != std::string::npos);
  CHECK(with({"scratch.jobs=4", "scratch.jobs=8"}).find("jobs=8;") != std::string::npos);
  CHECK(with({"scratch.duration=3s"}).ends_with("duration=3 s;"));
  CHECK(with({"scratch.label=a=b.c"}).find("label=a=b.c;") != std::string::npos);
  CHECK(with({"scratch.label="}).find("label=;") != std::string::npos);

  const TextFiles files;
  const std::string needy = files.write(
      "needy.yaml", "recipe: r\nlayers:\n  - layer: l\n    steps:\n      - { id: s, check: storage.throughput }\n");
  CHECK(refusal(needy) == needy + ":5:9: storage.throughput needs the parameter 'path'");
  CHECK(refusal(needy, {"s.path=/tmp"}) == "accepted");
  CHECK(refusal(needy, {"s.verify=yes"}) == "--set s.verify=yes: 'verify' is true or false, not 'yes'");
  for (const char* malformed : {"", "s", "s.path", "path=/tmp", ".path=/tmp", "s.=/tmp", "=", ".=", "path=/a.b"}) {
    CAPTURE(malformed);
    CHECK(refusal(needy, {malformed}).find("this must be STEP.PARAMETER=VALUE") != std::string::npos);
  }
}

TEST_CASE("what cannot be described is taken as it is: its trial will say why") {
  const Recipe recipe = read_text(
      "recipe: r\nlayers:\n  - layer: l\n    steps:\n"
      "      - { id: ring, check: nccl.busbw, with: { size: 8 GiB, what: ever }, expect: [ busbw >= 5 GB/s ] }\n"
      "      - { id: link, check: pcie.link, watch: [ nccl.busbw ], expect: [ unheard >= 5 GB/s ] }\n"
      "      - { id: disk, check: pcie.bandwidth, needs: [ ring ], expect: [ h2d >= 90 % of ring.busbw ] }\n",
      {"ring.other=x"});
  CHECK(recipe.steps[0].with.size() == 3);
  CHECK(recipe.steps[0].metrics.empty());
  CHECK(recipe.steps[0].expectations.size() == 1);
  CHECK(recipe.steps[1].expectations.size() == 1);
  CHECK(recipe.steps[2].expectations.size() == 1);
}

TEST_CASE("a file's default watch leaves out the step that is that check") {
  const Recipe recipe = read_text(
      "recipe: r\ndefaults: { watch: [ host.counters ] }\nlayers:\n  - layer: l\n    steps:\n"
      "      - check: host.counters\n      - check: pcie.link\n");
  CHECK(recipe.steps[0].watch.empty());
  CHECK(recipe.steps[1].watch == Texts{"host.counters"});
}

TEST_CASE("times and sizes keep their amount in any unit") {
  const auto step = [](const std::string& fields) {
    return read_text("recipe: r\nlayers:\n  - layer: l\n    steps:\n      - { check: pcie.link, " + fields + " }\n")
        .steps[0];
  };
  CHECK(step("timeout: 2 min").timeout == 120s);
  CHECK(step("timeout: 1 h").timeout == 3600s);
  CHECK(step("timeout: 1us").timeout == 1ms);  // never 0, which would be no time at all
  CHECK(step("timeout: \"10 s\"").timeout == 10s);
  CHECK(step("memory: 1.5 kB").memory == 1500);
  CHECK(step("memory: 9 TB").memory == 9'000'000'000'000);
}
